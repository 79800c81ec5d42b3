package compare

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/muster-dev/muster/cmd/dev/registry"
	"github.com/muster-dev/muster/convergence/engine"
)

// slow is what the measured pull is like.
const (
	slowTime  = 10 * time.Second
	slowBytes = 10_000_000
	slowImage = "muster-bench/slow:1"

	slowService = "slow"
)

// Pull compares the cold start of a stack, of which one image comes slowly, with that image's way alone: its pull, and the create and
// the start of its container, by bare calls. The second result is when the last of all others was up, in parts of the pull's time.
func (o Options) Pull(ctx context.Context) (results []Result, err error) {
	const services, rounds, room = 20, 3, 1.05
	images, err := o.slowRegistry(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, images.Close()) }()
	m := &mixed{Options: o, registry: images, project: "muster-bench-pull", services: services}
	muster, err := o.musterSide(m.project, m.file())
	if err != nil {
		return nil, err
	}
	muster.do = m.watched(muster.do)
	down := muster.undo
	muster.undo = func(ctx context.Context) error { return errors.Join(down(ctx), m.removePulled(ctx)) }
	total, err := o.ratio(ctx, match{
		what: fmt.Sprintf("up -d of %d services beside one with a slow pull", services), limit: room, rounds: rounds,
	}, m.alone(), muster)
	if err != nil {
		return nil, err
	}
	return []Result{total, {
		What: "the last of these 20 is up, in parts of the pull's time", Value: m.latest, Limit: 1, Unit: "x", Note: m.note,
	}}, nil
}

// slowRegistry starts a registry with the image. Of two layers only one is worth mentioning, for each download is slowed down.
func (o Options) slowRegistry(ctx context.Context) (*registry.Registry, error) {
	images, err := registry.New(ctx, registry.Options{
		Program: o.Registry, Faults: registry.Faults{BytesPerSecond: int(slowBytes / slowTime.Seconds())},
	})
	if err != nil {
		return nil, err
	}
	content := make([]byte, slowBytes-len(o.Program))
	_, _ = rand.Read(content) // never fails
	_, err = images.Push(ctx, slowImage, registry.Image{
		Layers:     [][]byte{registry.Layer(map[string][]byte{o.ProgramPath: o.Program, "/content": content})},
		Entrypoint: []string{o.ProgramPath}, Cmd: []string{"-stay"},
	})
	if err != nil {
		return nil, errors.Join(err, images.Close())
	}
	return images, nil
}

// mixed is a stack of services of which one has an image that is not there yet.
type mixed struct {
	Options
	registry *registry.Registry
	project  string
	services int // beside that one

	// What was seen in this round.
	began, pulled, last time.Time // last is the start of another service
	started             int

	latest float64 // part of the pull's time after which the last other service was up, in the worst round
	note   string
}

func (m *mixed) slow() string { return m.registry.Ref(slowImage) }

func (m *mixed) file() string {
	var file strings.Builder
	fmt.Fprintf(&file, "services:\n  %s: {image: %q}\n", slowService, m.slow())
	for i := range m.services {
		fmt.Fprintf(&file, "  s%d: {image: %q}\n", i, m.Image)
	}
	return file.String()
}

// alone is the slow image's own way. Its network is there before, for Muster makes it during the pull.
func (m *mixed) alone() side {
	raw := bare{Options: m.Options, name: "muster-bench-bare", services: 1}
	raw.Image = m.slow()
	return side{
		name: "bare client", ready: raw.network,
		do: func(ctx context.Context) error {
			request := engine.PullImage{Ref: raw.Image}
			if err := m.Engine.PullImage(ctx, request, func(engine.PullProgress) {}); err != nil {
				return err
			}
			if err := raw.create(ctx, 0); err != nil {
				return err
			}
			return m.Engine.StartContainer(ctx, raw.container(0))
		},
		undo: func(ctx context.Context) error { return errors.Join(raw.remove(ctx), m.removePulled(ctx)) },
	}
}

func (m *mixed) removePulled(ctx context.Context) error {
	return m.registry.RemovePulled(ctx, m.Engine)
}

// watched also notes, from the engine's events, when the pull has ended and the services have started.
func (m *mixed) watched(up func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		m.began, m.started = time.Now(), 0
		subscribed := make(chan struct{})
		both, ctx := errgroup.WithContext(ctx)
		both.Go(func() error {
			err := m.Engine.Events(ctx, engine.EventFilter{}, func() { close(subscribed) }, m.see)
			if errors.Is(err, errSeen) {
				return nil
			}
			return err
		})
		both.Go(func() error {
			select {
			case <-subscribed:
				return up(ctx)
			case <-ctx.Done():
				return ctx.Err()
			}
		})
		if err := both.Wait(); err != nil {
			return err
		}
		m.judge()
		return nil
	}
}

// errSeen says that all services have started.
var errSeen = errors.New("seen")

func (m *mixed) see(event engine.Event) error {
	switch {
	case event.Kind == engine.EventImage && event.Action == "pull" && event.ID == m.slow():
		m.pulled = event.Time
	case event.Kind == engine.EventContainer && event.Action == "start" && event.Project == m.project:
		if event.Service != slowService {
			m.last = event.Time
		}
		if m.started++; m.started > m.services {
			return errSeen
		}
	}
	return nil
}

// judge keeps the worst round.
func (m *mixed) judge() {
	pulled, started := m.pulled.Sub(m.began), m.last.Sub(m.began)
	if part := started.Seconds() / pulled.Seconds(); part > m.latest {
		m.latest = part
		m.note = fmt.Sprintf("in the worst of all rounds: up after %s, pulled after %s",
			started.Round(time.Millisecond), pulled.Round(time.Millisecond))
	}
}
