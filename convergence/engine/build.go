package engine

import (
	"context"
	"fmt"
	"time"
)

// Builds makes images (BuildKit in the engine, reached through /session and /grpc).
type Builds interface {
	// BuildImage builds an image and returns when the engine has it under all its tags. report is called from one goroutine at
	// a time, and not after BuildImage has returned. Builds do not depend on each other: any number may be under way at once,
	// and what several of them read of one context is sent once; a later build sends what has changed since. When the context
	// ends the build does too, at once; the engine may have tagged the image just before. What is wrong with the request, its
	// files or a step is a [*BuildError]; a context or a Dockerfile that is not there is found before anything is sent.
	// [ErrUnsupported] when the engine has no BuildKit, [ErrUnavailable] when it is lost in the middle.
	BuildImage(ctx context.Context, request BuildImage, report func(BuildProgress)) (BuiltImage, error)
	// CheckBuild asks for what the checks of the engine's BuildKit find in a Dockerfile, in the order of its lines, what would make
	// the build fail last; nothing is built. Errors are those of BuildImage; [ErrUnsupported] where BuildKit has no checks.
	CheckBuild(ctx context.Context, request BuildImage) ([]BuildFinding, error)
}

// BuildFinding is something that the checks of a Dockerfile have to say. Texts are to be cleaned before a terminal sees them.
type BuildFinding struct {
	Rule       string // "StageNameCasing"; empty for what would make the build fail
	Text       string
	URL        string       // of what explains the rule; empty where there is nothing
	Dockerfile string       // as messages name it
	Lines      []SourceLine // that it is about, and those around, in order; none where it is not known
}

// Place is the Dockerfile and the first line that it is about, "Dockerfile:7", as far as they are known.
func (f BuildFinding) Place() string { return placeOf(f.Dockerfile, f.Lines) }

// BuildImage is an image to be built. Everything in it is decided: the adapter reads no environment and adds no tag and no
// label, only the registry credentials and the proxies that the docker CLI's configuration has. Zero values leave it to the
// engine.
type BuildImage struct {
	Service string // whom it is for, for messages

	// Context is what the Dockerfile copies from: an absolute folder here, or the URL of a git repository or an archive, which
	// the engine fetches.
	Context string
	// Dockerfile is a path, relative to Context or absolute, then outside it, too; empty means "Dockerfile". Within a URL's
	// context it is always relative.
	Dockerfile string
	// DockerfileInline is a Dockerfile's content. It excludes Dockerfile.
	DockerfileInline string

	Target     string            // the stage to stop at; empty means the last one
	Args       map[string]string // of ARG
	Tags       []string          // references
	Labels     map[string]string // over the Dockerfile's own
	Network    string            // of RUN: default, none, host
	ExtraHosts []string          // of RUN: "name=address"
	ShmSize    int64             // of RUN, bytes
	Ulimits    []Ulimit          // of RUN

	Pull          bool     // ask the registry for base images that the engine has
	NoCache       bool     // run every step
	NoCacheFilter []string // run every step of these stages
	CacheFrom     []string // "type=registry,ref=..." or a reference
	CacheTo       []string // "type=inline"; folders of type=local, here as in CacheFrom, are absolute
	Platforms     []string // os/arch[/variant]

	Secrets            []BuildSecret
	SSH                []BuildSSH
	AdditionalContexts map[string]string // by name: a folder, a URL, "docker-image://...", "oci-layout://FOLDER:TAG"
	ImageContexts      map[string]string // by name: references of images that the engine has
	Entitlements       []string          // "network.host", "security.insecure"
	Provenance         string            // attestation: true, false, or its options
	SBOM               string            // attestation: true, false, or its options

	// Push brings the image to the registries of all its tags. The engine need not have it then.
	Push bool
}

// Ulimit bounds a resource of a process.
type Ulimit struct {
	Name string
	Soft int64
	Hard int64
}

// BuildSecret is what a RUN with --mount=type=secret gets to see. Values are never printed: only ID is for messages.
type BuildSecret struct {
	ID      string
	File    string // absolute path of a file that holds it; else Content is it
	Content []byte
}

// BuildSSH is an agent, or keys, that a RUN with --mount=type=ssh may use.
type BuildSSH struct {
	ID    string   // "default"
	Paths []string // an agent's socket, or key files
}

