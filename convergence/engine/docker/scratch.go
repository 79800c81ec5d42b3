package docker

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/image"

	"github.com/muster-dev/muster/convergence/engine"
)

// LabelContent is the digest of what a scratch image was made of: an image that carries it need not be made again.
const LabelContent = "dev.muster.content"

// ScratchImage is an image made of files alone, without a Dockerfile, a builder or a base: what tests and examples run.
type ScratchImage struct {
	Ref     string   // the reference that it gets, "muster-test/box:latest"
	Tags    []string // further references to it, "muster-test/box:1.2"
	Files   map[string]ScratchFile
	Folders map[string]fs.FileMode // beyond those that the files are in: "/tmp": 0o1777
	Archive []byte                 // a whole file system as a tar, in place of Files and Folders

	Entrypoint  []string
	Cmd         []string
	Env         map[string]string
	Expose      []string // "8080/tcp"
	HealthCheck *ScratchHealth
	User        string
	WorkingDir  string
	StopSignal  string
	Labels      map[string]string
	Volumes     []string // targets
}

// ScratchFile is a file of a scratch image. A zero mode means 0755: most are programs.
type ScratchFile struct {
	Content []byte
	Mode    fs.FileMode
}

// ScratchHealth is a health check; what is zero is left to the engine.
type ScratchHealth struct {
	Test          []string // a command, without a leading "CMD"
	Interval      time.Duration
	Timeout       time.Duration
	StartPeriod   time.Duration
	StartInterval time.Duration
	Retries       int
}

// ImportImage makes the image and returns its ID. When the reference stands for an image of the same content already, that
// is the answer and nothing is sent; an image that the reference stood for before goes, unless something still uses it.
// (Engine API, POST /images/create with fromSrc.)
func (c *Client) ImportImage(ctx context.Context, wanted ScratchImage) (id string, err error) {
	content, err := wanted.archive()
	if err != nil {
		return "", fmt.Errorf("make image %q: %w", wanted.Ref, err)
	}
	digest, changes := wanted.digest(content)
	before, err := c.InspectImage(ctx, wanted.Ref)
	switch {
	case err == nil && before.Labels[LabelContent] == digest:
		return before.ID, nil
	case err != nil && !errors.Is(err, engine.ErrNotFound):
		return "", err
	}
	changes, byCommit := c.splitChanges(changes)
	source := image.ImportSource{Source: bytes.NewReader(content), SourceName: "-"}
	body, err := c.api.ImageImport(ctx, source, wanted.Ref, image.ImportOptions{Changes: changes})
	if err != nil {
		return "", c.wrap(err)
	}
	defer body.Close() //nolint:errcheck // nothing is written through it
	if id, err = readImport(body); err != nil {
		return "", fmt.Errorf("import image %q: %w", wanted.Ref, c.wrap(err))
	}
	if byCommit {
		if id, err = c.commitStopSignal(ctx, wanted); err != nil {
			return "", err
		}
	}
	for _, tag := range wanted.Tags {
		if err := c.api.ImageTag(ctx, wanted.Ref, tag); err != nil {
			return "", c.wrap(err)
		}
	}
	return id, c.removeNameless(ctx, before.ID)
}

// importsStopSignal is the API from which an import takes the signal that ends a container.
const importsStopSignal = "1.42"

// splitChanges takes out of an import's changes the one that old engines refuse there.
func (c *Client) splitChanges(changes []string) (taken []string, hasRefused bool) {
	if !c.olderThan(importsStopSignal) {
		return changes, false
	}
	taken = slices.DeleteFunc(slices.Clone(changes), func(change string) bool { return strings.HasPrefix(change, "STOPSIGNAL ") })
	return taken, len(taken) < len(changes)
}

// commitStopSignal gives an image its signal by way of a container that is never started.
func (c *Client) commitStopSignal(ctx context.Context, wanted ScratchImage) (id string, err error) {
	made, err := c.api.ContainerCreate(ctx, &container.Config{Image: wanted.Ref, StopSignal: wanted.StopSignal}, nil, nil, nil, "")
	if err != nil {
		return "", c.wrap(err)
	}
	defer func() {
		removal := container.RemoveOptions{Force: true, RemoveVolumes: true}
		err = errors.Join(err, c.wrap(c.api.ContainerRemove(context.WithoutCancel(ctx), made.ID, removal)))
	}()
	answer, err := c.api.ContainerCommit(ctx, made.ID, container.CommitOptions{Reference: wanted.Ref})
	return answer.ID, c.wrap(err)
}

// removeNameless removes an image that has no name any more, unless something uses it. An empty ID is no image.
func (c *Client) removeNameless(ctx context.Context, id string) error {
	if id == "" {
		return nil
	}
	found, err := c.InspectImage(ctx, id)
	if err == nil && len(found.Tags) == 0 {
		err = c.RemoveImage(ctx, id)
	}
	if errors.Is(err, engine.ErrConflict) || errors.Is(err, engine.ErrNotFound) {
		return nil
	}
	return err
}

// RemoveImage removes a reference, and the image with its last one. [engine.ErrNotFound] when there is none,
// [engine.ErrConflict] while a container uses it.
func (c *Client) RemoveImage(ctx context.Context, ref string) error {
	_, err := c.api.ImageRemove(ctx, ref, image.RemoveOptions{PruneChildren: true})
	return c.wrap(err)
}

// readImport returns the ID that the engine's last message names.
func readImport(body io.Reader) (id string, err error) {
	for decoder := json.NewDecoder(body); ; {
		var message pullMessage
		if err := decoder.Decode(&message); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return "", err
		}
		if message.Failure != nil {
			return "", errors.New(message.Failure.Message)
		}
		id = message.Status
	}
	if !strings.HasPrefix(id, "sha256:") {
		return "", fmt.Errorf("the engine did not name the image: %q: %w", id, io.ErrUnexpectedEOF)
	}
	return id, nil
}
