// Package chaos kills muster in the middle of what it does on a real engine, and looks whether the next command puts it right.
package chaos

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/muster-dev/muster/convergence/engine"
)

// Project is what the stack is called.
const Project = "muster-chaos"

// Options say what is done, and with what.
type Options struct {
	Muster string // the program
	Env    []string
	Engine engine.Engine
	Runs   Programs
	Folder string // for the stack's file
	Rounds int
	Seed   uint64
	Out    io.Writer
	// Restart ends the engine, at once or in good order, and starts it again; Restarts is how often. Nil restarts none.
	Restart  func(ctx context.Context, kill bool) error
	Restarts int
}

// Result is what was tried.
type Result struct {
	Rounds   int
	Hits     int // rounds in which the program was killed before it had come to its end
	Restarts int
	Ended    int // ups that ended well although the engine was restarted
}

// Run tries all rounds. Each begins with what the one before has left. It stops at the first round after which something is wrong, and
// the error says in what; the stack is left as it is then.
func Run(ctx context.Context, o Options) (result Result, err error) {
	r := &run{Options: o, random: rand.New(rand.NewPCG(o.Seed, 1)), stack: stack{version: 1, replicas: 2}, usual: map[string]time.Duration{}}
	if err := r.muster(ctx, "up", "-d"); err != nil {
		return result, err
	}
	for round := 1; round <= o.Rounds; round++ {
		hit, what, err := r.round(ctx)
		if result.Rounds++; hit {
			result.Hits++
		}
		_, _ = fmt.Fprintf(o.Out, "round %d: %s\n", round, what)
		if err != nil {
			return result, fmt.Errorf("round %d (%s): %w", round, what, err)
		}
	}
	for number := range o.Restarts {
		ended, err := r.restart(ctx, number%2 == 0)
		if result.Restarts++; ended {
			result.Ended++
		}
		if err != nil {
			return result, fmt.Errorf("restart %d: %w", number+1, err)
		}
	}
	return result, r.muster(ctx, "down", "-v")
}

type run struct {
	Options
	random *rand.Rand
	stack  stack
	said   strings.Builder          // by the commands since the last kill
	usual  map[string]time.Duration // how long each command takes that nobody kills
}

// action is a command to be killed, after a change of the stack.
type action struct {
	words  []string
	change func(*stack)
	downs  bool // what ran does not run after it
}

func (r *run) actions() []action {
	other := func(s *stack) { s.version++ }
	return []action{
		{words: []string{"up", "-d"}, change: other},
		{words: []string{"up", "-d"}, change: other},
		{words: []string{"up", "-d", "--force-recreate"}},
		{words: []string{"up", "-d"}, change: func(s *stack) { s.replicas = 1 + s.replicas%4 }},
		{words: []string{"down"}, downs: true},
		{words: []string{"restart"}},
	}
}

// round kills one command, expects that those that only look still work, lets another command find what is left in a third of the
// rounds, and expects that one more up puts everything right.
func (r *run) round(ctx context.Context) (hit bool, what string, err error) {
	actions := r.actions()
	chosen := actions[r.random.IntN(len(actions))]
	if chosen.change != nil {
		chosen.change(&r.stack)
	}
	before, err := r.look(ctx)
	if err != nil {
		return false, "", err
	}
	hit, after, err := r.kill(ctx, chosen)
	what = fmt.Sprintf("%s, killed after %s", strings.Join(chosen.words, " "), after.Round(time.Millisecond))
	if !hit {
		what = fmt.Sprintf("%s, had ended after %s", strings.Join(chosen.words, " "), after.Round(time.Millisecond))
	}
	if err != nil {
		return hit, what, err
	}
	between := [][]string{nil, nil, nil, nil, {"stop"}, {"start"}, {"restart"}, {"rm", "-f"}, {"create"}}
	if next := between[r.random.IntN(len(between))]; next != nil && !chosen.downs {
		what += ", then " + strings.Join(next, " ")
		if err := r.muster(ctx, next...); err != nil {
			return hit, what, err
		}
	}
	return hit, what, r.rights(ctx, before)
}

// rights expects that an up puts everything right, and that nothing is left to do then.
func (r *run) rights(ctx context.Context, before seen) error {
	r.said.Reset()
	if err := r.muster(ctx, "ps", "-a", "--format", "table {{.Name}}\t{{.Status}}\t{{.ID}}"); err != nil {
		return err
	}
	if err := r.muster(ctx, "up", "-d"); err != nil {
		return err
	}
	if err := r.muster(ctx, "plan"); err != nil {
		return fmt.Errorf("something is left to change: %w", err)
	}
	if err := r.asWanted(ctx); err != nil {
		return fmt.Errorf("%w\nbefore and after what this did:\n%s", err, r.said.String())
	}
	now, err := r.look(ctx)
	if err == nil && before.data() != "" && now.data() != before.data() {
		err = errors.New("the volume with data is another one")
	}
	return err
}

// kill starts a command and kills it at some moment of the time that it usually takes.
func (r *run) kill(ctx context.Context, chosen action) (hit bool, after time.Duration, err error) {
	cmd, output, err := r.command(ctx, chosen.words...)
	if err != nil {
		return false, 0, err
	}
	const first = 3 * time.Second // before it is known
	most := r.usual[chosen.words[0]]
	if most == 0 {
		most = first
	}
	after = time.Duration(r.random.Int64N(int64(most)))
	started := time.Now()
	if err := cmd.Start(); err != nil {
		return false, 0, fmt.Errorf("start muster: %w", err)
	}
	timer := time.AfterFunc(after, func() { _ = cmd.Process.Kill() })
	defer timer.Stop()
	err = cmd.Wait()
	if cmd.ProcessState.ExitCode() < 0 {
		return true, after, nil
	}
	if err != nil {
		return false, time.Since(started), fmt.Errorf("muster %s: %w\n%s", strings.Join(chosen.words, " "), err, output)
	}
	return false, time.Since(started), nil
}

// muster runs a command to its end.
func (r *run) muster(ctx context.Context, words ...string) error {
	cmd, output, err := r.command(ctx, words...)
	if err != nil {
		return err
	}
	started := time.Now()
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("muster %s: %w\n%s", strings.Join(words, " "), err, output)
	}
	_, _ = fmt.Fprintf(&r.said, "%s\n%s", strings.Join(words, " "), output)
	r.usual[words[0]] = max(r.usual[words[0]], time.Since(started))
	return nil
}

func (r *run) command(ctx context.Context, words ...string) (*exec.Cmd, *bytes.Buffer, error) {
	path, err := r.stack.write(r.Folder, r.Runs)
	if err != nil {
		return nil, nil, err
	}
	cmd := exec.CommandContext(ctx, r.Muster, append([]string{"-p", Project, "-f", path}, words...)...)
	cmd.Env = append(append(os.Environ(), r.Env...), "CHAOS_PASSWORD=not a secret")
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	return cmd, &output, nil
}
