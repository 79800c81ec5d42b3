package buildkit

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	solver "github.com/moby/buildkit/solver/errdefs"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/grpcerrors"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/muster-dev/muster/convergence/engine"
)

// kinded is an error under a sentinel of package engine, with its own words only.
type kinded struct {
	kind  error
	words string
}

func (e *kinded) Error() string { return e.words }
func (e *kinded) Unwrap() error { return e.kind }

// advised is an error with what to try next.
type advised struct {
	error
	hint string
}

func (e advised) Unwrap() error { return e.error }

// unsupported says that something of a request is not honoured.
func unsupported(what string) error {
	return &kinded{engine.ErrUnsupported, what + " is not honoured by builds yet"}
}

// refusal is what is wrong with a request: nothing was sent.
func refusal(request engine.BuildImage, err error) error {
	failure := &engine.BuildError{Service: request.Service, Cause: err}
	var withHint advised
	if errors.As(err, &withHint) {
		failure.Advice = withHint.hint
	}
	if !errors.Is(err, engine.ErrUnsupported) {
		failure.Cause = &kinded{engine.ErrInvalid, err.Error()}
	}
	return failure
}

// failure is what went wrong with a build, as BuildKit tells it.
func (j *job) failure(ctx context.Context, err error) error {
	text := message(err)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case isSentinel(err):
		return err
	case isBrokenOff(text):
		return &kinded{engine.ErrUnavailable, "the engine broke the build off: " + text}
	case grpcerrors.Code(err) == codes.Unavailable && !strings.Contains(text, "failed to resolve source metadata"):
		return &kinded{engine.ErrUnavailable, "lost the engine in the middle of a build: " + text}
	}
	failed := &engine.BuildError{Service: j.service, ExitCode: exitCode(text), Cause: classify(text)}
	at := j.progress.failed
	var vertex *solver.VertexError
	if errors.As(err, &vertex) {
		at = j.progress.steps[vertex.GetDigest()]
	}
	if at != nil {
		failed.Step, failed.Output = at.name, at.tail
	}
	if sources := solver.Sources(err); len(sources) > 0 {
		source := sources[len(sources)-1]
		first, last := span(source.GetRanges())
		j.locate(failed, source.GetInfo().GetData(), first, last)
	} else if line := j.guessLine(text, failed.Step); line > 0 {
		j.locate(failed, j.from.content, line, line)
	}
	failed.Advice = j.advise(failed.Cause)
	return failed
}

// isBrokenOff says whether an engine ended a build that nobody had given up: it goes down, or has lost the session.
func isBrokenOff(text string) bool {
	return strings.Contains(text, "no active session") || strings.HasSuffix(text, context.Canceled.Error())
}

func isSentinel(err error) bool {
	for _, sentinel := range []error{engine.ErrUnavailable, engine.ErrUnsupported, engine.ErrDenied} {
		if errors.Is(err, sentinel) {
			return true
		}
	}
	return false
}

// message is an error's text without the name of its code, which is mostly "Unknown".
func message(err error) string {
	var with interface{ GRPCStatus() *status.Status }
	if errors.As(err, &with) {
		return with.GRPCStatus().Message()
	}
	return err.Error()
}

// Around what failed this much is shown.
const (
	linesAround  = 2
	maxShown     = 20
	maxLineShown = 400
)

// locate adds the lines of the Dockerfile that an error is about.
func (j *job) locate(failed *engine.BuildError, content []byte, first, last int) {
	failed.Dockerfile = j.from.dockerfile
	lines := strings.Split(strings.TrimSuffix(string(content), "\n"), "\n")
	if first < 1 || first > len(lines) {
		return
	}
	for number := max(first-linesAround, 1); number <= min(last+linesAround, len(lines)) && len(failed.Lines) < maxShown; number++ {
		text := strings.TrimSuffix(lines[number-1], "\r")
		if len(text) > maxLineShown {
			text = text[:maxLineShown] + "..."
		}
		failed.Lines = append(failed.Lines, engine.SourceLine{Number: number, Text: text, Failed: number >= first && number <= last})
	}
}

// lineText is where an old BuildKit has the number of a line.
var (
	lineText = regexp.MustCompile(`dockerfile parse error (?:on )?line (\d+)`)
	baseText = regexp.MustCompile(`failed to create LLB definition: (?:failed to \S+ \S+ )?(\S+): `)
)

// guessLine finds the line of a failure for BuildKits that do not say it, those of engines before 23: by its number in the
// text, or as the first line that begins with the step's instruction, or that is made from the image in the text.
func (j *job) guessLine(text, step string) int {
	if match := lineText.FindStringSubmatch(text); match != nil {
		number, _ := strconv.Atoi(match[1]) // a number of too many digits is no line
		return number
	}
	_, instruction, isStep := strings.Cut(step, "] ")
	base := baseText.FindStringSubmatch(text)
	for i, line := range strings.Split(string(j.from.content), "\n") {
		words := strings.Fields(line)
		if isStep && strings.HasPrefix(strings.TrimSpace(line), instruction) ||
			base != nil && len(words) > 1 && strings.EqualFold(words[0], "FROM") && words[1] == base[1] {
			return i + 1
		}
	}
	return 0
}

