package buildkit

import (
	"context"
	"errors"
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
	failed.Dockerfile, failed.Lines = j.from.dockerfile, excerpt(content, first, last)
}

// excerpt is some lines of a Dockerfile and those around them; none where there are no such lines.
func excerpt(content []byte, first, last int) []engine.SourceLine {
	lines := strings.Split(strings.TrimSuffix(string(content), "\n"), "\n")
	if first < 1 || first > len(lines) {
		return nil
	}
	var shown []engine.SourceLine
	for number := max(first-linesAround, 1); number <= min(last+linesAround, len(lines)) && len(shown) < maxShown; number++ {
		text := strings.TrimSuffix(lines[number-1], "\r")
		if len(text) > maxLineShown {
			text = text[:maxLineShown] + "..."
		}
		shown = append(shown, engine.SourceLine{Number: number, Text: text, Failed: number >= first && number <= last})
	}
	return shown
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
