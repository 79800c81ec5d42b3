package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/docker/go-units"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/logs"
	"github.com/muster-dev/muster/logs/kept"
	"github.com/muster-dev/muster/project"
)

const (
	// keepVariable and keepSizeVariable are the policy of what is kept of containers that are replaced.
	keepVariable, keepSizeVariable = "MUSTER_KEEP_LOGS", "MUSTER_KEEP_LOGS_SIZE"
	usualKeep, usualKeepSize       = 2, 1 << 20
	mostKeep, mostKeepSize         = 100, 64 << 20
	// keepTime is how long the removal of a container waits for its last lines.
	keepTime = 2 * time.Second
)

// previousHelp is a part of the help of `logs`.
const previousHelp = `--tail counts the lines that are left by --grep, --exclude, --level,
--stdout-only and --stderr-only.

--previous shows the last lines of containers that were replaced, scaled away
or orphans: one of each replica. They are kept on this machine, where up, create
or scale removed them, in ~/.local/state/muster/logs ($XDG_STATE_HOME). Another
machine that uses the same engine has its own. MUSTER_KEEP_LOGS is how many
containers are kept of each replica (2; 0 for none), MUSTER_KEEP_LOGS_SIZE how
much text of each (1MB). What is older than 30 days goes.`

// keepPolicy is what the environment says about what is kept.
func (g *globals) keepPolicy() (policy kept.Policy, err error) {
	policy = kept.Policy{Containers: usualKeep, Bytes: usualKeepSize}
	if value := g.lookup(keepVariable); value != "" {
		if policy.Containers, err = strconv.Atoi(value); err != nil || policy.Containers < 0 || policy.Containers > mostKeep {
			return policy, fmt.Errorf("%s must be a number of containers up to %d (found: %q)", keepVariable, mostKeep, value)
		}
	}
	if value := g.lookup(keepSizeVariable); value != "" {
		if policy.Bytes, err = units.RAMInBytes(value); err != nil || policy.Bytes < 1 || policy.Bytes > mostKeepSize {
			return policy, fmt.Errorf("%s must be a size up to 64MB, such as 256k (found: %q)", keepSizeVariable, value)
		}
	}
	return policy, nil
}

