package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/plan"
	"github.com/muster-dev/muster/convergence/step"
	"github.com/muster-dev/muster/project"
)

// Every code that is given is in the table.
func TestFailureCodes(t *testing.T) {
	t.Parallel()
	wait := func(reason string) error {
		return &step.WaitError{Wait: step.Wait{Deadline: step.NewDeadline(1)}, Reason: reason}
	}
	memory := &step.WaitError{Reason: "exited (137)"}
	memory.Details.OOMKilled = true
	pull := func(cause error) error { return &step.PullError{Cause: cause} }
	for _, test := range []struct {
		err  error
		want string
	}{
		{&step.WaitError{TimedOut: true, Wait: step.Wait{Deadline: step.NewDeadline(1)}}, "timeout"},
		{wait("is unhealthy"), "unhealthy"},
		{wait("exited (1)"), "exited"},
		{memory, "out-of-memory"},
		{wait("is paused"), "paused"},
		{wait("was removed"), "removed"},
		{wait("has no healthcheck configured"), "no-healthcheck"},
		{&plan.Problem{Kind: "port-taken"}, "port-taken"},
		{errors.New("Bind for 0.0.0.0:80 failed: port is already allocated"), "port-taken"},
		{errors.New("all predefined address pools have been fully subnetted"), "address-pools"},
		{errors.New("invalid mount config for type \"bind\": bind source path does not exist: /x"), "path-missing"},
		{errors.New(`exec: "serve": executable file not found in $PATH`), "command-not-found"},
		{&step.NameTakenError{Cause: engine.ErrConflict}, "name-taken"},
		{pull(engine.ErrNotFound), "image-missing"},
		{pull(engine.ErrDenied), "image-denied"},
		{pull(platformError{}), "platform-mismatch"},
		{pull(engine.ErrUnavailable), "pull-failed"},
		{&engine.BuildError{}, "build-failed"},
		{&step.HookError{}, "hook-failed"},
		{&step.PreStartError{}, "hook-failed"},
		{errors.New("write /x: no space left on device"), "disk-full"},
		{&plan.Problem{}, "refused"},
		{&project.LoadError{}, "bad-file"},
		{fmt.Errorf("no engine: %w", engine.ErrUnavailable), "engine-unreachable"},
		{fmt.Errorf("stopped: %w", context.Canceled), "interrupted"},
		{errors.New("anything"), "failed"},
	} {
		got := codeOf(fmt.Errorf("around: %w", test.err))
		if got != test.want {
			t.Errorf("%v: %q, want %q", test.err, got, test.want)
		}
		if !slices.ContainsFunc(failureCodes(), func(known failureCode) bool { return known.code == got }) {
			t.Errorf("%q is not in the table", got)
		}
	}
}

type platformError struct{}

func (platformError) Error() string { return "no matching manifest" }
func (platformError) Code() string  { return "platform-mismatch" }

// The README has the same table.
func TestFailureCodesAreDocumented(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	row := regexp.MustCompile("(?m)^\\| `([a-z-]+)` \\| (.+) \\|$")
	documented := map[string]string{}
	for _, found := range row.FindAllStringSubmatch(string(readme), -1) {
		documented[found[1]] = found[2]
	}
	for _, known := range failureCodes() {
		if documented[known.code] != known.meaning {
			t.Errorf("README: `%s` is %q, want %q", known.code, documented[known.code], known.meaning)
		}
	}
	if text := strings.Count(string(readme), "| `timeout` |"); text != 1 {
		t.Errorf("the table is there %d times", text)
	}
}
