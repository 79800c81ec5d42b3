package logs

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/muster-dev/muster/convergence/engine"
)

// fake is an engine in memory, as far as logs need one. Whoever waits in it waits on channels, as testing/synctest asks.
type fake struct {
	mutex       sync.Mutex
	containers  []*box
	subscribers []*subscription
	told        []engine.Event
	change      chan struct{} // closed and made anew whenever something happens

	silent   bool          // events are lost
	delay    time.Duration // of events
	listFail error
	opened   []engine.LogOptions
	lists    int
}

// box is a container.
type box struct {
	engine.Container
	log     []entry
	run     int // counts its starts
	tty     bool
	refuses error // to have its log read

	breakAfter []int  // after how many frames the next connections break
	breakWith  error  // nil: because the engine is away
	endAfter   []int  // after how many frames the next followed connections end as if the container had
	hangs      bool   // a followed stream does not end with the container
	onOpen     func() // is called once, before the next connection
}

type entry struct {
	stream engine.Stream
	time   time.Time
	text   string
	run    int
}

type subscription struct {
	filter engine.EventFilter
	queue  []engine.Event
	broken error
}

func newFake() *fake { return &fake{change: make(chan struct{})} }

func (f *fake) changed() {
	close(f.change)
	f.change = make(chan struct{})
}

// wait lets go of the mutex until something has changed.
func (f *fake) wait(ctx context.Context) error {
	change := f.change
	f.mutex.Unlock()
	defer f.mutex.Lock()
	select {
	case <-change:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (f *fake) do(work func()) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	work()
	f.changed()
}

func (f *fake) tell(b *box, action string, change func(*engine.Event)) {
	event := engine.Event{
		Kind: engine.EventContainer, Action: action, ID: b.ID, Time: time.Now(), Name: b.Name, Project: b.Project,
		Service: b.Service, Number: b.Number, OneOff: b.OneOff,
	}
	if change != nil {
		change(&event)
	}
	f.told = append(f.told, event)
	if f.silent {
		return
	}
	for _, s := range f.subscribers {
		s.queue = append(s.queue, event)
	}
}

// create makes a container of the project "shop".
func (f *fake) create(serviceName string, number int) *box {
	b := &box{Container: engine.Container{
		Name: fmt.Sprintf("shop-%s-%d", serviceName, number), Project: "shop", Service: serviceName, Number: number,
		State: engine.StateCreated,
	}}
	f.do(func() {
		b.ID = fmt.Sprintf("id-%s-%d-%d", serviceName, number, len(f.containers))
		f.containers = append(f.containers, b)
		f.tell(b, "create", nil)
	})
	return b
}

func (f *fake) start(b *box) {
	f.do(func() {
		b.run++
		b.State = engine.StateRunning
		f.tell(b, "start", nil)
	})
}

// run is a container that has been started and has written.
func (f *fake) run(serviceName string, number int, lines ...string) *box {
	b := f.create(serviceName, number)
	f.start(b)
	f.write(b, lines...)
	return b
}

func (f *fake) write(b *box, lines ...string) {
	for _, line := range lines {
		f.writeTo(b, engine.Stdout, line+"\n")
	}
}

func (f *fake) writeTo(b *box, stream engine.Stream, text string) {
	f.do(func() { b.log = append(b.log, entry{stream, time.Now(), text, b.run}) })
}

func (f *fake) die(b *box, code int, next engine.State) {
	f.do(func() {
		b.State, b.ExitCode = next, code
		f.tell(b, "die", func(e *engine.Event) { e.ExitCode = code })
	})
}

func (f *fake) rename(b *box, name string) {
	f.do(func() {
		b.Name = name
		f.tell(b, "rename", nil)
	})
}

func (f *fake) remove(b *box) {
	f.do(func() {
		f.containers = slices.DeleteFunc(f.containers, func(other *box) bool { return other == b })
		f.tell(b, "destroy", nil)
	})
}

// reconnect is what a hub makes of an event stream that was lost and stands again.
func (f *fake) reconnect() {
	f.do(func() {
		f.silent = false
		for _, s := range f.subscribers {
			s.queue = append(s.queue, engine.Event{Kind: engine.EventResync, Time: time.Now()})
		}
	})
}

func (f *fake) ListContainers(_ context.Context, filter engine.ContainerFilter) ([]engine.Container, error) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.lists++
	if f.listFail != nil {
		return nil, f.listFail
	}
	var listed []engine.Container
	for _, b := range f.containers {
		if filter.Project == "" || filter.Project == b.Project {
			listed = append(listed, b.Container)
		}
	}
	return listed, nil
}

