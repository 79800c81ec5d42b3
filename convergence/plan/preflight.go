package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/step"
	"github.com/muster-dev/muster/project"
)

// Surroundings are what stands in a plan's way that is not the project's. What is not known is left empty, and nothing is said of it.
type Surroundings struct {
	// Containers and Networks are all that the engine has, whoever's they are.
	Containers []engine.Container
	Networks   []engine.Network
	// Pools are where the engine takes the addresses of networks from that name none.
	Pools []engine.AddressPool
	// Listeners are the ports that programs of this host have, where the engine publishes ports on the same host.
	Listeners []Listener
	// Elsewhere is the engine's host, where that is another one than this.
	Elsewhere string
}

// Listener is a program that has a port of the host.
type Listener struct {
	Address  string // empty or unspecified for all addresses
	Port     uint16
	Protocol string // tcp, udp
	Program  string // empty where it may not be known
	PID      int
}

// Asks says which of its surroundings a plan needs to know. Most plans ask for nothing.
type Asks struct {
	Containers bool // what its containers publish may be taken
	Networks   bool // it makes networks that need addresses
	Host       bool // it mounts paths
}

// Asks are what there is to be known before the plan is carried out.
func (p *Plan) Asks(wanted *project.Project) Asks {
	return Asks{
		Containers: len(p.bindings(wanted)) > 0, Networks: len(p.newNetworks()) > 0, Host: len(p.binds(wanted)) > 0,
	}
}

// Preflight looks for what would stop the plan in the middle: ports of the host that somebody else has, networks for which there are no
// addresses left, paths that are on another host than the engine. Everything is found at once; Problems are certain.
func (p *Plan) Preflight(wanted *project.Project, around Surroundings) (problems []*Problem, warnings []Warning) {
	problems = p.takenPorts(wanted, around)
	shortage, warning := p.addressShortage(wanted, around)
	if shortage != nil {
		problems = append(problems, shortage)
	}
	if warning != nil {
		warnings = append(warnings, *warning)
	}
	if warning := p.pathsElsewhere(wanted, around); warning != nil {
		warnings = append(warnings, *warning)
	}
	return problems, warnings
}

// binding is ports of the host that a container takes when it starts: one of first to last.
type binding struct {
	service, container string
	path               string // in the file
	address, protocol  string
	first, last        uint16
}

func (b binding) ports() string {
	text := strconv.Itoa(int(b.first))
	if b.last > b.first {
		text += "-" + strconv.Itoa(int(b.last))
	}
	if b.protocol != "tcp" {
		text += "/" + b.protocol
	}
	if b.address != "" {
		text += " of " + b.address
	}
	return text
}

// bindings are the ports that the plan's starts take, in the order of the plan. What the engine chooses freely is none.
func (p *Plan) bindings(wanted *project.Project) []binding {
	var found []binding
	services := p.started(wanted)
	for _, name := range sortedKeys(services) {
		service := services[name]
		if service.NetworkMode == "host" {
			continue
		}
		for i, port := range service.Ports {
			first, last, ok := portRange(port.Published)
			if !ok {
				continue
			}
			found = append(found, binding{
				service: service.Name, container: name, path: fmt.Sprintf("services.%s.ports[%d]", service.Name, i),
				address: port.HostIP, protocol: cmp.Or(port.Protocol, "tcp"), first: first, last: last,
			})
		}
	}
	return found
}

// started are the services of the containers that the plan starts, or that are started behind it, by the container's name.
func (p *Plan) started(wanted *project.Project) map[string]project.Service {
	created, started := map[string]project.Service{}, map[string]project.Service{}
	for _, node := range p.Nodes {
		switch s := node.Step.(type) {
		case step.CreateContainer:
			created[s.Object().Name] = s.Request.Service
			if s.Request.Labels[project.LabelOneOff] == "True" {
				started[s.Object().Name] = s.Request.Service
			}
		case step.StartContainer:
			name := s.Object().Name
			if service, ok := created[name]; ok {
				started[name] = service
			} else if wanted != nil && !s.Again {
				if service, ok := wanted.Services[s.Service]; ok {
					started[name] = service
				}
			}
		}
	}
	return started
}

// portRange reads "8080" or "8000-8010"; not ok where the engine is to choose.
func portRange(published string) (first, last uint16, ok bool) {
	from, to := published, published
	if i := slices.Index([]byte(published), '-'); i >= 0 {
		from, to = published[:i], published[i+1:]
	}
	low, lowErr := strconv.ParseUint(from, 10, 16)
	high, highErr := strconv.ParseUint(to, 10, 16)
	return uint16(low), uint16(high), lowErr == nil && highErr == nil && low > 0 && high >= low
}