// keptFolder is where the lines of removed containers are kept; empty where the user has no place for that.
func (g *globals) keptFolder() string {
	state := g.lookup("XDG_STATE_HOME")
	if !filepath.IsAbs(state) { // then it does not count
		home := cmp.Or(g.lookup("HOME"), g.lookup("USERPROFILE"))
		if !filepath.IsAbs(home) {
			return ""
		}
		state = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(state, "muster", "logs")
}

// keeper keeps the last lines of containers before they are removed.
type keeper struct {
	engine.Engine // by which to remove containers
	next          engine.Engine
	globals       *globals
	policy        kept.Policy
	project       string

	once  sync.Once
	store *kept.Store // nil where the engine does not say who it is

	mutex    sync.Mutex
	problems []string
}

// keepLogs returns an engine that keeps the last lines of the project's containers before it removes them. That never fails: what could not be
// kept is told by warn.
func (g *globals) keepLogs(next engine.Engine, projectName string) (*keeper, error) {
	policy, err := g.keepPolicy()
	if err != nil {
		return nil, err
	}
	k := &keeper{Engine: next, next: next, globals: g, policy: policy, project: projectName}
	if policy.Containers > 0 && g.keptFolder() != "" {
		k.Engine = engine.Intercept(next, func(ctx context.Context, call engine.Call, do func(context.Context) error) error {
			if call.Name == "RemoveContainer" {
				k.keep(ctx, call.Object)
			}
			return do(ctx)
		})
	}
	return k, nil
}

func (k *keeper) keep(ctx context.Context, ref string) {
	ctx, cancel := context.WithTimeout(ctx, keepTime)
	defer cancel()
	container, err := k.next.InspectContainer(ctx, ref)
	if err != nil || container.OneOff || container.Hook != "" || container.Service == "" || container.Project != k.project {
		return // what is wrong with it the removal will tell
	}
	container.Name = project.PermanentName(container.Name)
	k.once.Do(func() {
		if info, err := k.next.Info(ctx); err == nil && info.ID != "" {
			k.store = kept.New(k.globals.keptFolder(), info.ID, k.policy)
			k.store.Sweep()
		}
	})
	if k.store == nil {
		return
	}
	if err := k.store.Keep(ctx, k.next, container); err != nil {
		k.mutex.Lock()
		defer k.mutex.Unlock()
		k.problems = append(k.problems, fmt.Sprintf("%s: %v", logs.SourceOf(container.Container).Name(), err))
	}
}

// warn tells what could not be kept, once nothing else is being shown.
func (k *keeper) warn() {
	if len(k.problems) == 0 {
		return
	}
	slices.Sort(k.problems)
	message := "cannot keep the last lines of " + k.problems[0]
	if more := len(k.problems) - 1; more > 0 {
		message += fmt.Sprintf(" (and of %d more)", more)
	}
	k.globals.warn([]project.Warning{{Message: message}})
}

// runPrevious shows what is kept of containers that are gone.
func runPrevious(ctx context.Context, o *logsOptions, options logs.Options) error {
	containers, p, err := o.previous(ctx)
	if err != nil {
		return err
	}
	var names, services []string
	for _, c := range containers {
		names = append(names, c.Source.Name())
		services = append(services, c.Source.Service)
	}
	if p != nil {
		services = append(services, serviceNames(found{project: p})...)
	}
	chain := o.chain(o.printing(names, slices.Compact(slices.Sorted(slices.Values(services)))), &options)
	var items []logs.Item
	for _, c := range containers {
		items = append(items, within(c.Items, options)...)
	}
	slices.SortStableFunc(items, func(a, b logs.Item) int { return a.Time.Compare(b.Time) })
	for _, item := range items {
		if err := chain.sink(item); err != nil {
			return chain.closed(err)
		}
	}
	err = chain.closed(nil)
	o.warn(chain.warnings())
	return err
}

// previous is what is kept of the containers that are asked for, and the project where its file can be read.
func (o *logsOptions) previous(ctx context.Context) ([]kept.Container, *project.Project, error) {
	policy, err := o.keepPolicy()
	if err != nil {
		return nil, nil, err
	}
	here, err := o.look(ctx, nil)
	if err != nil {
		return nil, nil, err
	}
	defer here.engine.Close() //nolint:errcheck // nothing is left to be said to the engine
	info, err := here.engine.Info(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("ask who the engine is: %w", err)
	}
	containers, err := kept.New(o.keptFolder(), info.ID, policy).Previous(here.name)
	if err != nil {
		o.warn([]project.Warning{{Message: "what is kept of earlier containers cannot all be read: " + err.Error()}})
	}
	wanted := slices.DeleteFunc(containers, func(c kept.Container) bool {
		return !o.wants(here.project, engine.Container{Service: c.Source.Service, Number: c.Source.Number})
	})
	if len(wanted) > 0 {
		return wanted, here.project, nil
	}
	if err := checkServices(here.project, here.containers, o.services); err != nil {
		return nil, nil, err
	}
	whose := "project " + strconv.Quote(here.name)
	if len(o.services) > 0 {
		whose = strings.Join(o.services, ", ")
	}
	return nil, nil, &hinted{
		fmt.Errorf("no earlier containers of %s are known here", whose),
		"their last lines are kept where up, create or scale removes them, on the machine where that is called",
	}
}

// within are the items of a container from the time that the options ask for. All marks are among them.
func within(items []logs.Item, options logs.Options) []logs.Item {
	return slices.DeleteFunc(items, func(item logs.Item) bool {
		return item.Kind == logs.KindLine && (item.Time.Before(options.Since) || !options.Until.IsZero() && item.Time.After(options.Until))
	})
}

// checkPrevious refuses what contradicts.
func (o *logsOptions) checkPrevious() error {
	if o.showPrevious && o.follow {
		return errors.New("--previous and --follow are incompatible: nothing is added to what is kept")
	}
	return nil
}
