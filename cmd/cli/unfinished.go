package cli

import (
	"context"
	"fmt"
	"slices"

	"github.com/muster-dev/muster/convergence"
	"github.com/muster-dev/muster/convergence/plan"
	"github.com/muster-dev/muster/project"
)

// unfinished looks for what is in the middle of a change, or was left there. Who may list containers and not volumes is not told of locks.
func (g *globals) unfinished(ctx context.Context, here found) convergence.Unfinished {
	state := plan.State{Containers: slices.Concat(here.containers, here.hooks)}
	state.Volumes, _ = here.engine.ListVolumes(ctx)
	return convergence.FindUnfinished(ctx, here.engine, here.name, state)
}

// tellUnfinished warns of what an interrupted command has left, and says what puts it right.
func (g *globals) tellUnfinished(name string, unfinished convergence.Unfinished) {
	if !unfinished.Interrupted() {
		return
	}
	by := "an interrupted command"
	if holder := unfinished.Holder; holder != nil {
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
