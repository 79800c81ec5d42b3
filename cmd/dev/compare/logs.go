package compare

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/muster-dev/muster/convergence/engine"
)

const (
	logWriters = 8
	logLines   = 100_000 // of each
	logRounds  = 3
	// logText is what comes after a line's number, so that a line has about 110 bytes.
	logText = "GET /shop/cart?item=4711&session=8f14e45fceea167a5a36dedd4bea2543 HTTP/1.1 200 5120 curl/8.5 in 12 ms ok"

	// gatherTime is how long the writers have to be started.
	gatherTime = 10 * time.Second

	burstSeconds, burstLines = 20, 50_000 // lines a second
	// burstPause is how long the slow reader of a burst pauses after burstPiece bytes: it takes less than is written.
	burstPause, burstPiece = 20 * time.Millisecond, 64 << 10
)

// written is a project whose services have each written so many lines.
type written struct {
	Options
	name, file string
	lines      int
}

// write lets the services write, and returns when they have ended.
func (o Options) write(ctx context.Context, name string, lines int) (written, error) {
	var content strings.Builder
	content.WriteString("services:\n")
	names := make([]string, logWriters)
	begin := time.Now().Add(gatherTime).Unix() // services write at once; of logs that follow each other there is only one to read at a time
	for i := range names {
		names[i] = fmt.Sprintf("s%d", i+1)
		shell := fmt.Sprintf(`while [ $$(date +%%s) -lt %d ]; do sleep 0.05; done; awk '%s'`, begin, awk(lines))
		fmt.Fprintf(&content, "  %s: {image: %q, command: [sh, -c, %q]}\n", names[i], o.Base, shell)
	}
	w, err := o.project(name, content.String())
	if err != nil {
		return w, err
	}
	w.lines = lines
	if err := o.muster(name, w.file, "up", "-d")(ctx); err != nil {
		return w, err
	}
	return w, o.muster(name, w.file, append([]string{"wait"}, names...)...)(ctx)
}

// project is a file of the measurement.
func (o Options) project(name, content string) (written, error) {
	w := written{Options: o, name: name, file: filepath.Join(o.Folder, name+".yaml")}
	const private = 0o600
	if err := os.WriteFile(w.file, []byte(content), private); err != nil {
		return w, fmt.Errorf("write %s: %w", w.file, err)
	}
	return w, nil
}

// awk is a program that writes numbered lines.
func awk(lines int) string {
	return fmt.Sprintf(`BEGIN { for (i = 1; i <= %d; i++) printf "%%07d %s\n", i }`, lines, logText)
}

func (w written) remove(ctx context.Context) error {
	return w.muster(w.name, w.file, "down", "-t", "0")(context.WithoutCancel(ctx))
}

// show is a call of `logs` into a pipe, by Muster or by docker compose.
func (w written) show(ctx context.Context, program string, flags ...string) *exec.Cmd {
	command := exec.CommandContext(ctx, program, append([]string{"-p", w.name, "-f", w.file, "logs", "--no-color"}, flags...)...)
	command.Env = append(command.Environ(), "DOCKER_HOST="+w.Engine.Endpoint().Host)
	return command
}

// lineCount counts lines and is what else is written to.
type lineCount struct{ lines int }

func (c *lineCount) Write(data []byte) (int, error) {
	c.lines += bytes.Count(data, []byte{'\n'})
	return len(data), nil
}

// all runs a call of `logs` to its end and says what it cost; it is an error when it has not given all lines.
func (w written) all(ctx context.Context, program string) (wall, cpu time.Duration, err error) {
	var count lineCount
	command := w.show(ctx, program)
	command.Stdout = &count
	start := time.Now()
	if err := command.Run(); err != nil {
		return 0, 0, fmt.Errorf("%s logs: %w", filepath.Base(program), err)
	}
	wall = time.Since(start)
	if want := logWriters * w.lines; count.lines != want {
		return 0, 0, fmt.Errorf("%s logs: %d lines, want %d", filepath.Base(program), count.lines, want)
	}
	return wall, command.ProcessState.UserTime() + command.ProcessState.SystemTime(), nil
}

// raw reads the same with bare calls at once, and drops it.
func (w written) raw(ctx context.Context) (time.Duration, error) {
	containers, err := w.Engine.ListContainers(ctx, engine.ContainerFilter{Project: w.name})
	if err != nil {
		return 0, err
	}
	start := time.Now()
	reads, ctx := errgroup.WithContext(ctx)
	for _, container := range containers {
		reads.Go(func() error {
			return w.Engine.Logs(ctx, container.ID, engine.LogOptions{Tail: -1, Timestamps: true}, func(engine.Frame) error { return nil })
		})
	}
	err = reads.Wait()
	return time.Since(start), err
}

// History compares `logs` of many lines with a bare client in time, and with docker compose in work, and measures its memory.
func (o Options) History(ctx context.Context, root string) (results []Result, err error) {
	w, err := o.write(ctx, "muster-bench-logs", logLines)
	defer func() { err = errors.Join(err, w.remove(ctx)) }()
	if err != nil {
		return nil, err
	}
	var bare, wall, cpu, peers []time.Duration
	for range logRounds {
		took, err := w.raw(ctx)
		if err != nil {
			return nil, fmt.Errorf("bare client: %w", err)
		}
		own, work, err := w.all(ctx, o.Muster)
		if err != nil {
			return nil, err
		}
		_, peer, err := w.all(ctx, filepath.Join(o.Peer, "docker-compose"))
		if err != nil {
			return nil, err
		}
		bare, wall, cpu, peers = append(bare, took), append(wall, own), append(cpu, work), append(peers, peer)
	}
	what := fmt.Sprintf("logs, %d x %d lines", logWriters, logLines)
	memory, err := w.memory(ctx, root, what+", resident")
	return []Result{
		ratioOf(what+", time beside a bare client", 1.10, median(wall), median(bare)),
		ratioOf(what+", CPU beside docker compose", 0.40, median(cpu), median(peers)),
		memory,
	}, err
}

