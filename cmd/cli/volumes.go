package cli

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/muster-dev/muster/cmd/display"
	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/project"
)

func newVolumes(g *globals) *cobra.Command {
	return listCommand(g, "volumes [OPTIONS] [SERVICE...]", "List volumes", "Only display volume names", runVolumes)
}

func runVolumes(ctx context.Context, o *listOptions, here found) error {
	volumes, err := here.engine.ListVolumes(ctx)
	if err != nil {
		return fmt.Errorf("list volumes: %w", err)
	}
	volumes = slices.DeleteFunc(volumes, func(v engine.Volume) bool {
		return v.Labels[project.LabelProject] != here.name || len(o.services) > 0 && !usesVolume(here.containers, o.services, v.Name)
	})
	if o.quiet {
		for _, volume := range volumes {
			if _, err := fmt.Fprintln(o.app.Out, volume.Name); err != nil {
				return err
			}
		}
		return nil
	}
	if o.form.Table() {
		return display.Volumes(o.app.Out, volumes)
	}
	return display.VolumesBy(o.app.Out, o.form, volumes)
}

// usesVolume says whether a container of one of the services mounts a volume.
func usesVolume(containers []engine.Container, services []string, volume string) bool {
	return slices.ContainsFunc(containers, func(c engine.Container) bool {
		return slices.Contains(services, c.Service) &&
			slices.ContainsFunc(c.Mounts, func(m engine.MountPoint) bool { return m.Name == volume })
	})
}
