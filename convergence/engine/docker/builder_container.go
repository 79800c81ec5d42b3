package docker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/system"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/engine/docker/buildx"
)

// What buildx calls the containers of its builders, and what is in them.
const (
	builderPrefix    = "buildx_buildkit_"
	builderState     = "_state" // after the container's name, the volume
	builderStatePath = "/var/lib/buildkit"
	builderConfig    = "buildkitd.toml"
	builderEtc       = "/etc"
	builderFolder    = "buildkit" // in builderEtc
	builderImage     = "moby/buildkit:buildx-stable-1"
)

// builderContainer is a BuildKit in a container of an engine's, a node of the driver docker-container.
type builderContainer struct {
	client  *Client
	node    buildx.Node
	builder string

	mutex sync.Mutex
	ready bool // it has been seen to run
}

func (b *builderContainer) name() string { return builderPrefix + b.node.Name }

// connect is a connection through a program in the container, which is made and started where it has to be.
func (b *builderContainer) connect(ctx context.Context) (net.Conn, error) {
	if err := b.prepare(ctx); err != nil {
		return nil, err
	}
	return b.client.tunnel(ctx, b.name(), []string{"buildctl", "dial-stdio"})
}

// prepare sees to it that the container runs, once.
func (b *builderContainer) prepare(ctx context.Context) error {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if b.ready {
		return nil
	}
	seen, err := b.client.api.ContainerInspect(ctx, b.name())
	err = b.client.wrap(err)
	switch {
	case errors.Is(err, engine.ErrNotFound):
		if err := b.create(ctx); err != nil {
			return err
		}
	case err != nil:
		return err
	case seen.State != nil && seen.State.Paused:
		return &advised{fmt.Errorf("container %s is paused", b.name()), "run `docker unpause " + b.name() + "`"}
	case seen.State != nil && seen.State.Running:
		b.ready = true
		return nil
	}
	if err := b.client.api.ContainerStart(ctx, b.name(), container.StartOptions{}); err != nil {
		return fmt.Errorf("start container %s: %w", b.name(), b.client.wrap(err))
	}
	if err := b.await(ctx); err != nil {
		return err
	}
	b.ready = true
	return nil
}

// await returns when the BuildKit answers. It is asked again and again: no event tells of that.
func (b *builderContainer) await(ctx context.Context) error {
	const (
		attempts = 25
		longer   = 50 * time.Millisecond
	)
	for attempt := 1; ; attempt++ {
		var said bytes.Buffer
		code, err := b.client.Exec(ctx, b.name(), engine.Exec{Command: []string{"buildctl", "debug", "workers"}}, func(frame engine.Frame) error {
			_, _ = said.Write(frame.Data)
			return nil
		})
		switch {
		case err != nil:
			return fmt.Errorf("start container %s: %w", b.name(), err)
		case code == 0:
			return nil
		case attempt == attempts:
			return &advised{
				fmt.Errorf("container %s does not answer: %s", b.name(), lastLine(said.String())), "see `docker logs " + b.name() + "`",
			}
		}
		again := time.NewTimer(time.Duration(attempt) * longer)
		select {
		case <-again.C:
		case <-ctx.Done():
			again.Stop()
			return ctx.Err()
		}
	}
}

func lastLine(text string) string {
	text = strings.TrimSpace(text)
	return text[strings.LastIndexByte(text, '\n')+1:]
}

// create makes the container as buildx does, of an image that is there.
func (b *builderContainer) create(ctx context.Context) error {
	hint := "run `docker buildx inspect --bootstrap " + b.builder + "`, which makes it"
	config, host, err := b.config()
	if err != nil {
		return &advised{fmt.Errorf("make container %s: %w", b.name(), err), hint}
	}
	if _, err := b.client.InspectImage(ctx, config.Image); errors.Is(err, engine.ErrNotFound) {
		return &advised{
			&apiError{engine.ErrNotFound, fmt.Errorf("make container %s: the engine does not have its image %s", b.name(), config.Image)},
			"run `docker pull " + config.Image + "`, or `docker buildx inspect --bootstrap " + b.builder + "`",
		}
	} else if err != nil {
		return err
	}
	info, err := b.client.api.Info(ctx)
	if err != nil {
		return b.client.wrap(err)
	}
	b.fit(host, info)
	_, err = b.client.api.ContainerCreate(ctx, config, host, nil, nil, b.name())
	switch err = b.client.wrap(err); {
	case errors.Is(err, engine.ErrConflict): // somebody else makes it right now
		return nil
	case err != nil:
		return fmt.Errorf("make container %s: %w", b.name(), err)
	}
	if len(b.node.Files) == 0 {
		return nil
	}
	return b.client.wrap(b.client.api.CopyToContainer(ctx, b.name(), builderEtc, b.files(), container.CopyToContainerOptions{}))
}

// fit takes what the engine is like into account.
func (b *builderContainer) fit(host *container.HostConfig, info system.Info) {
	if info.CgroupDriver == "cgroupfs" && host.CgroupParent == "" {
		host.CgroupParent = "/docker/buildx"
	}
	for _, option := range info.SecurityOptions {
		if strings.Contains(option, "name=userns") {
			host.UsernsMode = "host"
		}
	}
}