// BuiltImage is what came out of a build.
type BuiltImage struct {
	ID     string // as [Images.ListImages] has it
	Digest string // of the manifest, where the engine keeps manifests; else empty
}

// BuildProgressKind says what a BuildProgress is about.
type BuildProgressKind uint8

// What happens in a build.
const (
	// BuildStepStarted: the step is under way. A step that waits for another's result may start again.
	BuildStepStarted BuildProgressKind = iota + 1
	// BuildStepCached: its result was there already.
	BuildStepCached
	// BuildStepDone: it was carried out, in Took.
	BuildStepDone
	// BuildStepFailed: it was not, for the reason in Text.
	BuildStepFailed
	// BuildLog: it wrote the line in Text to Stream.
	BuildLog
	// BuildTransfer: of Item, Done bytes of Total have come.
	BuildTransfer
	// BuildWarning: the Dockerfile's checks have something to say, in Text.
	BuildWarning
)

// BuildProgress is one thing that happened in a build. Names and texts are what a Dockerfile and its programs say: they are to
// be cleaned before a terminal sees them.
type BuildProgress struct {
	Kind BuildProgressKind
	Step int    // counts from 1 in the order in which steps are heard of, and stays; 0 is the build itself
	Name string // of the step: "[build 2/3] RUN make"

	Took   time.Duration // of BuildStepDone and BuildStepFailed
	Text   string        // a line without its end, of at most 64 KB
	Stream Stream        // of BuildLog
	Item   string        // of BuildTransfer: "transferring context:"
	Done   int64         // of BuildTransfer, bytes
	Total  int64         // of BuildTransfer, bytes; 0 where it is not known
}

// SourceLine is a line of a Dockerfile.
type SourceLine struct {
	Number int // from 1
	Text   string
	Failed bool // what went wrong, or was found, is in it
}

// BuildError says which step of a build failed, where that is written and what it said. It matches the sentinel of its cause:
// [ErrInvalid] for a Dockerfile that makes no sense, [ErrNotFound] and [ErrDenied] for base images. A failed program has none.
// Like those of [BuildProgress] its texts are to be cleaned before a terminal sees them.
type BuildError struct {
	Service    string
	Step       string       // "[build 2/3] RUN make"; empty where it is no step's failure
	Dockerfile string       // as messages name it: "Dockerfile", "docker/api.Dockerfile", "dockerfile_inline"
	Lines      []SourceLine // around the failure, in order; none where it is not known
	Output     []string     // the step's last lines, at most [BuildOutputLines]
	ExitCode   int          // of the program that failed; 0 where none did
	Advice     string       // what to try; empty where nothing better than the message is known
	Cause      error
}

// BuildOutputLines is how many lines of a failed step's output a BuildError keeps.
const BuildOutputLines = 20

// Error is one line: the place, the beginning of the step, the reason.
func (e *BuildError) Error() string {
	text := e.Cause.Error()
	if e.ExitCode != 0 { // the step says what was run
		text = fmt.Sprintf("exit code %d", e.ExitCode)
	}
	if e.Step != "" {
		text = shortened(e.Step) + ": " + text
	}
	if place := e.Place(); place != "" {
		text = place + ": " + text
	}
	return text
}

// shortened cuts a step's name: the lines of the Dockerfile have it whole.
func shortened(step string) string {
	const most = 60
	runes := []rune(step)
	if len(runes) <= most {
		return step
	}
	return string(runes[:most-1]) + "…"
}

func (e *BuildError) Unwrap() error { return e.Cause }

// Hint is what to try next; empty where nothing is known.
func (e *BuildError) Hint() string { return e.Advice }

// Code is what kind of failure it is, for machines.
func (*BuildError) Code() string { return "build-failed" }

// Place is the Dockerfile and the first line that failed, "Dockerfile:7", as far as they are known.
func (e *BuildError) Place() string { return placeOf(e.Dockerfile, e.Lines) }

func placeOf(dockerfile string, lines []SourceLine) string {
	for _, line := range lines {
		if line.Failed {
			return fmt.Sprintf("%s:%d", dockerfile, line.Number)
		}
	}
	return dockerfile
}