func ratioOf(what string, limit float64, own, other time.Duration) Result {
	return Result{
		What: what, Value: float64(own) / float64(other), Limit: limit, Unit: "x",
		Note: fmt.Sprintf("medians of %d: muster %s, other %s", logRounds, own.Round(time.Millisecond), other.Round(time.Millisecond)),
	}
}

// LongHistory measures the memory of ten times the lines.
func (o Options) LongHistory(ctx context.Context, root string) (result Result, err error) {
	const times = 10
	w, err := o.write(ctx, "muster-bench-logs-long", times*logLines)
	defer func() { err = errors.Join(err, w.remove(ctx)) }()
	if err != nil {
		return Result{}, err
	}
	return w.memory(ctx, root, fmt.Sprintf("logs, %d x %d lines, resident", logWriters, w.lines))
}

// memory is how much memory `logs` into a pipe takes at most.
func (w written) memory(ctx context.Context, root, what string) (Result, error) {
	resident, err := w.peak(ctx, root, w.show(ctx, w.Muster), io.Discard)
	return Result{What: what, Value: resident / megabyte, Limit: 30, Unit: "MB"}, err
}

// peak runs a command with its output going through a pipe to a writer, and returns how many bytes it held at most.
func (w written) peak(ctx context.Context, root string, command *exec.Cmd, to io.Writer) (float64, error) {
	helper := filepath.Join(w.Folder, "resident")
	build := exec.CommandContext(ctx, "go", "build", "-ldflags=-s -w", "-o", helper, "./cmd/dev/compare/resident")
	build.Dir = root
	if output, err := build.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("compile resident: %w\n%s", err, output)
	}
	var told bytes.Buffer
	measured := exec.CommandContext(ctx, helper, append([]string{"-pass"}, command.Args...)...) //nolint:gosec // our own
	measured.Env, measured.Stdout, measured.Stderr = command.Env, to, &told
	if err := measured.Run(); err != nil {
		return 0, fmt.Errorf("measure muster logs: %w\n%s", err, told.String())
	}
	bytesHeld, err := strconv.ParseFloat(strings.TrimSpace(told.String()), 64)
	if err != nil {
		return 0, fmt.Errorf("measure muster logs: %w", err)
	}
	return bytesHeld, nil
}

// Burst follows a container that writes much faster than its lines are taken: none may be lost, and memory must not grow.
func (o Options) Burst(ctx context.Context, root string) (results []Result, err error) {
	shell := fmt.Sprintf(`i=0; while [ $i -lt %d ]; do sleep 1 & awk '%s'; wait; i=$((i+1)); done`, burstSeconds, awk(burstLines))
	shell = strings.ReplaceAll(shell, "$", "$$") // for the file
	w, err := o.project("muster-bench-burst", fmt.Sprintf("services:\n  web: {image: %q, command: [sh, -c, %q]}\n", o.Base, shell))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.remove(ctx)) }()
	if err := o.muster(w.name, w.file, "up", "-d")(ctx); err != nil {
		return nil, err
	}
	command := exec.CommandContext(ctx, o.Muster, "-p", w.name, "logs", "-f", "--no-color", "--no-log-prefix")
	command.Env = append(command.Environ(), "DOCKER_HOST="+o.Engine.Endpoint().Host)
	from, to := io.Pipe()
	var wrong int
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		wrong, err = takeSlowly(from)
		from.CloseWithError(err)
		return err
	})
	var resident float64
	group.Go(func() (err error) {
		defer to.Close() //nolint:errcheck // it cannot fail
		resident, err = w.peak(ctx, root, command, to)
		return err
	})
	if err := group.Wait(); err != nil {
		return nil, err
	}
	what := fmt.Sprintf("logs -f of %d lines a second for %d s, taken slowly", burstLines, burstSeconds)
	return []Result{
		{What: what + ": lost", Value: float64(wrong), Limit: 0, Unit: "lines"},
		{What: what, Value: resident / megabyte, Limit: 30, Unit: "MB"},
	}, nil
}

// takeSlowly reads numbered lines, more slowly than they are written, and says how many are not where they belong.
func takeSlowly(from io.Reader) (wrong int, err error) {
	pace := time.NewTicker(burstPause)
	defer pace.Stop()
	reader := bufio.NewReaderSize(from, burstPiece)
	taken, next := 0, 0
	for {
		line, err := reader.ReadSlice('\n')
		if errors.Is(err, io.EOF) {
			return wrong + burstSeconds*burstLines - next, nil
		}
		if err != nil {
			return wrong, err
		}
		if number, err := strconv.Atoi(string(line[:min(len(line), 7)])); err == nil { //nolint:mnd // digits, see awk
			if number != next%burstLines+1 {
				wrong++
			}
			next++
		}
		if taken += len(line); taken >= burstPiece {
			taken = 0
			<-pace.C
		}
	}
}
