package main

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/project"
)

// listing is an engine that only lists.
type listing struct {
	engine.Engine
	failure error
}

func (l listing) ListContainers(_ context.Context, filter engine.ContainerFilter) ([]engine.Container, error) {
	if filter.Project != "shop" {
		return nil, errors.New("asked for another project's containers")
	}
	return []engine.Container{{Name: "shop-web-1", Status: "Exited (0)"}}, nil
}

func (l listing) ListNetworks(context.Context) ([]engine.Network, error) {
	return []engine.Network{{Name: "bridge"}, {Name: "shop_default"}, {Name: "shopping_default"}}, nil
}

func (l listing) ListVolumes(context.Context) ([]engine.Volume, error) {
	return []engine.Volume{
		{Name: "named", Labels: map[string]string{project.LabelProject: "shop"}},
		{Name: "muster-lock-shop"},
		{Name: "muster-lock-shop2"},
	}, l.failure
}

func TestLeftovers(t *testing.T) {
	t.Parallel()
	got, err := leftovers(t.Context(), listing{}, "shop")
	want := []string{"container shop-web-1 (Exited (0))", "network shop_default", "volume named", "volume muster-lock-shop"}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("leftovers = %q, %v, want %q", got, err, want)
	}
	gone := errors.New("gone")
	if _, err := leftovers(t.Context(), listing{failure: gone}, "shop"); !errors.Is(err, gone) {
		t.Errorf("leftovers = %v", err)
	}
}
