package dockertest

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"

	"github.com/distribution/reference"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"

	"github.com/muster-dev/muster/convergence/engine/docker/buildkit/buildkittest"
	"github.com/muster-dev/muster/convergence/engine/docker/testbox"
)

// serveBuilds is POST /grpc: the connection is BuildKit's from here on.
func (e *Engine) serveBuilds(x *exchange) error {
	connection, err := x.hijack("h2c", "")
	if err != nil {
		return err
	}
	defer connection.Close() //nolint:errcheck // it was closed by the other side or by the context's end
	e.builder.ServeControl(x.Context(), connection)
	return nil
}

// serveSession is POST /session: on this connection BuildKit asks, and the client answers.
func (e *Engine) serveSession(x *exchange) error {
	id := x.Header.Get("X-Docker-Expose-Session-Uuid")
	if !e.reserveSession(id) {
		return fail(http.StatusBadRequest, "session %s already exists", id)
	}
	defer e.freeSession(id)
	connection, err := x.hijack("h2c", "")
	if err != nil {
		return err
	}
	defer connection.Close()                                      //nolint:errcheck // as above
	_ = e.builder.ServeSession(x.Context(), connection, x.Header) // whoever asked sees that it ends
	return nil
}

// reserveSession says whether a session's ID is free, and takes it: of many that ask at once one gets it.
func (e *Engine) reserveSession(id string) bool {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	if e.sessions[id] {
		return false
	}
	e.sessions[id] = true
	return true
}

func (e *Engine) freeSession(id string) {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	delete(e.sessions, id)
}

// hijack hands the call's connection over, to speak a protocol. It is closed when the call ends, and by a [Cut].
func (x *exchange) hijack(protocol, contentType string) (net.Conn, error) {
	if upgrade := x.Header.Get("Upgrade"); upgrade != protocol {
		return nil, fail(http.StatusBadRequest, "protocol %q is not supported", upgrade)
	}
	raw, buffered, err := http.NewResponseController(x.w).Hijack()
	if err != nil {
		return nil, err
	}
	context.AfterFunc(x.Context(), func() { _ = raw.Close() })
	// Whoever asked may have gone away; the first read will tell.
	header := "Connection: Upgrade\r\nUpgrade: " + protocol + "\r\n"
	if contentType != "" {
		header += "Content-Type: " + contentType + "\r\n"
	}
	_, _ = io.WriteString(raw, "HTTP/1.1 101 UPGRADED\r\n"+header+"\r\n")
	connection := &hijackedConn{Conn: raw, reader: buffered.Reader, left: -1}
	if cut, ok := x.w.(*cutWriter); ok {
		connection.left = cut.left
		cut.ResponseWriter = discard{http.Header{}} // the answer is the connection's now
	}
	return connection, nil
}

// hijackedConn is a connection that began as a call's.
type hijackedConn struct {
	net.Conn
	reader *bufio.Reader
	left   int // bytes that may still be written; negative for any number
}

// Read goes past the server's reader once that holds nothing more: at the end of what comes it would end the call.
func (c *hijackedConn) Read(into []byte) (int, error) {
	if c.reader.Buffered() > 0 {
		return c.reader.Read(into)
	}
	return c.Conn.Read(into)
}

func (c *hijackedConn) Write(content []byte) (int, error) {
	if c.left < 0 {
		return c.Conn.Write(content)
	}
	through := min(c.left, len(content))
	c.left -= through
	n, err := c.Conn.Write(content[:through])
	if err == nil && through < len(content) {
		err = errors.Join(io.ErrClosedPipe, c.Close())
	}
	return n, err
}

// buildSide is the engine as its BuildKit sees it.
type buildSide struct{ e *Engine }

// Base implements buildkittest.Engine.
func (s buildSide) Base(_ context.Context, ref, platform string, pull bool) (buildkittest.Image, error) {
	name := mustNormalize(ref)
	s.e.mutex.Lock()
	found, err := s.e.findImage(name)
	s.e.mutex.Unlock()
	if err == nil && !pull && (platform == "" || platform == found.platform()) {
		return baseImage(found.Image), nil
	}
	remote, _, err := s.e.options.Remote.find(name, platform)
	if err != nil {
		return buildkittest.Image{}, baseFailure(ref, err)
	}
	return baseImage(remote), nil
}

