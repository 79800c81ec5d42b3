package buildkit

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	control "github.com/moby/buildkit/api/services/control"
	"github.com/moby/buildkit/solver/pb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/muster-dev/muster/convergence/engine"
)

func at(second int) *timestamppb.Timestamp { return timestamppb.New(time.Unix(int64(second), 0)) }

func step1(change func(*control.Vertex)) *control.StatusResponse {
	v := &control.Vertex{Digest: "one", Name: "[1/2] COPY a b"}
	change(v)
	return &control.StatusResponse{Vertexes: []*control.Vertex{v}}
}

func wrote(stream int64, text string) *control.StatusResponse {
	return &control.StatusResponse{Logs: []*control.VertexLog{{Vertex: "one", Stream: stream, Msg: []byte(text)}}}
}

// TestProgress turns what BuildKit tells into events.
func TestProgress(t *testing.T) {
	t.Parallel()
	pending := step1(func(*control.Vertex) {})
	started := step1(func(v *control.Vertex) { v.Started = at(1) })
	done := step1(func(v *control.Vertex) { v.Started, v.Completed = at(1), at(3) })
	for name, c := range map[string]struct {
		updates []*control.StatusResponse
		want    string
	}{
		"a step":             {[]*control.StatusResponse{pending, started, started, done, done}, "start 1|done 1 2s"},
		"one that was there": {[]*control.StatusResponse{step1(func(v *control.Vertex) { v.Started, v.Completed, v.Cached = at(1), at(1), true })}, "cached 1"},
		"one that fails": {
			[]*control.StatusResponse{started, step1(func(v *control.Vertex) { v.Started, v.Completed, v.Error = at(1), at(2), "process failed" })},
			"start 1|failed 1 process failed",
		},
		"one that another ends": {
			[]*control.StatusResponse{started, step1(func(v *control.Vertex) { v.Started, v.Completed, v.Error = at(1), at(2), "x: context canceled" })},
			"start 1|failed 1 canceled",
		},
		"one that starts again": {
			[]*control.StatusResponse{done, step1(func(v *control.Vertex) { v.Started = at(4) }), step1(func(v *control.Vertex) { v.Started, v.Completed = at(4), at(5) })},
			"done 1 2s|start 1|done 1 1s",
		},
		"numbers in the order of what is told": {
			[]*control.StatusResponse{
				{Vertexes: []*control.Vertex{{Digest: "two", Name: "second"}, {Digest: "one", Name: "first"}}},
				started,
				{Vertexes: []*control.Vertex{{Digest: "two", Name: "second", Started: at(2)}}},
			},
			"start 1|start 2",
		},
		"lines in pieces": {
			[]*control.StatusResponse{started, wrote(1, "a"), wrote(2, "err\n"), wrote(1, "b\r\nc\n\nd"), done},
			"start 1|log err|log ab|log c|log |log d|done 1 2s",
		},
		"a line without an end": {[]*control.StatusResponse{started, wrote(1, "a\rb")}, "start 1|log a\rb"},
		"a long line": {
			[]*control.StatusResponse{started, wrote(1, strings.Repeat("x", maxLine+3)), wrote(1, "\nshort\n")},
			"start 1|log " + strings.Repeat("x", maxLine) + "|log xxx|log short",
		},
		"transfers": {
			[]*control.StatusResponse{
				started,
				{Statuses: []*control.VertexStatus{{Vertex: "one", ID: "id", Name: "transferring", Current: 5, Total: 10}}},
				{Statuses: []*control.VertexStatus{{Vertex: "one", ID: "id", Name: "transferring", Current: 5, Total: 10}}},
				{Statuses: []*control.VertexStatus{{Vertex: "one", ID: "sha256:1", Current: 10, Total: 10}}},
			},
			"start 1|transfer transferring 5/10|transfer sha256:1 10/10",
		},
		"a warning": {
			[]*control.StatusResponse{started, {Warnings: []*control.VertexWarning{{
				Vertex: "one", Short: []byte("FromAsCasing"), Info: &pb.SourceInfo{Filename: "Dockerfile"},
				Ranges: []*pb.Range{{Start: &pb.Position{Line: 3}}},
			}}}},
			"start 1|warning FromAsCasing (Dockerfile:3)",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			p := newProgress(func(event engine.BuildProgress) { got = append(got, told(event)) })
			for _, update := range c.updates {
				p.add(update)
			}
			p.end()
			if text := strings.Join(got, "|"); text != c.want {
				t.Errorf("told %q, want %q", text, c.want)
			}
		})
	}
}

func told(event engine.BuildProgress) string {
	switch event.Kind {
	case engine.BuildStepStarted:
		return fmt.Sprint("start ", event.Step)
	case engine.BuildStepCached:
		return fmt.Sprint("cached ", event.Step)
	case engine.BuildStepDone:
		return fmt.Sprint("done ", event.Step, " ", event.Took)
	case engine.BuildStepFailed:
		return fmt.Sprint("failed ", event.Step, " ", event.Text)
	case engine.BuildLog:
		return "log " + event.Text
	case engine.BuildTransfer:
		return fmt.Sprintf("transfer %s %d/%d", event.Item, event.Done, event.Total)
	case engine.BuildWarning:
		return "warning " + event.Text
	}
	return "?"
}

// TestReasons has BuildKit's words and what is left of them, with the sentinel that they mean.
func TestReasons(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`failed to compute cache key: failed to calculate checksum of ref abc::def: "/x": not found`:                                                                                                                `"/x": not found invalid`,
		"dockerfile parse error on line 3: unknown instruction: FOO":                                                                                                                                                "unknown instruction: FOO invalid",
		"nginx:0: failed to resolve source metadata for docker.io/library/nginx:0: docker.io/library/nginx:0: not found":                                                                                            "base image docker.io/library/nginx:0: docker.io/library/nginx:0: not found not found",
		"a: failed to resolve source metadata for docker.io/library/a:latest: pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed": "base image docker.io/library/a:latest: pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed denied",
		`process "/bin/sh -c make" did not complete successfully: exit code: 2`:                                                                                                                                     `process "/bin/sh -c make" did not complete successfully: exit code: 2 none`,
	} {
		err := classify(text)
		kinds := map[error]string{engine.ErrInvalid: "invalid", engine.ErrNotFound: "not found", engine.ErrDenied: "denied"}
		kind := "none"
		if found, ok := err.(*kinded); ok { //nolint:errorlint // it is no chain
			kind = kinds[found.kind]
		}
		if got := err.Error() + " " + kind; got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	if code := exitCode(`process "x" did not complete successfully: exit code: 137`); code != 137 {
		t.Errorf("exit code %d", code)
	}
	tail := newProgress(func(engine.BuildProgress) {})
	for i := range 2 * engine.BuildOutputLines {
		tail.add(wrote(1, fmt.Sprintln(i)))
	}
	if kept := tail.steps["one"].tail; len(kept) != engine.BuildOutputLines || !slices.Contains(kept, "39") {
		t.Errorf("kept lines: %v", kept)
	}
}