func span(ranges []*pb.Range) (first, last int) {
	for _, one := range ranges {
		start := int(one.GetStart().GetLine())
		if first == 0 || start < first {
			first = start
		}
		last = max(last, start, int(one.GetEnd().GetLine()))
	}
	return first, last
}

// noise is what BuildKit wraps around a reason: what it was doing inside.
var noise = regexp.MustCompile(`^(failed to solve|failed to compute cache key|failed to load cache key|` +
	`failed to calculate checksum of ref \S+|rpc error: code = \w+ desc =|failed to read dockerfile|failed to resolve dockerfile|` +
	`with frontend \S+|failed to create LLB definition|dockerfile parse error (on )?line \d+):? `)

// sourceOf is how BuildKit begins to tell what is wrong with a base image: as it was written, and in full.
var sourceOf = regexp.MustCompile(`^\S+: failed to resolve source metadata for (\S+): `)

// plainReason is a message without its noise.
func plainReason(text string) string {
	for {
		shorter := sourceOf.ReplaceAllString(noise.ReplaceAllString(text, ""), "base image $1: ")
		if shorter == text {
			break
		}
		text = shorter
	}
	text = oldExit.ReplaceAllString(text, `process "$1" did not complete successfully: $2`)
	return oldMissing.ReplaceAllString(text, `$1: not found`)
}

// What engines before 23 say in other words.
var (
	oldExit    = regexp.MustCompile(`^executor failed running \[(.*)\]: (exit code: \d+)$`)
	oldMissing = regexp.MustCompile(`^("/[^"]*") not found: not found$`)
	oldBase    = regexp.MustCompile(`^(\S+/\S+|\S+:\S+): not found$`)
)

var exitText = regexp.MustCompile(`did not complete successfully: exit code: (\d+)`)

func exitCode(text string) int {
	if match := exitText.FindStringSubmatch(plainReason(text)); match != nil {
		code, _ := strconv.Atoi(match[1]) // a number of too many digits is none
		return code
	}
	return 0
}

// classify gives a reason the sentinel that its words mean: BuildKit's errors mostly have no code.
func classify(text string) error {
	plain := plainReason(text)
	if match := oldBase.FindStringSubmatch(plain); match != nil && strings.Contains(text, "failed to create LLB definition") {
		return &kinded{engine.ErrNotFound, "base image " + plain}
	}
	for _, kind := range []struct {
		sentinel error
		words    *regexp.Regexp
	}{
		{engine.ErrDenied, deniedWords},
		{engine.ErrNotFound, absentWords},
		{engine.ErrInvalid, invalidWords},
	} {
		if kind.words.MatchString(text) {
			return &kinded{kind.sentinel, plain}
		}
	}
	if nonsense.MatchString(plain) {
		return &kinded{engine.ErrInvalid, plain}
	}
	return errors.New(plain)
}

var (
	deniedWords  = regexp.MustCompile(`access denied|authorization failed|401 Unauthorized|403 Forbidden|denied: requested access`)
	absentWords  = regexp.MustCompile(`failed to resolve source metadata for .*not found|no match for platform in manifest`)
	invalidWords = regexp.MustCompile(`dockerfile parse error|failed to compute cache key.*not found|` +
		`failed to calculate checksum.*not found|error from sender`)
	// nonsense is a whole reason.
	nonsense = regexp.MustCompile(`^(file with no instructions|the Dockerfile|target stage|no build stage|failed to parse|` +
		`base name|circular dependency)`)
)

// missingFile is how BuildKit says that the context does not have what is to be copied.
var missingFile = regexp.MustCompile(`"(/[^"]*)": not found$`)

// advise says what to try, from what is known on this side.
func (j *job) advise(cause error) string {
	switch {
	case errors.Is(cause, engine.ErrDenied):
		return "log in with `docker login`, and check the name: a registry also denies what does not exist"
	case errors.Is(cause, engine.ErrNotFound):
		return "check the name, tag and platform of the base image"
	case strings.Contains(cause.Error(), "error from sender"):
		return "list what the build does not need in .dockerignore"
	}
	if match := missingFile.FindStringSubmatch(cause.Error()); match != nil && j.from.folder != "" {
		return j.adviseFile(strings.TrimPrefix(match[1], "/"))
	}
	return ""
}

// adviseFile says why a file was not found in the context.
func (j *job) adviseFile(name string) string {
	path := filepath.Join(j.from.folder, filepath.FromSlash(name))
	info, err := os.Lstat(path)
	if ignored, matchErr := j.from.ignore.MatchesOrParentMatches(name); err == nil && matchErr == nil && ignored {
		return fmt.Sprintf("%s excludes it: %q is in the context, but is not sent", j.from.ignoreFile, name)
	}
	switch {
	case err == nil && info.Mode()&os.ModeSymlink != 0:
		target, _ := os.Readlink(path) // only for the words
		return fmt.Sprintf("%q is a symbolic link to %q, and links do not lead out of the context %s", name, target, j.from.folder)
	case err == nil:
		return ""
	}
	entries, _ := os.ReadDir(filepath.Dir(path)) // one that cannot be read has no suggestions
	for _, entry := range entries {
		if strings.EqualFold(entry.Name(), filepath.Base(path)) {
			return fmt.Sprintf("did you mean %q?", filepath.ToSlash(filepath.Join(filepath.Dir(name), entry.Name())))
		}
	}
	return "files are looked for in the context " + j.from.folder + "; what is outside of it cannot be copied"
}
