package logs

import (
	"context"

	"github.com/muster-dev/muster/convergence/engine"
)

// take tells the tails what events say.
func (w *watcher) take(ctx context.Context, events []engine.Event) error {
	var seen map[string]engine.Container
	for _, event := range events {
		if !w.needsLook(event) {
			continue
		}
		var err error
		if seen, err = w.look(ctx); err != nil {
			return err
		}
		break
	}
	for _, event := range events {
		if event.Kind == engine.EventResync {
			if err := w.resume(ctx); err != nil {
				return err
			}
		}
		if event.Kind == engine.EventContainer {
			w.happened(ctx, event, seen)
		}
	}
	if w.untold != nil && len(w.untold) == 0 {
		w.settle = nil
	}
	return w.withinLimit()
}

// needsLook says whether an event leaves something open: whether the engine restarts a container that has ended, and who a
// new one is.
func (w *watcher) needsLook(event engine.Event) bool {
	if event.Kind != engine.EventContainer {
		return false
	}
	c, known := w.containers[event.ID]
	switch event.Action {
	case "die":
		return known
	case "start":
		return !known
	case "stop":
		return known && c.phase == restarting
	}
	return false
}

func (w *watcher) happened(ctx context.Context, event engine.Event, seen map[string]engine.Container) {
	c, known := w.containers[event.ID]
	if !known {
		w.newcomer(ctx, event, seen)
		return
	}
	if event.Time.Before(c.last) && event.Action != "destroy" {
		return // told again after a lost connection
	}
	delete(w.untold, event.ID)
	w.mention(event, c.source)
	now, there := seen[event.ID]
	switch event.Action {
	case "start":
		c.last = event.Time
		w.started(c, event)
	case "oom":
		c.outOfMemory = true
	case "die":
		c.last = event.Time
		if c.phase != running {
			return
		}
		again := there && now.Running()
		w.endRun(c, task{time: event.Time, exit: exit{
			code: event.ExitCode, restarting: again, outOfMemory: c.outOfMemory, replaced: w.replaced(c),
		}})
		if again || seen == nil {
			c.phase = restarting
		}
	case "stop":
		if c.phase == restarting && seen != nil && !now.Running() {
			c.phase = ended
		}
	case "rename":
		c.rename(event.Name)
	case "destroy":
		w.forget(event.ID, c)
	}
}

// newcomer sees to a container that is not followed yet.
func (w *watcher) newcomer(ctx context.Context, event engine.Event, seen map[string]engine.Container) {
	container, there := seen[event.ID]
	if !there {
		container = told(event)
	}
	if !w.wanted(container) {
		delete(w.created, event.ID)
		return
	}
	switch event.Action {
	case "create":
		w.created[event.ID] = container
	case "destroy":
		delete(w.created, event.ID)
	case "start":
		delete(w.untold, event.ID)
		c := w.join(ctx, container)
		c.last = event.Time
		w.started(c, event)
	}
}

// join takes in a container that was not there at first, as one that has not begun to run.
//
// Where it takes the place of one that has ended, its lines come after all of that one's.
func (w *watcher) join(ctx context.Context, container engine.Container) *watched {
	c := w.adopt(container, len(w.containers)+1)
	c.tail.lines, c.phase = -1, ended
	if at, ok := c.source.place(); ok && w.ended[at] != nil {
		before, passed := w.ended[at], make(chan struct{})
		before.inbox.push(task{kind: taskPass, passed: passed})
		c.tail.inbox.push(task{kind: taskAfter, passed: passed, ended: before.ended})
		delete(w.ended, at)
	}
	w.group.Go(func() error { return c.tail.run(ctx) })
	return c
}

func (w *watcher) started(c *watched, event engine.Event) {
	delete(w.created, event.ID)
	if c.phase == running {
		return
	}
	c.phase = running
	c.tail.inbox.push(task{kind: taskRead, time: event.Time, follow: true, started: true})
}

func (w *watcher) endRun(c *watched, end task) {
	end.kind = taskExit
	c.tail.inbox.push(end)
	c.phase, c.outOfMemory = ended, false
	if at, ok := c.source.place(); ok {
		w.ended[at] = c.tail
	}
}

// replaced says whether a container is there that takes another's place.
func (w *watcher) replaced(c *watched) bool {
	at, ok := c.source.place()
	for _, next := range w.created {
		if its, _ := SourceOf(next).place(); ok && its == at {
			return true
		}
	}
	return false
}

// mention tells of what is no part of the story, where that is asked for.
func (w *watcher) mention(event engine.Event, source Source) {
	item, ok := markOf(event, source)
	if ok && w.options.Events && (item.Kind == KindOutOfMemory || item.Kind == KindHealth) && event.Time.After(w.begin) {
		w.herald.inbox.push(task{kind: taskMark, mark: &item})
	}
}

func (c *watched) rename(name string) {
	if name != "" && name != c.source.Container {
		c.source.Container = name
		c.tail.inbox.push(task{kind: taskRename, name: name})
	}
}

// forget lets go of a container that is gone.
func (w *watcher) forget(id string, c *watched) {
	if c.phase == running {
		w.endRun(c, task{exit: exit{code: UnknownExit}})
	}
	c.tail.inbox.close()
	delete(w.containers, id)
}
