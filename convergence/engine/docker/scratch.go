package docker

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/docker/docker/api/types/image"

	"github.com/muster-dev/muster/convergence/engine"
)

// LabelContent is the digest of what a scratch image was made of: an image that carries it need not be made again.
const LabelContent = "dev.muster.content"

// ScratchImage is an image made of files alone, without a Dockerfile, a builder or a base: what tests and examples run.
type ScratchImage struct {
	Ref     string // the reference that it gets, "muster-test/box:latest"
	Files   map[string]ScratchFile
	Folders map[string]fs.FileMode // beyond those that the files are in: "/tmp": 0o1777

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
	source := image.ImportSource{Source: bytes.NewReader(content), SourceName: "-"}
	body, err := c.api.ImageImport(ctx, source, wanted.Ref, image.ImportOptions{Changes: changes})
	if err != nil {
		return "", c.wrap(err)
	}
	defer body.Close() //nolint:errcheck // nothing is written through it
	if id, err = readImport(body); err != nil {
		return "", fmt.Errorf("import image %q: %w", wanted.Ref, c.wrap(err))
	}
	if len(before.Tags) == 1 {
		if err := c.RemoveImage(ctx, before.ID); err != nil && !errors.Is(err, engine.ErrConflict) && !errors.Is(err, engine.ErrNotFound) {
			return "", err
		}
	}
	return id, nil
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

// archive is the image's file system as a tar: the same bytes for the same files.
func (s ScratchImage) archive() ([]byte, error) {
	var buffer bytes.Buffer
	archive := tar.NewWriter(&buffer)
	for _, folder := range s.folders() {
		header := &tar.Header{Typeflag: tar.TypeDir, Name: strings.TrimPrefix(folder, "/") + "/", Mode: int64(s.folderMode(folder))}
		if err := archive.WriteHeader(header); err != nil {
			return nil, err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.Files)) {
		file := s.Files[name]
		header := &tar.Header{Typeflag: tar.TypeReg, Name: strings.TrimPrefix(name, "/"), Mode: int64(file.mode()), Size: int64(len(file.Content))}
		if err := archive.WriteHeader(header); err != nil {
			return nil, err
		}
		if _, err := archive.Write(file.Content); err != nil {
			return nil, err
		}
	}
	if err := archive.Close(); err != nil {
		return nil, err
	}
	return buffer.Bytes(), nil
}

func (f ScratchFile) mode() fs.FileMode {
	const program = 0o755
	if f.Mode == 0 {
		return program
	}
	return f.Mode
}

func (s ScratchImage) folderMode(folder string) fs.FileMode {
	const usual = 0o755
	if mode, set := s.Folders[folder]; set {
		return mode
	}
	return usual
}

// folders are those asked for and all that something lies in, sorted, so that parents come first.
func (s ScratchImage) folders() []string {
	set := map[string]bool{}
	for folder := range s.Folders {
		set[path.Clean(folder)] = true
	}
	for name := range s.Files {
		set[path.Dir(name)] = true
	}
	for folder := range maps.Clone(set) {
		for ; folder != "/" && folder != "."; folder = path.Dir(folder) {
			set[folder] = true
		}
	}
	delete(set, "/")
	delete(set, ".")
	return slices.Sorted(maps.Keys(set))
}

// digest is what the image is made of, as one hash, and the instructions that make its configuration, the hash included.
func (s ScratchImage) digest(content []byte) (digest string, changes []string) {
	changes = s.instructions()
	hash := sha256.New()
	hash.Write(content)
	for _, change := range changes {
		hash.Write([]byte(change + "\n"))
	}
	digest = "sha256:" + hex.EncodeToString(hash.Sum(nil))
	return digest, append(changes, "LABEL "+assignment(LabelContent, digest))
}

// instructions are the image's configuration in the engine's language for it, that of a Dockerfile.
func (s ScratchImage) instructions() []string {
	var lines []string
	add := func(instruction string, value string) {
		if value != "" {
			lines = append(lines, instruction+" "+value)
		}
	}
	add("ENTRYPOINT", jsonList(s.Entrypoint))
	add("CMD", jsonList(s.Cmd))
	for _, name := range slices.Sorted(maps.Keys(s.Env)) {
		add("ENV", assignment(name, s.Env[name]))
	}
	for _, name := range slices.Sorted(maps.Keys(s.Labels)) {
		add("LABEL", assignment(name, s.Labels[name]))
	}
	add("EXPOSE", strings.Join(s.Expose, " "))
	add("VOLUME", jsonList(s.Volumes))
	add("USER", s.User)
	add("WORKDIR", s.WorkingDir)
	add("STOPSIGNAL", s.StopSignal)
	if s.HealthCheck != nil {
		add("HEALTHCHECK", s.HealthCheck.instruction())
	}
	return lines
}

func (h ScratchHealth) instruction() string {
	var words []string
	for _, option := range []struct {
		name  string
		value time.Duration
	}{
		{"interval", h.Interval}, {"timeout", h.Timeout}, {"start-period", h.StartPeriod}, {"start-interval", h.StartInterval},
	} {
		if option.value > 0 {
			words = append(words, "--"+option.name+"="+option.value.String())
		}
	}
	if h.Retries > 0 {
		words = append(words, "--retries="+strconv.Itoa(h.Retries))
	}
	return strings.Join(append(words, "CMD", jsonList(h.Test)), " ")
}

func jsonList(words []string) string {
	if len(words) == 0 {
		return ""
	}
	text, _ := json.Marshal(words) // a list of strings always can be
	return string(text)
}

// assignment is name=value in the quotes that the engine's parser takes away again; it knows no escape but these.
func assignment(name, value string) string {
	return name + `="` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, `$`, `\$`).Replace(value) + `"`
}
