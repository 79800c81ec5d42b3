package step

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/muster-dev/muster/convergence/engine"
)

// errReached ends the event loop when the goal is reached, and errAgain when it is time for another look.
var (
	errReached = errors.New("reached")
	errAgain   = errors.New("look again")
)

const (
	// betweenRestarts is when to look again at a container that waits for its restart: an engine tells nobody when that is given up
	// after a kill, or does not succeed.
	betweenRestarts = 2 * time.Second
	// pausePatience is how long a container may stay paused where there is no deadline: an engine does that to one for a moment,
	// to make an image of it.
	pausePatience = 10 * time.Second
)

// watch is one wait under way.
type watch struct {
	step    Wait
	eng     engine.Engine
	report  func(Progress)
	last    engine.ContainerDetails
	told    string
	before  int // the restarts before the first look
	seen    bool
	killed  time.Time // when somebody has last sent a signal that ends it
	paused  time.Time // since when it was seen paused; zero while it is not
	verdict error
	// endComes says that an end is not to be judged yet: the engine is about to tell of it, and before that who has wanted it.
	endComes bool
}

// until returns when the goal is reached.
func (w *watch) until(ctx context.Context) error {
	for {
		if err := w.once(ctx); !errors.Is(err, errAgain) {
			return err
		}
	}
}

// once returns when the goal is reached, or it is time for another look.
func (w *watch) once(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	again := alarm{ring: func() { cancel(errAgain) }}
	defer again.stop()
	err := w.events(ctx, func() {
		w.verdict = w.look(ctx)
		again.set(w.pause())
	})
	switch {
	case w.verdict != nil:
		err = w.verdict
	case errors.Is(context.Cause(ctx), errAgain):
		return errAgain
	}
	if errors.Is(err, errReached) {
		return nil
	}
	return err
}

// monitor looks on for a while at what has reached its goal: the error says what became of it meanwhile.
func (w *watch) monitor(ctx context.Context) error {
	until, stop := context.WithTimeout(ctx, w.step.Monitor)
	defer stop()
	err := w.events(until, func() {
		if err := w.look(ctx); !errors.Is(err, errReached) {
			w.verdict = err
		}
	})
	switch {
	case w.verdict != nil:
		return w.verdict
	case ctx.Err() == nil && errors.Is(until.Err(), context.DeadlineExceeded):
		return nil
	}
	return err
}

// events has look called at once and after each event that says that something may be otherwise, until that gives a verdict.
func (w *watch) events(ctx context.Context, look func()) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	w.verdict, w.endComes = nil, false
	return w.eng.Events(ctx, engine.EventFilter{Project: w.step.Project}, func() {
		if look(); w.verdict != nil {
			cancel(w.verdict)
		}
	}, func(event engine.Event) error {
		if w.verdict == nil && w.concerns(event) {
			w.endComes = !tellsOfEnd(event)
			look()
		}
		return w.verdict
	})
}

// alarm rings once, unless it is set anew before. It is for one goroutine.
type alarm struct {
	ring  func()
	timer *time.Timer
}

// set has it ring after a time, and not at all for 0.
func (a *alarm) set(after time.Duration) {
	a.stop()
	if after > 0 {
		a.timer = time.AfterFunc(after, a.ring)
	}
}

func (a *alarm) stop() {
	if a.timer != nil {
		a.timer.Stop()
	}
}

// pause is when to look again whatever the engine tells; 0 for never.
func (w *watch) pause() time.Duration {
	switch {
	case w.last.State == engine.StateRestarting:
		return betweenRestarts
	case !w.paused.IsZero() && w.step.Deadline == nil:
		return max(pausePatience-time.Since(w.paused), time.Millisecond)
	}
	return 0
}

// steady returns when what runs and has no health check has run long enough.
func (w *watch) steady(ctx context.Context) error {
	for w.step.Steady > 0 && w.last.State == engine.StateRunning && w.last.HealthCheck == nil {
		if stands, err := w.stands(ctx); stands || err != nil {
			return err
		}
	}
	return nil
}

