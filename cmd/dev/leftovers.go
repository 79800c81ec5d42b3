package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/project"
)

// errLeft means that a project that should be gone is not.
var errLeft = errors.New("something is left of the project")

// listLeftovers fails when an engine still has a container, network or volume of the project.
func listLeftovers(ctx context.Context, t tool, args []string) error {
	if len(args) != 1 {
		return errors.New("usage: leftovers PROJECT")
	}
	found, err := required(ctx, t)
	if err != nil {
		return err
	}
	left, err := leftovers(ctx, found, args[0])
	if err := errors.Join(err, found.Close()); err != nil {
		return err
	}
	if len(left) > 0 {
		return fmt.Errorf("%w %q:\n  %s", errLeft, args[0], strings.Join(left, "\n  "))
	}
	t.say("no container, network or volume is left of project %q", args[0])
	return nil
}

// leftovers are told by label, and by name where the label may be missing: a network or volume of the project begins with
// the project's name, and a lock ends with it.
func leftovers(ctx context.Context, from engine.Engine, projectName string) ([]string, error) {
	containers, err := from.ListContainers(ctx, engine.ContainerFilter{Project: projectName})
	if err != nil {
		return nil, fmt.Errorf("list containers: %w", err)
	}
	networks, err := from.ListNetworks(ctx)
	if err != nil {
		return nil, fmt.Errorf("list networks: %w", err)
	}
	volumes, err := from.ListVolumes(ctx)
	if err != nil {
		return nil, fmt.Errorf("list volumes: %w", err)
	}
	belongs := func(name string, labels map[string]string) bool {
		return labels[project.LabelProject] == projectName || strings.HasPrefix(name, projectName+"_") ||
			name == "muster-lock-"+projectName
	}
	var left []string
	for _, container := range containers {
		left = append(left, fmt.Sprintf("container %s (%s)", container.Name, container.Status))
	}
	for _, network := range networks {
		if belongs(network.Name, network.Labels) {
			left = append(left, "network "+network.Name)
		}
	}
	for _, volume := range volumes {
		if belongs(volume.Name, volume.Labels) {
			left = append(left, "volume "+volume.Name)
		}
	}
	return left, nil
}
