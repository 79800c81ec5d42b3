package docker

import (
	"context"
	"fmt"
	"io"

	"github.com/muster-dev/muster/convergence/engine"
)

// loadImage brings the images of an archive into the engine under their names (Engine API, POST /images/load).
func (c *Client) loadImage(ctx context.Context, archive io.Reader) error {
	answer, err := c.api.ImageLoad(ctx, archive)
	if err != nil {
		return fmt.Errorf("load image: %w", c.wrap(err))
	}
	defer answer.Body.Close() //nolint:errcheck // nothing is written through it
	if err := readPull(answer.Body, func(engine.PullProgress) {}); err != nil {
		return fmt.Errorf("load image: %w", c.wrap(err))
	}
	return nil
}

// saveImage is the archive of an image (Engine API, GET /images/get).
func (c *Client) saveImage(ctx context.Context, ref string) (io.ReadCloser, error) {
	archive, err := c.api.ImageSave(ctx, []string{ref})
	if err != nil {
		return nil, fmt.Errorf("save image %q: %w", ref, c.wrap(err))
	}
	return archive, nil
}