// stands lets a running container run for a while and says whether it did. Else it waits until it runs again.
func (w *watch) stands(ctx context.Context) (bool, error) {
	timer := time.NewTimer(w.step.Steady)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		return false, context.Cause(ctx)
	}
	since := w.last.StartedAt
	if err := w.until(ctx); err != nil {
		return false, err
	}
	return w.last.StartedAt.Equal(since), nil
}

// tellsOfEnd says whether the engine has told all about the end of a container when an event comes, if it has ended.
func tellsOfEnd(event engine.Event) bool {
	return event.Kind == engine.EventResync || slices.Contains([]string{"die", "destroy", "stop", "kill"}, event.Action)
}

func (w *watch) concerns(event engine.Event) bool {
	if event.Kind == engine.EventResync {
		return true
	}
	if event.Kind != engine.EventContainer || event.ID != w.last.ID {
		return false
	}
	switch event.Action {
	case "health_status", "die", "start", "destroy", "unpause", "pause":
		return true
	case "stop", "kill": // of one that waits for its restart no end is told
		if endsContainers(event) {
			w.killed = event.Time
		}
		return w.last.State == engine.StateRestarting
	case "exec_die": // a probe: only a failed one changes what is told
		return event.ExitCode != 0
	}
	return false
}

// endsContainers says whether an event is somebody's wish that a container ends.
func endsContainers(event engine.Event) bool {
	if event.Action == "stop" {
		return true
	}
	signal, err := strconv.Atoi(event.Attributes["signal"])
	const interrupt, quit, kill, terminate = 2, 3, 9, 15
	return err == nil && slices.Contains([]int{interrupt, quit, kill, terminate}, signal)
}

// look asks for the container's state: nil means to go on waiting.
func (w *watch) look(ctx context.Context) error {
	details, err := w.eng.InspectContainer(ctx, w.step.ref())
	if errors.Is(err, engine.ErrNotFound) {
		return &WaitError{Wait: w.step, Reason: reasonRemoved}
	}
	if err != nil {
		return err
	}
	missed := details.State == engine.StateExited && (!w.last.Running() || !w.last.StartedAt.Equal(details.StartedAt))
	w.note(details)
	if w.endComes && details.State == engine.StateExited {
		return nil
	}
	if missed && w.step.Goal != Completed {
		if err := w.remember(ctx, details); err != nil {
			return err
		}
	}
	reached, reason := judge(w.step, w.sight())
	switch {
	case reached:
		return errReached
	case reason != "":
		return w.failure(ctx, reason)
	}
	if text := progress(details); text != "" && text != w.told {
		w.told = text
		w.report(Progress{Text: text})
	}
	return nil
}

// remember asks what the engine still knows about a run that has ended before it was seen: whether somebody has wanted that.
func (w *watch) remember(ctx context.Context, ended engine.ContainerDetails) error {
	past := engine.EventFilter{Project: w.step.Project, Since: ended.StartedAt, Until: ended.FinishedAt}
	return w.eng.Events(ctx, past, nil, func(event engine.Event) error {
		if event.Kind == engine.EventContainer && event.ID == ended.ID && endsContainers(event) {
			w.killed = event.Time
		}
		return nil
	})
}

// note keeps what a look has found.
func (w *watch) note(details engine.ContainerDetails) {
	if !w.seen && details.State != engine.StateRestarting { // one that is between restarts already has had them
		w.before = details.RestartCount
	}
	w.seen, w.last = true, details
	switch {
	case details.State != engine.StatePaused:
		w.paused = time.Time{}
	case w.paused.IsZero():
		w.paused = time.Now()
	}
}

// sight is what there is to judge by.
func (w *watch) sight() sight {
	return sight{
		ContainerDetails: w.last, restarts: w.last.RestartCount - w.before,
		stopped: w.killed.After(w.last.StartedAt),
		stuck:   !w.paused.IsZero() && w.step.Deadline == nil && time.Since(w.paused) >= pausePatience,
	}
}
