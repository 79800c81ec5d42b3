package cli

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/muster-dev/muster/cmd/display"
	"github.com/muster-dev/muster/convergence/engine"
)

type statsOptions struct {
	*globals
	services []string
	all      bool
	format   string
	form     display.Form
	noStream bool
	noTrunc  bool
}

func newStats(g *globals) *cobra.Command {
	o := &statsOptions{globals: g}
	cmd := &cobra.Command{
		Use: "stats [OPTIONS] [SERVICE]", Short: "Display a live stream of container(s) resource usage statistics",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.services = args
			return runStats(cmd.Context(), o)
		},
	}
	flags := cmd.Flags()
	flags.BoolVarP(&o.all, "all", "a", false, "Show all containers (default shows just running)")
	flags.StringVar(&o.format, formatFlag, "", listFormats)
	flags.BoolVar(&o.noStream, "no-stream", false, "Disable streaming stats and only pull the first result")
	flags.BoolVar(&o.noTrunc, "no-trunc", false, "Do not truncate output")
	return cmd
}

func runStats(ctx context.Context, o *statsOptions) (err error) {
	if o.form, err = display.ParseForm(o.format); err != nil {
		return err
	}
	here, err := o.look(ctx, o.services)
	if err != nil {
		return err
	}
	defer here.engine.Close() //nolint:errcheck // nothing is left to be said to the engine
	if o.noStream {
		containers := slices.DeleteFunc(here.containers, func(c engine.Container) bool { return !o.wants(c) })
		usage, err := usageOf(ctx, here.engine, containers)
		if err != nil {
			return err
		}
		return display.Stats(o.app.Out, o.form, o.noTrunc, usage)
	}
	group, ctx := errgroup.WithContext(ctx)
	l := &liveStats{
		o: o, name: here.name, engine: here.engine, group: group, changes: make(chan statsChange),
		known: map[string]*watchedUsage{}, screen: display.Screen{Streams: o.app.Streams},
	}
	group.Go(func() error { return l.follow(ctx) })
	group.Go(func() error { return l.show(ctx) })
	return group.Wait()
}

func (o *statsOptions) wants(c engine.Container) bool {
	return isNamed(o.services, c) && (o.all || c.Running())
}

// usageOf measures once. A container that is gone meanwhile is left out.
func usageOf(ctx context.Context, eng engine.Monitors, containers []engine.Container) ([]display.Usage, error) {
	const atOnce = 64 // each takes about two seconds, in which there is nothing to do
	usage := make([]display.Usage, len(containers))
	calls, ctx := errgroup.WithContext(ctx)
	calls.SetLimit(atOnce)
	for i, c := range containers {
		calls.Go(func() error {
			err := eng.Stats(ctx, c.ID, true, func(stats engine.Stats) error {
				usage[i] = display.Usage{ID: c.ID, Name: c.Name, Stats: &stats}
				return nil
			})
			if err != nil && !errors.Is(err, engine.ErrNotFound) {
				return fmt.Errorf("measure container %q: %w", c.Name, err)
			}
			return nil
		})
	}
	err := calls.Wait()
	return slices.DeleteFunc(usage, func(u display.Usage) bool { return u.ID == "" }), err
}

// liveStats shows what containers use, as it changes: a stream for each of them, and only the newest numbers are kept.
type liveStats struct {
	o      *statsOptions
	name   string // of the project
	engine *engine.Hub
	group  *errgroup.Group

	changes chan statsChange
	// What follows only show's goroutine touches.
	known  map[string]*watchedUsage // by ID
	screen display.Screen
}

// watchedUsage is a container of which a stream tells.
type watchedUsage struct {
	display.Usage
	end context.CancelFunc // of its stream
}

// statsChange is that a container is to be shown, has other numbers, or is to be shown no more.
type statsChange struct {
	container engine.Container
	stats     *engine.Stats // nil where there are no numbers yet
	gone      bool
}

func (l *liveStats) tell(ctx context.Context, change statsChange) error {
	select {
	case l.changes <- change:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// follow looks which containers there are, first and at every event that can change it.
func (l *liveStats) follow(ctx context.Context) error {
	looked := func() error {
		containers, err := l.engine.ListContainers(ctx, engine.ContainerFilter{Project: l.name})
		if err != nil {
			return fmt.Errorf("list containers of project %q: %w", l.name, err)
		}
		for _, c := range containers {
			if err := l.tell(ctx, statsChange{container: c, gone: !l.o.wants(c)}); err != nil {
				return err
			}
		}
		return nil
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	ready := func() {
		if err := looked(); err != nil {
			cancel(err)
		}
	}
	err := l.engine.Events(ctx, engine.EventFilter{Project: l.name}, ready, func(event engine.Event) error {
		switch {
		case event.Action == "destroy":
			return l.tell(ctx, statsChange{container: engine.Container{ID: event.ID}, gone: true})
		case slices.Contains([]string{"create", "start", "die", "rename"}, event.Action), event.Kind == engine.EventResync:
			return looked()
		}
		return nil
	})
	return cmp.Or(context.Cause(ctx), err)
}

// show draws the numbers when they have changed, but not more often than one can read.
func (l *liveStats) show(ctx context.Context) error {
	const pause = 500 * time.Millisecond
	var due <-chan time.Time
	for {
		select {
		case change := <-l.changes:
			l.take(ctx, change)
			if due == nil {
				due = time.After(pause)
			}
		case <-due:
			due = nil
			if err := l.draw(); err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (l *liveStats) take(ctx context.Context, change statsChange) {
	c := change.container
	watched, known := l.known[c.ID]
	switch {
	case change.gone && known:
		watched.end()
		delete(l.known, c.ID)
	case change.gone:
	case known:
		watched.Name = cmp.Or(c.Name, watched.Name)
		if change.stats != nil {
			watched.Stats = change.stats
		}
	case change.stats == nil:
		stream, end := context.WithCancel(ctx)
		l.known[c.ID] = &watchedUsage{display.Usage{ID: c.ID, Name: c.Name}, end}
		l.group.Go(func() error { return l.measure(stream, c) })
	}
}

// measure follows one container, until it is gone.
func (l *liveStats) measure(ctx context.Context, c engine.Container) error {
	err := l.engine.Stats(ctx, c.ID, false, func(stats engine.Stats) error {
		return l.tell(ctx, statsChange{container: engine.Container{ID: c.ID}, stats: &stats})
	})
	if ctx.Err() != nil || errors.Is(err, engine.ErrNotFound) {
		return nil // that the user has had enough is told by the others
	}
	return err
}

// draw writes what is known: over what stood there before on a terminal, of which it takes no more lines than there are.
func (l *liveStats) draw() error {
	usage := make([]display.Usage, 0, len(l.known))
	for _, watched := range l.known {
		usage = append(usage, watched.Usage)
	}
	slices.SortFunc(usage, func(a, b display.Usage) int { return cmp.Compare(a.Name, b.Name) })
	if !l.o.app.OutTerminal || l.o.form.JSON {
		return display.Stats(l.o.app.Out, l.o.form, l.o.noTrunc, usage)
	}
	var text bytes.Buffer
	if err := display.Stats(&text, l.o.form, l.o.noTrunc, usage); err != nil {
		return err
	}
	return l.screen.Draw(strings.Split(strings.TrimSuffix(text.String(), "\n"), "\n"))
}
