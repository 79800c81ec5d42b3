package dockertest

import (
	"cmp"
	"context"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Fault is something that goes wrong with a call, or with several.
type Fault struct {
	// On says which calls are meant; nil means all.
	On func(Call) bool
	// Nth is which of them, counted from 1 since the injection; 0 means each.
	Nth int
	// Delay passes before anything else happens.
	Delay time.Duration
	// Done lets the engine do what was asked before the outcome: the caller cannot know that it did.
	Done bool
	// Then is what comes of the call.
	Then Outcome
	// Status and Message are the answer of Fail: 500 and "injected failure" if they are not set.
	Status  int
	Message string
	// Bytes are how much of the answer gets through before a Cut. A stream, like events, logs or a pull, runs until there.
	Bytes int
	// Came is called when a call meets the fault, before anything comes of it; nil tells nobody.
	Came func()
}

// Outcome is what comes of a call.
type Outcome int

// Outcomes.
const (
	// Proceed answers as ever: a fault for its delay.
	Proceed Outcome = iota
	// Fail answers with an error.
	Fail
	// Hang answers nothing until whoever asked gives up.
	Hang
	// Cut closes the connection in the middle of the answer. Without Done it is closed before the engine does anything.
	Cut
	// Refuse cuts this connection and every later one, until [Engine.Accept].
	Refuse
)

// On matches the calls of a route, as in "POST /containers/{id}/start".
func On(route string) func(Call) bool {
	return func(call Call) bool { return call.Route == route }
}

// Changing matches the calls that ask for a change.
func Changing(call Call) bool { return call.Changes() }

// Inject makes things go wrong from now on; the function that it returns ends that. Of several faults that fit a call, the
// first injected counts.
func (e *Engine) Inject(fault Fault) (remove func()) {
	e.faults.mutex.Lock()
	defer e.faults.mutex.Unlock()
	injected := &injection{Fault: fault}
	e.faults.active = append(e.faults.active, injected)
	return func() {
		e.faults.mutex.Lock()
		defer e.faults.mutex.Unlock()
		e.faults.active = slices.DeleteFunc(e.faults.active, func(i *injection) bool { return i == injected })
	}
}

// Refuse cuts every call from now on: for whoever is connected the engine is gone.
func (e *Engine) Refuse() { e.faults.setRefuse(true) }

// Accept ends [Engine.Refuse].
func (e *Engine) Accept() { e.faults.setRefuse(false) }

type faults struct {
	mutex    sync.Mutex
	refuse   bool
	active   []*injection
	underWay map[*exchange]context.CancelFunc
}

type injection struct {
	Fault
	seen int // calls that it fits
}

func (f *faults) setRefuse(refuse bool) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.refuse = refuse
	if !refuse {
		return
	}
	for _, cancel := range f.underWay {
		cancel()
	}
}

// enter notes a call that is under way and finds the fault for it; its outcome is Proceed where there is none.
func (f *faults) enter(x *exchange, call Call) Fault {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	if f.refuse {
		return Fault{Then: Refuse}
	}
	ctx, cancel := context.WithCancel(x.Context())
	x.Request = x.WithContext(ctx)
	if f.underWay == nil {
		f.underWay = map[*exchange]context.CancelFunc{}
	}
	f.underWay[x] = cancel
	for _, candidate := range f.active {
		if candidate.On != nil && !candidate.On(call) {
			continue
		}
		candidate.seen++
		if candidate.Nth == 0 || candidate.Nth == candidate.seen {
			return candidate.Fault
		}
	}
	return Fault{}
}

// leave forgets a call and says whether the engine refuses by now.
func (f *faults) leave(x *exchange) (refused bool) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	if cancel, ok := f.underWay[x]; ok {
		cancel()
		delete(f.underWay, x)
	}
	return f.refuse
}

// around answers a call as the fault for it wants. A panic with http.ErrAbortHandler closes the connection.
func (f *faults) around(x *exchange, call Call, handle func()) {
	fault := f.enter(x, call)
	defer f.leave(x)
	if fault.Came != nil {
		fault.Came()
	}
	if fault.Delay > 0 {
		select {
		case <-time.After(fault.Delay):
		case <-x.Context().Done():
		}
	}
	switch {
	case fault.Then == Proceed:
		handle()
		if f.leave(x) {
			panic(http.ErrAbortHandler)
		}
		return
	case fault.Then == Cut && fault.Done:
		cut := &cutWriter{ResponseWriter: x.w, left: fault.Bytes}
		x.w = cut
		handle()
		cut.cut()
	case fault.Done:
		answer := x.w
		x.w = discard{http.Header{}}
		handle()
		x.w = answer
	}
	f.conclude(x, fault)
}

// conclude is the outcome of a call that does not proceed.
func (f *faults) conclude(x *exchange, fault Fault) {
	switch fault.Then {
	case Fail:
		x.fail(&apiError{cmp.Or(fault.Status, http.StatusInternalServerError), cmp.Or(fault.Message, "injected failure")})
		return
	case Hang:
		_, _ = io.Copy(io.Discard, x.Body) // until then the server does not see that the caller has gone
		<-x.Context().Done()
	case Refuse:
		f.setRefuse(true)
	}
	panic(http.ErrAbortHandler)
}
