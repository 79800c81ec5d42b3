package buildkittest

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/distribution/reference"
	control "github.com/moby/buildkit/api/services/control"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/session"
	sessioncontent "github.com/moby/buildkit/session/content"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

const (
	scratch         = "scratch"
	defaultPlatform = "linux/amd64"
)

// build is one build under way. It is one goroutine's.
type build struct {
	server  *Server
	job     *job
	options *options
	sync    *syncer
	file    *dockerfile
	done    map[*stage]*state
	bases   map[string]Image
}

// state is where a stage is.
type state struct {
	image     Image
	key       string    // of all that led here
	arguments variables // what ARG says
	shell     []string
	fresh     bool // without cache
}

// layer is what a step left behind, to be taken again.
type layer struct {
	files map[string]File
	key   string
}

func newBuild(s *Server, j *job, caller session.Caller, request *control.SolveRequest) (*build, error) {
	o, err := readOptions(request)
	if err != nil {
		return nil, err
	}
	return &build{
		server: s, job: j, options: o, done: map[*stage]*state{}, bases: map[string]Image{},
		sync: &syncer{server: s, caller: caller, job: j},
	}, nil
}

// run carries the build out and returns the ID of its image.
func (b *build) run(ctx context.Context, to export) (string, error) {
	name, content, err := b.sync.dockerfile(ctx, b.options.dockerfileName, b.options.filename)
	if err != nil {
		return "", err
	}
	if b.file, err = parseDockerfile(name, content, b.options); err != nil {
		return "", err
	}
	final, err := b.file.final(b.options.target)
	if err != nil {
		return "", err
	}
	needed, err := b.needed(final)
	if err != nil {
		return "", err
	}
	if err := b.findBases(ctx, needed); err != nil {
		return "", err
	}
	if b.sync.sources = b.contextPaths(needed); len(b.sync.sources) > 0 {
		if err := b.sync.context(ctx); err != nil {
			return "", err
		}
	}
	for _, s := range needed {
		if err := b.stage(ctx, s); err != nil {
			return "", err
		}
	}
	return b.export(ctx, b.done[final], to)
}

// needed are the stages that one needs, itself included, in the order in which they can be built.
func (b *build) needed(final *stage) ([]*stage, error) {
	var order []*stage
	under := map[*stage]bool{}
	var visit func(s *stage) error
	visit = func(s *stage) error {
		switch {
		case slices.Contains(order, s):
			return nil
		case under[s]:
			return fmt.Errorf("circular dependency detected on stage: %s", s.Name)
		}
		under[s] = true
		for _, use := range b.uses(s) {
			if err := visit(use.stage); err != nil {
				return b.file.at(err, use.place)
			}
		}
		order = append(order, s)
		return nil
	}
	return order, visit(final)
}

// use is a stage that another needs, and the instruction that says so.
type use struct {
	stage *stage
	place []parser.Range
}

func (b *build) uses(s *stage) []use {
	var all []use
	if s.from != nil {
		all = append(all, use{s.from, s.Location})
	}
	for _, copying := range s.copies() {
		if source := b.file.source(copying.From); source != nil {
			all = append(all, use{source, copying.Location()})
		}
	}
	return all
}

// copies are the instructions of a stage that copy from another one, or from an image.
func (s *stage) copies() []*instructions.CopyCommand {
	var found []*instructions.CopyCommand
	for _, command := range s.Commands {
		if copying, ok := command.(*instructions.CopyCommand); ok && copying.From != "" {
			found = append(found, copying)
		}
	}
	return found
}

// findBases looks for the images that stages are made from, or copy from, before anything else is done.
func (b *build) findBases(ctx context.Context, needed []*stage) error {
	for _, s := range needed {
		if s.from == nil && s.base != scratch {
			if err := b.findBase(ctx, s.base); err != nil {
				return b.file.at(err, s.Location)
			}
		}
		for _, copying := range s.copies() {
			if b.file.source(copying.From) != nil {
				continue
			}
			if err := b.findBase(ctx, copying.From); err != nil {
				return b.file.at(err, copying.Location())
			}
		}
	}
	return nil
}

func (b *build) findBase(ctx context.Context, name string) error {
	if _, known := b.bases[name]; known {
		return nil
	}
	place := b.options.contexts[name]
	if layout, ok := strings.CutPrefix(place, ociLayout); ok {
		base, err := b.loadLayout(ctx, name, layout)
		b.bases[name] = base
		return err
	}
	named, err := reference.ParseNormalizedNamed(cmp.Or(strings.TrimPrefix(place, dockerImage), name))
	if err != nil {
		return fmt.Errorf("failed to parse stage name %q: %w", name, err)
	}
	ref := reference.TagNameOnly(named).String()
	v := b.job.begin("[internal] load metadata for " + ref)
	base, err := b.server.engine.Base(ctx, ref, b.options.platform, b.options.pull)
	_ = v.end(err) // the error is none of a step's, but of the Dockerfile's line
	if err != nil {
		return fmt.Errorf("%s: failed to resolve source metadata for %s: %w", name, ref, err)
	}
	b.bases[name] = base
	return nil
}

