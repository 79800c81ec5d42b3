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
	by, holder := "an interrupted command", unfinished.Holder
	switch {
	case holder == nil && len(unfinished.Leftovers) == 0, holder != nil && livesHere(*holder):
		return
	case holder != nil:
		by = fmt.Sprintf("%s, begun at %s", holder, holder.SinceText())
	}
	what := "a lock is left over"
	switch count := len(unfinished.Leftovers); count {
	case 0:
	case 1:
		what = "1 container is left over"
	default:
		what = fmt.Sprintf("%d containers are left over", count)
	}
	g.warn([]project.Warning{{Message: fmt.Sprintf(
		"%s from %s: any command that changes %s puts it right, like `%s up`", what, by, name, g.invocation,
	)}})
}

// livesHere says whether a holder is a process of this host that is there still: it is at work. Of others nobody knows.
func livesHere(holder convergence.Holder) bool {
	host, err := os.Hostname()
	if err != nil || host != holder.Host || holder.PID <= 0 {
		return false
	}
	process, err := os.FindProcess(holder.PID)
	return err == nil && process.Signal(syscall.Signal(0)) == nil
}
