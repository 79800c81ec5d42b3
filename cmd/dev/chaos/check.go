package chaos

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/project"
)

// seen is what the engine has of the project.
type seen struct {
	containers []engine.Container
	networks   []engine.Network
	volumes    []engine.Volume
}

func (r *run) look(ctx context.Context) (s seen, err error) {
	if s.containers, err = r.Engine.ListContainers(ctx, engine.ContainerFilter{Project: Project, Hooks: true}); err != nil {
		return s, fmt.Errorf("list containers: %w", err)
	}
	networks, err := r.Engine.ListNetworks(ctx)
	if err != nil {
		return s, fmt.Errorf("list networks: %w", err)
	}
	volumes, err := r.Engine.ListVolumes(ctx)
	if err != nil {
		return s, fmt.Errorf("list volumes: %w", err)
	}
	for _, network := range networks {
		if network.Labels[project.LabelProject] == Project {
			s.networks = append(s.networks, network)
		}
	}
	for _, volume := range volumes {
		if volume.Labels[project.LabelProject] == Project || volume.Labels[project.LabelFiles] == Project {
			s.volumes = append(s.volumes, volume)
		}
	}
	return s, nil
}

// asWanted says all that is wrong with what an up has left: more or less than the stack, names, states and restart policies.
func (r *run) asWanted(ctx context.Context) error {
	now, err := r.look(ctx)
	if err != nil {
		return err
	}
	wanted := r.stack.containers(Project)
	var wrong []error
	for _, c := range now.containers {
		if !wanted[c.Name] {
			wrong = append(wrong, fmt.Errorf("debris: container %s (%s)", c.Name, c.Status))
			continue
		}
		delete(wanted, c.Name)
		details, err := r.Engine.InspectContainer(ctx, c.ID)
		if err != nil {
			return fmt.Errorf("look at container %s: %w", c.Name, err)
		}
		if policy := policies()[c.Service]; details.Restart.Name != policy {
			wrong = append(wrong, fmt.Errorf("%s has restart policy %q, not %q", c.Name, details.Restart.Name, policy))
		}
		if c.Service != "job" && c.State != engine.StateRunning {
			wrong = append(wrong, fmt.Errorf("%s does not run: %s", c.Name, c.Status))
		}
	}
	for name := range wanted {
		wrong = append(wrong, fmt.Errorf("container %s is missing", name))
	}
	return errors.Join(append(wrong, now.things()...)...)
}

// things looks for second networks, and for volumes of secrets that nobody has.
func (s seen) things() (wrong []error) {
	names := map[string]int{}
	for _, network := range s.networks {
		names["network "+network.Name]++
	}
	for name, count := range names {
		if count > 1 {
			wrong = append(wrong, fmt.Errorf("%d of %s", count, name))
		}
	}
	for _, volume := range s.volumes {
		mounted := slices.ContainsFunc(s.containers, func(c engine.Container) bool {
			return slices.ContainsFunc(c.Mounts, func(m engine.MountPoint) bool { return m.Name == volume.Name })
		})
		if !mounted && volume.Labels[project.LabelFiles] != "" {
			wrong = append(wrong, fmt.Errorf("debris: volume %s", volume.Name))
		}
	}
	return wrong
}

// data is what tells the volume with data from another of that name: when and by whom it was made.
func (s seen) data() string {
	for _, volume := range s.volumes {
		if strings.HasSuffix(volume.Name, "_data") {
			return volume.Labels[project.LabelSpec]
		}
	}
	return ""
}
