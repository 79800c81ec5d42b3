package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/muster-dev/muster/convergence"
	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/project"
)

// lockOptions are those of the commands that change a project.
type lockOptions struct {
	verb     string
	patience convergence.Patience
	force    bool
}

const (
	lockTimeoutFlag     = "lock-timeout"
	lockTimeoutVariable = "MUSTER_LOCK_TIMEOUT"
)

// bindLock gives a command that changes a project, and so wants to be alone in that, its flags.
func (g *globals) bindLock(command *cobra.Command) {
	switch command.Name() {
	case "up", "down", "create", "start", "stop", "restart", "kill", "rm", "scale", "run", "pause", "unpause", "wait":
	default:
		return
	}
	flags := command.Flags()
	timeout := flags.String(lockTimeoutFlag, "",
		"How long to wait while another command changes the project: 30s, or 0 to refuse at once (default as long as that one lives)")
	flags.BoolVar(&g.lock.force, "force-unlock", false, "Remove the lock of another command that changes the project, whether that one lives or not")
	run := command.RunE
	command.RunE = func(cmd *cobra.Command, args []string) (err error) {
		text, origin := g.lookup(lockTimeoutVariable), lockTimeoutVariable
		if flags.Changed(lockTimeoutFlag) {
			text, origin = *timeout, "--"+lockTimeoutFlag
		}
		if g.lock.patience, err = parsePatience(text); err != nil {
			return fmt.Errorf("%s: %w", origin, err)
		}
		g.lock.verb = cmd.Name()
		return run(cmd, args)
	}
}

// parsePatience reads a duration, or a number of seconds as other timeouts have it.
func parsePatience(text string) (convergence.Patience, error) {
	if text == "" {
		return convergence.Patience{}, nil
	}
	limit, err := time.ParseDuration(text)
	if err != nil {
		limit, err = time.ParseDuration(text + "s")
	}
	if err != nil || limit < 0 {
		return convergence.Patience{}, fmt.Errorf("%q is no duration: write it like 30s or 5m, 0 does not wait", text)
	}
	return convergence.Patience{Limited: true, For: limit}, nil
}

// takeLock makes this command the only writer of a project. Where the engine makes no lock it goes on without: nobody is to be kept from
// taking a stack down by a disk that is full.
func (g *globals) takeLock(ctx context.Context, eng engine.Engine, projectName string) (*convergence.Lock, error) {
	lock, err := convergence.TakeLock(ctx, eng, convergence.LockOptions{
		Project: projectName, Writer: g.writer(), Patience: g.lock.patience, Force: g.lock.force,
		Waiting: func(holder convergence.Holder) {
			g.say("Waiting for %s, which changes %s since %s", holder, projectName, holder.SinceText())
		},
		Removed: func(holder convergence.Holder) {
			g.warn([]project.Warning{{Message: fmt.Sprintf("removed the lock that %s has held since %s", holder, holder.SinceText())}})
		},
	})
	var none *convergence.NoLockError
	if errors.As(err, &none) {
		g.warn([]project.Warning{{Message: none.Error() + ": going on without"}})
		return nil, nil
	}
	g.lock.force = false // once, not again for the stop after an interrupt
	return lock, err
}

// writer is who others are told changes the project.
func (g *globals) writer() convergence.Writer {
	w := convergence.Writer{Command: g.lock.verb, PID: os.Getpid(), User: g.userName()}
	w.Host, _ = os.Hostname() // without one the rest has to do
	return w
}

// userName is the user's name, or number where it has none.
func (g *globals) userName() string {
	if known, err := user.Current(); err == nil && known.Username != "" {
		return known.Username
	}
	if id := os.Getuid(); id >= 0 {
		return "uid " + strconv.Itoa(id)
	}
	return ""
}

// releaseTime bounds giving the lock back, whatever became of the command's context.
const releaseTime = 10 * time.Second

// releaseLock gives the lock to whoever waits for it.
func (g *globals) releaseLock(ctx context.Context, lock *convergence.Lock) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTime)
	defer cancel()
	if err := lock.Release(ctx); err != nil {
		g.warn([]project.Warning{{Message: err.Error()}})
	}
}
