package cli

import (
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

func newImages(g *globals) *cobra.Command {
	return listCommand(g, "images [OPTIONS] [SERVICE...]", "List images used by the created containers", "Only display IDs", runImages)
}

func runImages(ctx context.Context, o *listOptions, here found) error {
	containers := slices.DeleteFunc(here.containers, func(c engine.Container) bool {
		return len(o.services) > 0 && !slices.Contains(o.services, c.Service)
	})
	if o.quiet {
		return o.writeIDs(containers)
	}
	images, err := imagesOf(ctx, here.engine, containers)
	if err != nil {
		return err
	}
	if o.form.Table() {
		return display.ContainerImages(o.app.Out, containers, images, time.Now())
	}
	return display.ContainerImagesBy(o.app.Out, o.form, containers, images)
}

// writeIDs writes the ID of each image once.
func (o *listOptions) writeIDs(containers []engine.Container) error {
	told := map[string]bool{}
	for _, c := range containers {
		if told[c.ImageID] {
			continue
		}
		told[c.ImageID] = true
		_, hex, _ := strings.Cut(c.ImageID, ":")
		if _, err := fmt.Fprintln(o.app.Out, hex); err != nil {
			return err
		}
	}
	return nil
}

// imagesOf looks at the images of containers, each once. One that is gone is left out.
func imagesOf(ctx context.Context, eng engine.Images, containers []engine.Container) (map[string]engine.Image, error) {
	const atOnce = 8
	images := map[string]engine.Image{}
	var ids []string
	for _, c := range containers {
		if !slices.Contains(ids, c.ImageID) {
			ids = append(ids, c.ImageID)
		}
	}
	found := make([]engine.Image, len(ids))
	calls, ctx := errgroup.WithContext(ctx)
	calls.SetLimit(atOnce)
	for i, id := range ids {
		calls.Go(func() (err error) {
			found[i], err = eng.InspectImage(ctx, id)
			if errors.Is(err, engine.ErrNotFound) {
				return nil
			}
			return err
		})
	}
	if err := calls.Wait(); err != nil {
		return nil, fmt.Errorf("look at images: %w", err)
	}
	for i, image := range found {
		if image.ID != "" {
			images[ids[i]] = image
		}
	}
	return images, nil
}
