package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/muster-dev/muster/cmd/display"
	"github.com/muster-dev/muster/convergence"
	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/plan"
	"github.com/muster-dev/muster/convergence/step"
	"github.com/muster-dev/muster/logs"
	"github.com/muster-dev/muster/project"
)

// lateness is how long news of what has happened already may take: that containers were started or have ended.
const lateness = 2 * time.Second

// follower prints the logs of an attached `up`.
type follower struct {
	eng      engine.Engine
	project  *project.Project
	services []string // that were named; empty means all
	attach   attachOptions
	ending   *ending
	options  logs.PrinterOptions
	chain    *logChain
	// formatted says that lines are for programs: nothing of ours stands between them.
	formatted bool
	out, err  switchWriter

	group    errgroup.Group
	cancel   context.CancelFunc
	ready    chan struct{}
	starting chan struct{}
	ended    chan struct{} // closed once nothing is followed any more; failure says why
	failure  error

	printing sync.Mutex
	direct   direct
	heard    func(convergence.Event) // what the plan starts; set once it is followed

	mutex sync.Mutex
	due   map[string]bool // containers that the plan has started and whose start the logs have not come to yet
	come  map[string]bool // the other way round
	news  chan struct{}   // holds a token after a change of these
}

func (o *upOptions) newFollower(eng engine.Engine, p *project.Project, made *plan.Plan, looks display.Looks) *follower {
	f := &follower{
		eng: eng, project: p, services: o.services, formatted: o.formatted(), attach: o.attachOptions, ending: newEnding(o.attachOptions, p, made),
		cancel: func() {},
		ready:  make(chan struct{}), starting: make(chan struct{}), ended: make(chan struct{}),
		due: map[string]bool{}, come: map[string]bool{}, news: make(chan struct{}, 1), direct: direct{ended: map[string]chan struct{}{}},
		heard: func(convergence.Event) {},
	}
	f.options = logs.PrinterOptions{
		Stdout: &f.out, Stderr: &f.err, Split: true, NoPrefix: o.noPrefix, Timestamps: o.timestamp,
		Color: looks.ColorOut && !o.noColor, Raw: !o.app.OutTerminal,
		Marks: marks(o.app.OutTerminal, false),
	}
	f.options.Names, f.options.Services = f.names(made), serviceNames(found{project: p})
	f.chain = o.chain(f.options, nil)
	return f
}

// names are what the logs call the containers that the plan leaves running or starts, sorted.
func (f *follower) names(made *plan.Plan) []string {
	containers := map[string]string{} // service by name
	for _, kept := range made.Unchanged {
		if kept.Object.Kind == step.Container {
			containers[kept.Object.Name] = kept.Ref.Name
		}
	}
	for _, node := range made.Nodes {
		if node.Step.Action() == "start" {
			containers[node.Step.Object().Name] = node.Step.Ref().Name
		}
	}
	var names []string
	for name, service := range containers {
		if container := containerOf(made.Project, service, name); f.wants(container) {
			names = append(names, logs.SourceOf(container).Name())
		}
	}
	slices.Sort(names)
	return names
}

// containerOf is a replica by the name that it has.
func containerOf(project, service, name string) engine.Container {
	number, _ := strconv.Atoi(name[strings.LastIndexAny(name, "-_")+1:])
	return engine.Container{Project: project, Service: service, Number: number, Name: name}
}

// wants says whether a container's lines are to be shown.
func (f *follower) wants(container engine.Container) bool {
	service, ok := f.project.Services[container.Service]
	return ok && f.attach.shows(service, f.services)
}

// hears says whether a container is to be followed: what is shown, and what may end it all.
func (f *follower) hears(container engine.Container) bool {
	return f.wants(container) || f.ending.concerns(container.Service)
}

// printTo changes where lines go.
func (f *follower) printTo(out, err io.Writer) {
	f.out.set(out)
	f.err.set(err)
}

