package docker

import (
	"context"
	"io"

	"github.com/docker/docker/api/types/container"

	"github.com/muster-dev/muster/convergence/engine"
)

// PutArchive implements [engine.Copies].
func (c *Client) PutArchive(ctx context.Context, ref, folder string, archive io.Reader, options engine.PutArchive) error {
	// Without CopyUIDGID the owners are the archive's; with it the engine gives all files to the container's user.
	err := c.wrap(c.api.CopyToContainer(ctx, ref, folder, archive, container.CopyToContainerOptions{CopyUIDGID: options.ToUser}))
	return wrapWords(err, engine.ErrInvalid, "container rootfs is marked read-only") // an error 500 or 403 of older engines
}

// GetArchive implements [engine.Copies].
func (c *Client) GetArchive(ctx context.Context, ref, path string, read func(engine.PathStat, io.Reader) error) error {
	body, found, err := c.api.CopyFromContainer(ctx, ref, path)
	if err != nil {
		return c.wrap(err)
	}
	defer body.Close() //nolint:errcheck // nothing is written through it
	return read(fromPathStat(found), &engineReader{body, c})
}

// engineReader is the body of an answer, whose errors are the engine's.
type engineReader struct {
	body   io.Reader
	client *Client
}

func (a *engineReader) Read(buffer []byte) (int, error) {
	n, err := a.body.Read(buffer)
	if err != nil && err != io.EOF { //nolint:errorlint // a reader's end is never wrapped
		err = a.client.wrap(err)
	}
	return n, err
}

// StatPath implements [engine.Copies].
func (c *Client) StatPath(ctx context.Context, ref, path string) (engine.PathStat, error) {
	found, err := c.api.ContainerStatPath(ctx, ref, path)
	return fromPathStat(found), c.wrap(err)
}

func fromPathStat(found container.PathStat) engine.PathStat {
	return engine.PathStat{Name: found.Name, Size: found.Size, Mode: found.Mode, Modified: found.Mtime, Link: found.LinkTarget}
}

// ExportContainer implements [engine.Copies].
func (c *Client) ExportContainer(ctx context.Context, ref string, to io.Writer) error {
	body, err := c.api.ContainerExport(ctx, ref)
	if err != nil {
		return c.wrap(err)
	}
	defer body.Close() //nolint:errcheck // nothing is written through it
	_, err = io.Copy(to, &engineReader{body, c})
	return err
}
