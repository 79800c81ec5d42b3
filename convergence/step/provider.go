package step

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/provider"
	"github.com/muster-dev/muster/graph"
	"github.com/muster-dev/muster/project"
)

// Provided are the variables that a provider's program gives to the services that depend on its own. They are only known once its step has
// run, so steps that come after that share it. It is safe for use from several goroutines.
type Provided struct {
	service   string
	mutex     sync.Mutex
	variables map[string]string
}

// NewProvided is what a service's provider will give.
func NewProvided(service string) *Provided { return &Provided{service: service} }

func (p *Provided) set(variables map[string]string) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.variables = variables
}

func (p *Provided) get() map[string]string {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.variables
}

// ProvidedField is the field of a fingerprint that holds a variable that a provider has given. It is not among those that a service's
// file gives: what the file wants can be compared without asking the provider.
func ProvidedField(name string) string { return "provided." + name }

// withProvided is a service with the variables of providers over its own. The service is not changed.
func withProvided(service project.Service, from []*Provided) project.Service {
	if len(from) == 0 {
		return service
	}
	service.Environment = maps.Clone(service.Environment)
	if service.Environment == nil {
		service.Environment = map[string]*string{}
	}
	for _, provided := range from {
		for name, value := range provided.get() {
			service.Environment[name] = &value
		}
	}
	return service
}

// providedFields are the fields of what providers have given. Nobody shows their values.
func providedFields(from []*Provided) project.Fields {
	fields := project.Fields{}
	for _, provided := range from {
		for name, value := range provided.get() {
			fields[ProvidedField(name)] = project.Field{Value: value, Hidden: true}
		}
	}
	return fields
}

// ProvidedChanged is met when providers give other variables than a container was made with.
type ProvidedChanged struct {
	Was  project.Fingerprint
	From []*Provided
}

// Met implements [Condition].
func (c ProvidedChanged) Met(context.Context, engine.Engine) (bool, error) {
	was := c.Was
	was.Fields = map[string]string{}
	for path, value := range c.Was.Fields {
		if strings.HasPrefix(path, ProvidedField("")) {
			was.Fields[path] = value
		}
	}
	return len(providedFields(c.From).Changes(was)) > 0, nil
}

func (c ProvidedChanged) String() string {
	names := make([]string, len(c.From))
	for i, provided := range c.From {
		names[i] = provided.service
	}
	return "what " + strings.Join(names, ", ") + " provides changed"
}

// Provider is the kind of what a provider's program runs.
const Provider ObjectKind = "Provider"

// RunProvider has a provider's program do something for its service.
type RunProvider struct {
	Call provider.Call
	// Runner runs the program.
	Runner provider.Runner
	// Provided takes the variables that it gives; nil where nobody wants any.
	Provided *Provided
}

// Run implements [Step]. A program must take being asked again.
func (s RunProvider) Run(ctx context.Context, _ engine.Engine, report func(Progress)) error {
	if s.Runner == nil {
		return errors.New("nobody runs the programs of providers here")
	}
	variables, err := s.Runner.Run(ctx, s.Call, func(text string) { report(Progress{Text: text}) })
	if err == nil && s.Provided != nil {
		s.Provided.set(variables)
	}
	return err
}

// Ref implements [Step].
func (s RunProvider) Ref() graph.Ref { return graph.Service(s.Call.Service) }

// Object implements [Step].
func (s RunProvider) Object() Object { return Object{Provider, s.Call.Service} }

// Action implements [Step].
func (s RunProvider) Action() string { return "provide" }

// Words implements [Step].
func (s RunProvider) Words() (doing, done string) {
	switch s.Call.Command {
	case provider.Stop:
		return "Stopping", "Stopped"
	case provider.Down:
		return "Removing", "Removed"
	case provider.Up:
	}
	return "Starting", "Started"
}

func (s RunProvider) String() string {
	return fmt.Sprintf("have provider %s do %s for service %s", s.Call.Type, s.Call.Command, s.Call.Service)
}