// begin follows from now on, through interrupts too; it returns when nothing that starts afterwards can be missed.
func (f *follower) begin(ctx context.Context, made *plan.Plan) {
	if len(f.options.Names) > 0 && !f.formatted {
		_, _ = fmt.Fprintf(&f.out, "Attaching to %s\n", strings.Join(f.options.Names, ", "))
	}
	following, cancel := context.WithCancel(context.WithoutCancel(ctx))
	f.cancel = cancel
	f.group.Go(func() error {
		defer close(f.ended)
		f.failure = f.follow(following)
		return nil
	})
	select {
	case <-f.ready:
	case <-f.ended:
	}
	f.heard = func(event convergence.Event) { f.listenBefore(following, event) }
	f.listenToKept(following, made)
}

func (f *follower) follow(ctx context.Context) error {
	err := logs.Follow(ctx, f.eng, logs.Options{
		Project: f.project.Name, Follow: true, Starting: f.starting, Filter: f.hears,
		Ready: func() { close(f.ready) },
	}, func(item logs.Item) error { return f.print(ctx, item) })
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

func (f *follower) print(ctx context.Context, item logs.Item) error {
	if item.Kind == logs.KindStarted {
		f.note(f.come, f.due, item.Source.Container)
	}
	f.ending.note(item)
	if !f.wants(engine.Container{Service: item.Source.Service}) || !f.overheard(ctx, item) {
		return nil
	}
	return f.show(item)
}

// show is safe for concurrent use.
func (f *follower) show(item logs.Item) error {
	f.printing.Lock()
	defer f.printing.Unlock()
	return f.chain.sink(item)
}

// hookLine prints what a hook wrote, as its container's.
func (f *follower) hookLine(event convergence.Event) {
	if !f.wants(engine.Container{Service: event.Step.Ref().Name}) {
		return
	}
	source := logs.Source{Container: f.hookName(event) + " ->"}
	line := logs.Line{Source: source, Stream: event.Progress.Hook.Stream, Time: event.Time, Text: event.Progress.Hook.Data}
	_ = f.show(logs.Item{Kind: logs.KindLine, Line: line}) // a terminal that takes no more is told of by the containers' lines
}

// hookName is what a hook's lines begin with: its container's name, or, as docker compose has it, "web pre_start[0]".
func (f *follower) hookName(event convergence.Event) string {
	switch hook := event.Step.(type) {
	case step.RunHook:
		container := engine.Container{Project: f.project.Name, Service: hook.Service, Number: hook.Replica, Name: event.Object.Name}
		return logs.SourceOf(container).Name()
	case step.RunPreStart:
		return fmt.Sprintf("%s pre_start[%d]", hook.Service, hook.Index)
	}
	return event.Object.Name
}

// applied is a [convergence.Sink]: it learns what the plan starts, and what hooks write.
func (f *follower) applied(event convergence.Event) {
	if event.Progress.Hook != nil {
		f.hookLine(event)
	}
	f.heard(event)
	started := event.Phase == convergence.Done && event.Step.Action() == "start" && !event.Undo
	if started && f.hears(engine.Container{Service: event.Step.Ref().Name}) {
		f.note(f.due, f.come, event.Object.Name)
	}
}

// note settles a start of which both sides have told by now, or keeps it until the other side does.
func (f *follower) note(told, other map[string]bool, name string) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	if other[name] {
		delete(other, name)
	} else {
		told[name] = true
	}
	select {
	case f.news <- struct{}{}:
	default:
	}
}

func (f *follower) outstanding() bool {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	return len(f.due) > 0
}

// allStarted says that nothing more is going to be started, as soon as the logs have come to the starts that were: the news of
// one that has ended again at once may still be on its way.
func (f *follower) allStarted(ctx context.Context) {
	defer close(f.starting)
	late := time.NewTimer(lateness)
	defer late.Stop()
	for f.outstanding() {
		select {
		case <-f.news:
		case <-f.ended:
			return
		case <-ctx.Done():
			return
		case <-late.C:
			return
		}
	}
}

// finish waits for the last words of containers that were stopped.
func (f *follower) finish() { awaitLate(f.ended) }

// awaitLate waits for news that may be late, but not for ever.
func awaitLate(news <-chan struct{}) {
	late := time.NewTimer(lateness)
	defer late.Stop()
	select {
	case <-news:
	case <-late.C:
	}
}

// stop ends the following, wherever it is.
func (f *follower) stop() {
	f.cancel()
	_ = f.group.Wait()
	_ = f.chain.closed(nil) // a terminal that takes no more is told of by the lines before
}
