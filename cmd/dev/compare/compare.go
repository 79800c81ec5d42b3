// Package compare measures Muster against a client that does the same work with bare engine calls, or against docker compose. Both
// run on the same engine, turn by turn, so that what counts is their ratio: absolute times differ from machine to machine.
package compare

import (
	"context"
	"errors"
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
	// Program is that program, at its path in the image, for images that are made during the measurement.
	Program     []byte
	ProgramPath string
	// Peer is the folder with docker-compose and docker-buildx, and Base an image with busybox for builds.
	Peer, Base string
	// Registry is the path of docker-registry.
	Registry string
	Rounds   int // how often each side runs
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
	name  string
	ready func(ctx context.Context) error // what has to be there before, untimed; may be nil
	do    func(ctx context.Context) error
	undo  func(ctx context.Context) error
}

// once runs a side and says how long its work took.
func (s side) once(ctx context.Context) (took time.Duration, err error) {
	if s.ready != nil {
		if err := s.ready(ctx); err != nil {
			return 0, fmt.Errorf("%s: get ready: %w", s.name, err)
		}
	}
	start := time.Now()
	err = s.do(ctx)
	took = time.Since(start)
	if err != nil {
		err = fmt.Errorf("%s: %w", s.name, err)
	}
	if undone := s.undo(context.WithoutCancel(ctx)); undone != nil {
		err = errors.Join(err, fmt.Errorf("%s: tidy up: %w", s.name, undone))
	}
	return took, err
}

// match is what two sides are compared in.
type match struct {
	what  string
	limit float64
	// rounds are how often each side runs, and warmUp how many of the first count for nothing: they warm caches.
	rounds, warmUp int
}

// exact is to what times are told.
func (m match) exact() time.Duration {
	const many = 50
	if m.rounds > many {
		return time.Millisecond / 100 //nolint:mnd // two digits of a millisecond
	}
	return time.Millisecond
}

// turns runs both sides by turns, the order changing, and returns the median of each.
func turns(ctx context.Context, m match, other, muster side) (otherTime, musterTime time.Duration, err error) {
	times := map[string][]time.Duration{}
	for round := range m.rounds + m.warmUp {
		order := []side{other, muster}
		if round%2 == 1 {
			slices.Reverse(order)
		}
		for _, s := range order {
			took, err := s.once(ctx)
			if err != nil {
				return 0, 0, err
			}
			if round >= m.warmUp {
				times[s.name] = append(times[s.name], took)
			}
		}
	}
	return median(times[other.name]), median(times[muster.name]), nil
}

func median(values []time.Duration) time.Duration {
	slices.Sort(values)
	return values[len(values)/2]
}

// ratio runs both sides and makes a result.
func (o Options) ratio(ctx context.Context, m match, other, muster side) (Result, error) {
	otherTime, musterTime, err := turns(ctx, m, other, muster)
	if err != nil {
		return Result{}, fmt.Errorf("compare %s: %w", m.what, err)
	}
	return Result{
		What: m.what, Value: float64(musterTime) / float64(otherTime), Limit: m.limit, Unit: "x",
		Note: fmt.Sprintf("medians of %d: %s %s, %s %s", m.rounds, muster.name, musterTime.Round(m.exact()),
			other.name, otherTime.Round(m.exact())),
	}, nil
}

// usual is a comparison with a tenth of room.
func (o Options) usual(what string) match {
	const limit = 1.10
	return match{what: what, limit: limit, rounds: o.Rounds, warmUp: 1}
}

// muster is a call of the program for a project, told where its file is.
func (o Options) muster(project, file string, arguments ...string) func(context.Context) error {
	arguments = append([]string{"-p", project, "-f", file, "--progress", "quiet"}, arguments...)
	return func(ctx context.Context) error { return o.call(exec.CommandContext(ctx, o.Muster, arguments...)) }
}

// call runs a program on the engine, and says what it said where it fails.
func (o Options) call(command *exec.Cmd) error {
	command.Env = append(command.Environ(), "DOCKER_HOST="+o.Engine.Endpoint().Host)
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %v: %w\n%s", filepath.Base(command.Path), command.Args[1:], err, output)
	}
	return nil
}

// musterSide is `muster up -d` of a file, and `muster down`.
func (o Options) musterSide(project, content string) (side, error) {
	file := filepath.Join(o.Folder, project+".yaml")
	const private = 0o600
	if err := os.WriteFile(file, []byte(content), private); err != nil {
		return side{}, fmt.Errorf("write %s: %w", file, err)
	}
	return side{name: "muster", do: o.muster(project, file, "up", "-d"), undo: o.muster(project, file, "down", "-t", "0")}, nil
}
