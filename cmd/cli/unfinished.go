package cli

import (
	"context"
	"fmt"
	"os"
	"slices"
	"syscall"

	"github.com/muster-dev/muster/convergence"
	"github.com/muster-dev/muster/convergence/plan"
	"github.com/muster-dev/muster/project"
)

// unfinished looks for what is in the middle of a change, or was left there. Who may list containers and not volumes is not told of locks.
func (g *globals) unfinished(ctx context.Context, here found) convergence.Unfinished {
	state := plan.State{Containers: slices.Concat(here.containers, here.hooks)}
	state.Volumes, _ = here.engine.ListVolumes(ctx)
	return convergence.FindUnfinished(here.name, state)
}

// tellUnfinished warns of what an interrupted command has left, and says what puts it right.
func (g *globals) tellUnfinished(name string, unfinished convergence.Unfinished) {
	holder, right := unfinished.Holder, fmt.Sprintf("any command that changes %s puts it right, like `%s up`", name, g.invocation)
	switch {
	case holder == nil && len(unfinished.Leftovers) == 0, holder != nil && isHere(*holder) && lives(holder.PID):
		return
	case holder == nil:
		right = leftOver(len(unfinished.Leftovers)) + " from an interrupted command: " + right
	case isHere(*holder):
		right = fmt.Sprintf("%s from %s, begun at %s: %s", leftOver(len(unfinished.Leftovers)), holder, holder.SinceText(), right)
	default: // nobody can tell from here
		right = fmt.Sprintf("%s changes %s since %s, or was cut short: then %s", holder, name, holder.SinceText(), right)
	}
	g.warn([]project.Warning{{Message: right}})
}

func leftOver(containers int) string {
	switch containers {
	case 0:
		return "a lock is left over"
	case 1:
		return "1 container is left over"
	}
	return fmt.Sprintf("%d containers are left over", containers)
}

// isHere says whether a holder is a process of this host.
func isHere(holder convergence.Holder) bool {
	host, err := os.Hostname()
	return err == nil && host == holder.Host
}

// lives says whether a process of this host is there.
func lives(pid int) bool {
	if pid <= 0 {
		return false
	}
	process, err := os.FindProcess(pid)
	return err == nil && process.Signal(syscall.Signal(0)) == nil
}
