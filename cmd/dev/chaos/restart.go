package chaos

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// upTime is how long an up may take in whose middle the engine is restarted: it waits for the engine, and puts back what it can.
const upTime = 3 * time.Minute

// restart restarts the engine in the middle of an up. That ends well or says why not; the next one puts everything right.
func (r *run) restart(ctx context.Context, kill bool) (ended bool, err error) {
	before, err := r.look(ctx)
	if err != nil {
		return false, err
	}
	r.stack.version++
	limited, cancel := context.WithTimeout(ctx, upTime)
	defer cancel()
	cmd, output, err := r.command(limited, "up", "-d")
	if err != nil {
		return false, err
	}
	started := time.Now()
	if err := cmd.Start(); err != nil {
		return false, fmt.Errorf("start muster: %w", err)
	}
	if err := r.afterAWhile(ctx); err != nil {
		return false, err
	}
	restarted := r.Restart(ctx, kill)
	err = cmd.Wait()
	took := time.Since(started).Round(time.Millisecond)
	switch {
	case restarted != nil:
		return false, restarted
	case limited.Err() != nil:
		return false, fmt.Errorf("the up did not end in %s:\n%s", upTime, output)
	case err != nil && strings.TrimSpace(output.String()) == "":
		return false, fmt.Errorf("the up failed without a word after %s: %w\n%s", took, err, output)
	}
	word := "in good order"
	if kill {
		word = "at once"
	}
	_, _ = fmt.Fprintf(r.Out, "engine ended %s in the middle of up, which ended after %s with %d:\n%s", word, took, cmd.ProcessState.ExitCode(), indent(lastLines(output.String())))
	return err == nil, r.rights(ctx, before)
}

// afterAWhile lets some of the time pass that an up usually takes.
func (r *run) afterAWhile(ctx context.Context) error {
	half := max(r.usual["up"]/2, time.Second)
	timer := time.NewTimer(half/2 + time.Duration(r.random.Int64N(int64(half))))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// lastLines are what a person is left with.
func lastLines(output string) []string {
	const most = 8
	lines := strings.Split(strings.TrimSpace(output), "\n")
	return lines[max(0, len(lines)-most):]
}

func indent(lines []string) string { return "  " + strings.Join(lines, "\n  ") + "\n" }