// Info tells the time.
func (f *fake) Info(context.Context) (engine.Info, error) { return engine.Info{Time: time.Now()}, nil }

func (f *fake) Events(ctx context.Context, filter engine.EventFilter, ready func(), yield func(engine.Event) error) error {
	if !filter.Since.IsZero() {
		return f.remembered(filter, yield)
	}
	f.mutex.Lock()
	defer f.mutex.Unlock()
	s := &subscription{filter: filter}
	f.subscribers = append(f.subscribers, s)
	f.mutex.Unlock()
	ready()
	f.mutex.Lock()
	for {
		for len(s.queue) > 0 {
			next := s.queue[0]
			s.queue = s.queue[1:]
			if filter.Project != "" && next.Project != filter.Project && next.Kind == engine.EventContainer {
				continue
			}
			delay := f.delay
			f.mutex.Unlock()
			time.Sleep(delay)
			err := yield(next)
			f.mutex.Lock()
			if err != nil {
				return err
			}
		}
		if s.broken != nil {
			return s.broken
		}
		if err := f.wait(ctx); err != nil {
			return err
		}
	}
}

func (f *fake) remembered(filter engine.EventFilter, yield func(engine.Event) error) error {
	f.mutex.Lock()
	told := slices.Clone(f.told)
	f.mutex.Unlock()
	for _, event := range told {
		if event.Time.Before(filter.Since) || event.Time.After(filter.Until) {
			continue
		}
		if err := yield(event); err != nil {
			return err
		}
	}
	return nil
}

func (f *fake) Logs(ctx context.Context, ref string, options engine.LogOptions, yield func(engine.Frame) error) error {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.opened = append(f.opened, options)
	at := slices.IndexFunc(f.containers, func(b *box) bool { return b.ID == ref })
	if at < 0 {
		return engine.ErrNotFound
	}
	b := f.containers[at]
	if b.refuses != nil {
		return b.refuses
	}
	if first := b.onOpen; first != nil {
		b.onOpen = nil
		f.mutex.Unlock()
		first()
		f.mutex.Lock()
	}
	r := &reading{fake: f, box: b, options: options, run: b.run, count: -1, yield: yield}
	r.follows = options.Follow && b.State == engine.StateRunning
	r.start()
	return r.all(ctx)
}

// reading is one connection that reads a log.
type reading struct {
	*fake
	box     *box
	options engine.LogOptions
	yield   func(engine.Frame) error
	follows bool
	run     int
	next    int // entry
	history int // entries when it began
	began   bool
	count   int // of frames until it breaks; negative: never
	broken  error
}

func (r *reading) start() {
	r.history = len(r.box.log)
	if r.options.Tail >= 0 {
		r.next = max(0, r.history-r.options.Tail)
	}
	if len(r.box.breakAfter) > 0 {
		r.count, r.broken = r.box.breakAfter[0], fmt.Errorf("connection reset: %w", engine.ErrUnavailable)
		r.box.breakAfter = r.box.breakAfter[1:]
		if r.box.breakWith != nil {
			r.broken = r.box.breakWith
		}
	} else if r.follows && len(r.box.endAfter) > 0 {
		r.count, r.box.endAfter = r.box.endAfter[0], r.box.endAfter[1:]
	}
}

func (r *reading) all(ctx context.Context) error {
	for {
		for r.next < len(r.box.log) && (r.follows || r.next < r.history) {
			e := r.box.log[r.next]
			if r.follows && !r.box.hangs && e.run > r.run || !r.options.Until.IsZero() && e.time.After(r.options.Until) {
				return nil
			}
			r.next++
			if !r.began && e.time.Before(r.options.Since) {
				continue
			}
			r.began = true
			if r.count == 0 {
				return r.broken
			}
			r.count--
			if err := r.give(ctx, e); err != nil {
				return err
			}
		}
		if r.count == 0 {
			return r.broken
		}
		if over := r.box.run != r.run || r.box.State != engine.StateRunning; !r.follows || over && !r.box.hangs {
			return nil
		}
		if err := r.wait(ctx); err != nil {
			return err
		}
	}
}

func (r *reading) give(ctx context.Context, e entry) error {
	data := append([]byte(e.time.UTC().Format(stampLayout)+" "), e.text...)
	r.mutex.Unlock()
	defer r.mutex.Lock()
	size := len(data)
	if r.box.tty {
		size = 7
	}
	for part := range slices.Chunk(data, size) {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := r.yield(engine.Frame{Stream: e.stream, Data: part}); err != nil {
			return err
		}
	}
	return nil
}
