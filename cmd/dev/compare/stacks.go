package compare

import (
	"context"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/project"
)

// atOnce is how many calls the bare client has in flight.
const atOnce = 16

// Independent compares the start of many services that do not depend on each other.
func (o Options) Independent(ctx context.Context) (Result, error) {
	const services = 50
	var file strings.Builder
	file.WriteString("services:\n")
	for i := range services {
		fmt.Fprintf(&file, "  s%d: {image: %q}\n", i, o.Image)
	}
	muster, err := o.musterSide("muster-bench-many", file.String())
	if err != nil {
		return Result{}, err
	}
	raw := bare{Options: o, name: "muster-bench-bare", services: services}
	return o.ratio(ctx, o.usual(fmt.Sprintf("up -d of %d independent services", services)), side{
		name: "bare client", do: raw.independent, undo: raw.remove,
	}, muster)
}

// probeInterval is how often health is asked for in the chain.
const probeInterval = 200 * time.Millisecond

// Chain compares a chain of services of which each waits for the health of the one before.
func (o Options) Chain(ctx context.Context) (Result, error) {
	const services = 8
	var file strings.Builder
	file.WriteString("services:\n")
	for i := range services {
		fmt.Fprintf(&file, "  s%d:\n    image: %q\n    healthcheck: {test: [CMD, %s], interval: %s}\n",
			i, o.Image, strings.Join(o.Probe, ", "), probeInterval)
		if i > 0 {
			fmt.Fprintf(&file, "    depends_on: {s%d: {condition: service_healthy}}\n", i-1)
		}
	}
	muster, err := o.musterSide("muster-bench-chain", file.String())
	if err != nil {
		return Result{}, err
	}
	raw := bare{Options: o, name: "muster-bench-bare", services: services, health: true}
	return o.ratio(ctx, o.usual(fmt.Sprintf("a chain of %d services with service_healthy, %s", services, probeInterval)), side{
		name: "bare client", do: raw.chain, undo: raw.remove,
	}, muster)
}

// bare does with plain calls what a stack needs.
type bare struct {
	Options
	name     string
	services int
	health   bool
}

func (b bare) container(i int) string { return fmt.Sprintf("%s-s%d-1", b.name, i) }

func (b bare) create(ctx context.Context, i int) error {
	service := project.Service{Name: fmt.Sprintf("s%d", i)}
	if b.health {
		interval := project.Duration(probeInterval)
		service.HealthCheck = &project.HealthCheck{Test: append([]string{"CMD"}, b.Probe...), Interval: &interval}
	}
	_, err := b.Engine.CreateContainer(ctx, engine.CreateContainer{
		Name: b.container(i), Service: service, Image: b.Image, Number: 1,
		Labels:   map[string]string{project.LabelProject: b.name},
		Networks: []engine.Endpoint{{Network: b.name, Aliases: []string{service.Name}}},
	})
	return err
}

func (b bare) network(ctx context.Context) error {
	_, err := b.Engine.CreateNetwork(ctx, engine.CreateNetwork{Name: b.name})
	return err
}

func (b bare) each(ctx context.Context, do func(ctx context.Context, i int) error) error {
	calls, ctx := errgroup.WithContext(ctx)
	calls.SetLimit(atOnce)
	for i := range b.services {
		calls.Go(func() error { return do(ctx, i) })
	}
	return calls.Wait()
}

func (b bare) independent(ctx context.Context) error {
	if err := b.network(ctx); err != nil {
		return err
	}
	return b.each(ctx, func(ctx context.Context, i int) error {
		if err := b.create(ctx, i); err != nil {
			return err
		}
		return b.Engine.StartContainer(ctx, b.container(i))
	})
}

// chain creates all containers and starts each on the health event of the one before.
func (b bare) chain(ctx context.Context) error {
	if err := b.network(ctx); err != nil {
		return err
	}
	if err := b.each(ctx, b.create); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	next, failed := 0, error(nil)
	start := func() {
		if next == b.services {
			cancel()
			return
		}
		if failed = b.Engine.StartContainer(ctx, b.container(next)); failed != nil {
			cancel()
		}
		next++
	}
	err := b.Engine.Events(ctx, engine.EventFilter{Project: b.name}, start, func(event engine.Event) error {
		// As with the last service of the file, nobody waits for the last one's health.
		if event.Health == engine.HealthHealthy {
			start()
		}
		if next == b.services {
			cancel()
		}
		return nil
	})
	if failed != nil {
		return failed
	}
	if next < b.services {
		return err
	}
	return nil
}

func (b bare) remove(ctx context.Context) error {
	err := b.each(ctx, func(ctx context.Context, i int) error {
		return b.Engine.RemoveContainer(ctx, b.container(i), engine.RemoveContainer{Force: true})
	})
	if err != nil {
		return err
	}
	return b.Engine.RemoveNetwork(ctx, b.name)
}