// loadLayout brings an image of the client's.
func (b *build) loadLayout(ctx context.Context, name, place string) (Image, error) {
	id, found, _ := strings.Cut(place, "@")
	v := b.job.begin("[context " + name + "] OCI load from client")
	store := sessioncontent.NewCallerStore(b.sync.caller, "oci:"+id)
	archive, err := content.ReadBlob(ctx, store, ocispec.Descriptor{Digest: digest.Digest(found)})
	if err != nil {
		return Image{}, v.end(err)
	}
	base, _, err := ReadArchive(bytes.NewReader(archive))
	base.ID = base.Version
	return base, v.end(err)
}

// stage carries out a stage's steps.
func (b *build) stage(ctx context.Context, s *stage) error {
	at := b.begin(s)
	names := b.stepNames(s)
	if s.from == nil && s.base != scratch {
		b.job.cached(names[0])
		names = names[1:]
	}
	for _, command := range s.Commands {
		name := ""
		if isStep(command) {
			name, names = names[0], names[1:]
		}
		if err := b.command(ctx, at, command, name); err != nil {
			return b.file.at(err, command.Location())
		}
	}
	b.done[s] = at
	return nil
}

// begin is where a stage begins: with what it is made from.
func (b *build) begin(s *stage) *state {
	at := &state{
		arguments: variables{}, shell: []string{"/bin/sh", "-c"},
		fresh: b.options.noCache || slices.ContainsFunc(b.options.fresh, func(name string) bool { return strings.EqualFold(name, s.Name) }),
	}
	switch {
	case s.from != nil:
		before := b.done[s.from]
		at.image, at.key, at.shell = before.image, before.key, before.shell
	case s.base != scratch:
		at.image = b.bases[s.base]
		at.image.Base, at.key = at.image.ID, at.image.ID
	default:
		at.image = Image{OnlyItsFiles: true, Platform: cmp.Or(b.options.platform, defaultPlatform)}
		at.image.Config.Env = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
		at.key = hash(scratch, at.image.Platform)
	}
	at.image.Config = cloned(at.image.Config)
	at.image.Files = maps.Clone(at.image.Files)
	if at.image.Files == nil {
		at.image.Files = map[string]File{}
	}
	return at
}

// isStep says whether an instruction is told of as a step; the others only change the image's configuration.
func isStep(command instructions.Command) bool {
	switch command.(type) {
	case *instructions.RunCommand, *instructions.CopyCommand, *instructions.AddCommand, *instructions.WorkdirCommand:
		return true
	}
	return false
}

// stepNames are the names of a stage's steps: "[web 1/2] COPY . /app".
func (b *build) stepNames(s *stage) []string {
	var texts []string
	if s.from == nil && s.base != scratch {
		named, _ := reference.ParseNormalizedNamed(s.base) // it was found
		texts = append(texts, "FROM "+reference.TagNameOnly(named).String())
	}
	for _, command := range s.Commands {
		if isStep(command) {
			texts = append(texts, fmt.Sprint(command))
		}
	}
	prefix := ""
	if s.Name != "" {
		prefix = strings.ToLower(s.Name) + " "
	} else if len(b.file.stages) > 1 {
		prefix = fmt.Sprintf("stage-%d ", s.index)
	}
	for i := range texts {
		texts[i] = fmt.Sprintf("[%s%d/%d] %s", prefix, i+1, len(texts), texts[i])
	}
	return texts
}

// remembered takes a step's result from the cache, or carries the step out and keeps its result.
func (b *build) remembered(at *state, name, key string, do func(v *vertex) error) error {
	b.server.mutex.Lock()
	found, known := b.server.cache[key]
	b.server.mutex.Unlock()
	if known && !at.fresh {
		b.job.cached(name)
		at.image.Files, at.key = maps.Clone(found.files), found.key
		return nil
	}
	v := b.job.begin(name)
	if err := v.end(do(v)); err != nil {
		return err
	}
	b.server.mutex.Lock()
	defer b.server.mutex.Unlock()
	b.server.built++
	at.key = hash(key, fmt.Sprint(b.server.built))
	b.server.cache[key] = layer{maps.Clone(at.image.Files), at.key}
	return nil
}