// baseFailure is what BuildKit says of a registry's answer.
func baseFailure(ref string, err error) error {
	var answer *apiError
	errors.As(err, &answer)
	named, _ := reference.ParseNormalizedNamed(ref) // it was one
	switch {
	case answer != nil && reference.Domain(named) == "docker.io" && strings.HasPrefix(answer.message, "pull access denied"):
		return errors.New("pull access denied, repository does not exist or may require authorization: " +
			"server message: insufficient_scope: authorization failed")
	case answer != nil && answer.status == http.StatusUnauthorized:
		return fmt.Errorf("unexpected status from HEAD request to https://%s/v2/%s/manifests/%s: 401 Unauthorized",
			reference.Domain(named), reference.Path(named), tagOf(named))
	case answer != nil && answer.status == http.StatusNotFound:
		return fmt.Errorf("%s: not found", ref)
	}
	return fmt.Errorf("failed to do request: %w", err)
}

func baseImage(i Image) buildkittest.Image {
	files := map[string]buildkittest.File{}
	for name, content := range i.Files {
		files[name] = buildkittest.File{
			Content: content, Size: int64(len(content)), Digest: hexDigest("file", i.ID(), name), Executable: true,
		}
	}
	return buildkittest.Image{
		ID: i.ID(), Platform: i.platform(), Config: *(&image{Image: i}).imageConfig(), Files: files, OnlyItsFiles: i.OnlyItsFiles,
	}
}

// Keep implements buildkittest.Engine.
func (s buildSide) Keep(built buildkittest.Image, refs []string) (string, error) {
	kept := imageOf(built)
	kept.Ref, kept.Created = "built", s.e.clock.now()
	s.e.mutex.Lock()
	defer s.e.mutex.Unlock()
	if base, known := s.e.images[built.Base]; known {
		kept.Program = base.Program
	}
	stored := s.e.store(kept, "")
	for _, ref := range refs {
		name := mustNormalize(ref)
		s.e.moveTag(stored, name)
		s.e.imageEvent("tag", stored.id, name)
	}
	return stored.id, nil
}

// imageOf is what was built as an engine has it.
func imageOf(built buildkittest.Image) Image {
	made := Image{
		Version: built.Version, Platform: built.Platform, Files: map[string][]byte{}, OnlyItsFiles: built.OnlyItsFiles,
	}
	for name, file := range built.Files {
		made.Files[name] = file.Content
		made.Size += file.Size
	}
	made.configure(built.Config)
	return made
}

func (i *Image) configure(config dockerspec.DockerOCIImageConfig) {
	i.Entrypoint, i.Cmd, i.Env, i.Labels = config.Entrypoint, config.Cmd, config.Env, config.Labels
	i.User, i.WorkingDir, i.StopSignal, i.HealthCheck = config.User, config.WorkingDir, config.StopSignal, config.Healthcheck
	i.Expose, i.Volumes = slices.Sorted(maps.Keys(config.ExposedPorts)), slices.Sorted(maps.Keys(config.Volumes))
}

// Run implements buildkittest.Engine: a step's program runs as a container's does.
func (s buildSide) Run(ctx context.Context, process buildkittest.Process) int {
	signals := make(chan os.Signal)
	defer context.AfterFunc(ctx, func() { close(signals) })()
	program := &container{image: &image{}}
	s.e.mutex.Lock()
	if base, known := s.e.images[cmp.Or(process.Image.Base, process.Image.ID)]; known {
		program.image.Program = base.Program
	}
	s.e.mutex.Unlock()
	return program.execute(testbox.World{
		Args: process.Args, Env: process.Env, Stdout: process.Stdout, Stderr: process.Stderr, Signals: signals, Files: process.Files,
	}, unknownCommand)
}

// unknownCommand is what a shell says in a step: nothing is pretended there.
func unknownCommand(world testbox.World) int {
	const notFound = 127
	_, _ = fmt.Fprintf(world.Stderr, "dockertest does not know the command %q\n", world.Args)
	return notFound
}
