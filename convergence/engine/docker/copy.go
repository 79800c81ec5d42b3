package docker

import (
	"context"
	"io"

	"github.com/docker/docker/api/types/container"

	"github.com/muster-dev/muster/convergence/engine"
)

// PutArchive implements [engine.Copies].
func (c *Client) PutArchive(ctx context.Context, ref, folder string, archive io.Reader) error {
	// Without CopyUIDGID the owners are the archive's; with it the engine would give all files to the container's user.
	err := c.wrap(c.api.CopyToContainer(ctx, ref, folder, archive, container.CopyToContainerOptions{}))
	return wrapWords(err, engine.ErrInvalid, "container rootfs is marked read-only") // an error 500 or 403 of older engines
}
