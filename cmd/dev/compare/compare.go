// Package compare measures Muster against a client that does the same work with bare engine calls. Both run on the same engine,
// turn by turn, so that what counts is their ratio: absolute times differ from machine to machine.
package compare

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"github.com/muster-dev/muster/convergence/engine/docker"
)

// Options say what to measure with.
type Options struct {
	Muster string // the binary
	Folder string // for files of the measurement
	Engine *docker.Client
	Image  string // stays until it is stopped; holds a program that can be asked for its health
	Probe  []string
	Rounds int // how often each side runs
}

// Result is a measurement beside its limit.
type Result struct {
	What  string
	Value float64
	Limit float64
	Unit  string // "x" for a ratio, "MB"
	Note  string
}

// OK says whether the limit is kept.
func (r Result) OK() bool { return r.Value <= r.Limit }

// Write writes results as a table.
func Write(w io.Writer, results []Result) {
	for _, r := range results {
		verdict := "ok"
		if !r.OK() {
			verdict = "OVER"
		}
		_, _ = fmt.Fprintf(w, "%-4s  %-58s %8.2f %-3s  limit %.2f %s\n", verdict, r.What, r.Value, r.Unit, r.Limit, r.Unit)
		if r.Note != "" {
			_, _ = fmt.Fprintf(w, "      %s\n", r.Note)
		}
	}
}

// side does one side's work once, and undoes it untimed.
type side struct {
	name string
	do   func(ctx context.Context) error
	undo func(ctx context.Context) error
}

// turns runs both sides by turns, the order changing, and returns the median of each.
func turns(ctx context.Context, rounds int, raw, muster side) (rawTime, musterTime time.Duration, err error) {
	times := map[string][]time.Duration{}
	for round := range rounds + 1 {
		order := []side{raw, muster}
		if round%2 == 1 {
			slices.Reverse(order)
		}
		for _, s := range order {
			start := time.Now()
			if err := s.do(ctx); err != nil {
				return 0, 0, fmt.Errorf("%s: %w", s.name, err)
			}
			took := time.Since(start)
			if err := s.undo(ctx); err != nil {
				return 0, 0, fmt.Errorf("%s: tidy up: %w", s.name, err)
			}
			if round > 0 { // the first round warms caches
				times[s.name] = append(times[s.name], took)
			}
		}
	}
	return median(times[raw.name]), median(times[muster.name]), nil
}

func median(values []time.Duration) time.Duration {
	slices.Sort(values)
	return values[len(values)/2]
}

// ratio runs both sides and makes a result.
func (o Options) ratio(ctx context.Context, what string, raw, muster side) (Result, error) {
	const limit = 1.10
	rawTime, musterTime, err := turns(ctx, o.Rounds, raw, muster)
	if err != nil {
		return Result{}, fmt.Errorf("compare %s: %w", what, err)
	}
	return Result{
		What: what, Value: float64(musterTime) / float64(rawTime), Limit: limit, Unit: "x",
		Note: fmt.Sprintf("medians of %d: muster %s, bare client %s", o.Rounds, musterTime.Round(time.Millisecond), rawTime.Round(time.Millisecond)),
	}, nil
}

// musterSide is `muster up -d` of a file, and `muster down`.
func (o Options) musterSide(project, content string) (side, error) {
	file := filepath.Join(o.Folder, project+".yaml")
	const private = 0o600
	if err := os.WriteFile(file, []byte(content), private); err != nil {
		return side{}, fmt.Errorf("write %s: %w", file, err)
	}
	call := func(arguments ...string) func(context.Context) error {
		return func(ctx context.Context) error {
			command := exec.CommandContext(ctx, o.Muster, append([]string{"-p", project, "-f", file, "--progress", "quiet"}, arguments...)...)
			command.Env = append(os.Environ(), "DOCKER_HOST="+o.Engine.Endpoint().Host)
			if output, err := command.CombinedOutput(); err != nil {
				return fmt.Errorf("muster %v: %w\n%s", arguments, err, output)
			}
			return nil
		}
	}
	return side{name: "muster", do: call("up", "-d"), undo: call("down", "-t", "0")}, nil
}
