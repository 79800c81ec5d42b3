package cli

import (
	"fmt"
	"sync"

	"github.com/muster-dev/muster/cmd/display"
	"github.com/muster-dev/muster/convergence"
	"github.com/muster-dev/muster/convergence/plan"
)

// telling knows the progress that has the terminal, so that what comes from elsewhere is said through it.
type telling struct {
	mutex   sync.Mutex // of the progress, too
	current display.Progress
}

// by makes a progress the one that has the terminal. What comes back may be told something from any goroutine.
func (t *telling) by(progress display.Progress) display.Progress {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.current = progress
	return told{progress, &t.mutex}
}

// say says something through the progress that has the terminal, else through another.
func (t *telling) say(text string, other func() display.Progress) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	if t.current == nil {
		other().Say(text)
		return
	}
	t.current.Say(text)
}

// told is progress whose methods may be called by several at once.
type told struct {
	display.Progress
	mutex *sync.Mutex
}

// Begin implements [display.Progress].
func (t told) Begin(title display.Title, made *plan.Plan) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.Progress.Begin(title, made)
}

// Event implements [display.Progress].
func (t told) Event(event convergence.Event) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.Progress.Event(event)
}

// Say implements [display.Progress].
func (t told) Say(text string) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.Progress.Say(text)
}

// End implements [display.Progress].
func (t told) End(err error) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.Progress.End(err)
}

// say writes a line for people, where they want to hear anything. It may be called from any goroutine, also while a plan is applied.
func (g *globals) say(format string, arguments ...any) {
	looks, err := g.looks()
	if err != nil || looks.Mode == display.Quiet {
		return
	}
	g.telling.say(fmt.Sprintf(format, arguments...), func() display.Progress { return g.untold(looks) })
}

// waitsForEngine tells why nothing happens for a while.
func (g *globals) waitsForEngine(err error) { g.say("%v; waiting for it to answer again", err) }
