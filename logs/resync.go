package logs

import (
	"context"
	"time"

	"github.com/muster-dev/muster/convergence/engine"
)

// resume is what to do after a gap in the events: streams may have ended with it, without an error.
func (w *watcher) resume(ctx context.Context) error {
	seen, err := w.look(ctx)
	if err != nil || seen == nil {
		return err
	}
	for id, c := range w.containers {
		if now, ok := seen[id]; ok && c.phase == running && phaseOf(now) == running {
			c.tail.inbox.push(task{kind: taskRead, follow: true})
		}
	}
	w.agree(seen)
	return nil
}

// compare looks whether there is something that events have not told of yet.
func (w *watcher) compare(ctx context.Context) error {
	seen, err := w.look(ctx)
	if err == nil && seen != nil {
		w.agree(seen)
	}
	return err
}

// agree gives the events some time to tell what a look has shown.
func (w *watcher) agree(seen map[string]engine.Container) {
	w.settle, w.untold = nil, w.difference(seen)
	if len(w.untold) > 0 {
		w.settle = time.NewTimer(settleTime)
	}
}

// difference is the IDs of the containers of which events have told another story than a look, or none.
func (w *watcher) difference(seen map[string]engine.Container) map[string]bool {
	ids := map[string]bool{}
	for id, now := range seen {
		c, known := w.containers[id]
		if known && c.phase != phaseOf(now) || !known && now.State != engine.StateCreated && w.wanted(now) {
			ids[id] = true
		}
	}
	for id := range w.containers {
		if _, there := seen[id]; !there {
			ids[id] = true
		}
	}
	return ids
}

// settleNow takes what a look shows for the truth, where events have not told it in time: they are lost.
func (w *watcher) settleNow(ctx context.Context) error {
	w.settle, w.untold = nil, map[string]bool{}
	seen, err := w.look(ctx)
	if err != nil || seen == nil {
		return err
	}
	for id := range w.difference(seen) {
		c, known := w.containers[id]
		now, there := seen[id]
		switch {
		case !there:
			w.forget(id, c)
			continue
		case !known:
			c = w.join(ctx, now)
		}
		c.rename(now.Name)
		w.correct(c, now)
		delete(w.created, id)
	}
	return w.withinLimit()
}

// correct brings a container to the phase that a look has shown.
func (w *watcher) correct(c *watched, now engine.Container) {
	before, after := c.phase, phaseOf(now)
	c.tail.inbox.push(task{
		kind: taskRead, follow: after == running,
		started: before == ended || before == restarting && after == running,
	})
	if after != running && before != restarting {
		w.endRun(c, task{exit: exit{code: now.ExitCode, restarting: after == restarting}})
	}
	c.phase = after
}
