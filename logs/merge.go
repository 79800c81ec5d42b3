package logs

import (
	"context"
	"errors"
	"time"

	"github.com/muster-dev/muster/convergence/engine"
)

const (
	// holdBack is how long an item of a log that is followed waits for older ones of others, from its arrival on.
	holdBack = 50 * time.Millisecond
	// together is how far apart batches may have arrived that are made one.
	together = holdBack / 8
	// restless is how often a sink that gathers what it writes is told that nothing is at hand.
	restless = 10 * time.Millisecond
	// deliveriesAtOnce is how many batches may lie between the tails and the merger.
	deliveriesAtOnce = 64
)

// delivery is what a lane tells the merger: items, or what to expect from now on. One without a lane ends the history.
type delivery struct {
	lane  *lane
	batch *batch
	state awaited
}

// merger brings the items of all lanes into the order of their times and hands them to the sink. Each lane keeps its own order.
//
// Of a history it knows that more comes, and waits for it. Of a log that is followed nobody knows: while one of those has
// nothing at hand, the items of the others are held back for holdBack from their arrival, or until their lane is full. What is
// not at hand is not waited for twice: a lane of which nothing is expected holds nobody up.
type merger struct {
	sink func(Item) error
	idle func() error // may be nil
	loud bool         // items go as they come

	in    chan delivery
	ended chan struct{} // closed when no delivery comes any more

	heads   headHeap
	history int       // lanes of which history is awaited and nothing is at hand
	live    int       // the same of those that are followed
	full    int       // lanes that cannot take more
	taken   int       // batches
	oldest  time.Time // arrival of what is at hand
	over    bool
	past    bool       // what is at hand is the end of the history
	last    *lastLines // nil where all lines are wanted, and after the history

	written bool // since the sink was told that nothing is at hand
	told    time.Time
	silent  map[string]bool // services of which it was said that their logs cannot be read
}

func newMerger(options Options, sink func(Item) error) *merger {
	return &merger{
		sink: sink, idle: options.Idle, loud: options.NoMerge,
		in: make(chan delivery, deliveriesAtOnce), ended: make(chan struct{}), silent: map[string]bool{},
		last: newLastLines(options),
	}
}

// send is how everybody else reaches the merger.
func (m *merger) send(ctx context.Context, d delivery) error {
	select {
	case m.in <- d:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// run ends when nothing comes any more and all has been handed on.
func (m *merger) run(ctx context.Context) error {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		if err := m.emit(); err != nil {
			return err
		}
		if m.over && len(m.heads) == 0 {
			return errors.Join(m.endHistory(), m.rest(true))
		}
		if err := m.rest(false); err != nil {
			return err
		}
		if err := m.wait(ctx, timer); err != nil {
			return err
		}
		m.takeAll()
	}
}

// emit hands on what may go.
func (m *merger) emit() error {
	for len(m.heads) > 0 && m.due() {
		usedUp, err := m.next()
		if err != nil {
			return err
		}
		if usedUp {
			m.takeAll()
		}
	}
	if m.past && len(m.heads) == 0 {
		m.past = false
		return m.endHistory()
	}
	return nil
}

// endHistory hands on what was kept of a history of which only the last lines are wanted.
func (m *merger) endHistory() error {
	if m.last == nil {
		return nil
	}
	kept := m.last.all()
	m.last = nil
	for _, item := range kept {
		if err := m.sink(item); err != nil {
			return err
		}
	}
	return nil
}

// due says whether the first of all heads may go.
func (m *merger) due() bool {
	switch {
	case m.over, m.loud, m.past:
		return true
	case m.history > 0:
		return false
	}
	return m.live == 0 || m.full > 0 || time.Since(m.oldest) >= holdBack
}

// next hands on items of the lane whose turn it is, until another one's comes or its batch is used up.
func (m *merger) next() (usedUp bool, err error) {
	l := m.heads[0]
	b := l.queue[0]
	rival := m.heads.second()
	for {
		if err := m.hand(b.item(&b.records[b.next])); err != nil {
			return false, err
		}
		if b.next++; b.next == len(b.records) {
			m.usedUp(l)
			return true, nil
		}
		if rival != nil && rival.before(l) {
			m.heads.fix(0)
			return false, nil
		}
	}
}

// hand calls the sink. That a service's driver keeps no logs is said once.
func (m *merger) hand(item Item) error {
	if item.Kind == KindUnreadable && errors.Is(item.Err, engine.ErrUnsupported) {
		key := item.Source.Project + "\x00" + item.Source.Service
		if m.silent[key] && item.Source.Service != "" {
			return nil
		}
		m.silent[key] = true
	}
	m.written = true
	if m.last != nil && m.last.keep(item) {
		return nil
	}
	return m.sink(item)
}

// usedUp gives a lane's first batch back.
func (m *merger) usedUp(l *lane) {
	if len(l.queue) == aheadLive {
		m.full--
	}
	b := l.queue[0]
	copy(l.queue, l.queue[1:])
	l.queue = l.queue[:len(l.queue)-1]
	l.giveBack(b)
	if len(l.queue) == 0 {
		m.heads.remove(l)
		m.missing(l, 1)
	} else {
		m.heads.fix(l.place)
	}
	m.age()
}

// missing counts a lane that has nothing at hand, or no more.
func (m *merger) missing(l *lane, by int) {
	switch l.expects {
	case awaitHistory:
		m.history += by
		l.hungry.Store(by > 0)
	case awaitLive:
		m.live += by
	}
}

// age finds out when the oldest of what is at hand has arrived.
func (m *merger) age() {
	m.oldest = time.Time{}
	for _, l := range m.heads {
		if at := l.queue[0].arrived; m.oldest.IsZero() || at.Before(m.oldest) {
			m.oldest = at
		}
	}
}

// takeAll takes what has come.
func (m *merger) takeAll() {
	for {
		select {
		case d := <-m.in:
			m.take(d)
		default:
			return
		}
	}
}

func (m *merger) take(d delivery) {
	l := d.lane
	switch {
	case l == nil:
		m.past = true
		return
	case d.batch == nil:
		m.expect(l, d.state)
		return
	}
	if n := len(l.queue); n > 0 {
		if last := l.queue[n-1]; last.takes(d.batch) {
			last.add(d.batch)
			l.giveBack(d.batch)
			return
		}
	}
	m.taken++
	d.batch.turn = m.taken
	l.queue = append(l.queue, d.batch)
	switch len(l.queue) {
	case 1:
		m.missing(l, -1)
		m.heads.add(l)
		m.age()
	case aheadLive:
		m.full++
	}
}

// expect changes what is expected of a lane.
func (m *merger) expect(l *lane, state awaited) {
	if len(l.queue) == 0 {
		m.missing(l, -1)
	}
	if l.expects = state; len(l.queue) == 0 {
		m.missing(l, 1)
	}
}

// takes says whether the items of another batch may be added to this one: small ones that come close together take no room of
// their own.
func (b *batch) takes(other *batch) bool {
	return len(b.text)+len(other.text) <= batchSize && len(b.records)+len(other.records) <= batchLines &&
		other.arrived.Sub(b.arrived) < together && b.source == other.source
}

// wait returns when something has come, or when something that is held back may go.
func (m *merger) wait(ctx context.Context, timer *time.Timer) error {
	var alarm <-chan time.Time
	if until, ok := m.deadline(); ok {
		timer.Reset(time.Until(until))
		alarm = timer.C
	}
	ended := m.ended
	if m.over {
		ended = nil
	}
	select {
	case d := <-m.in:
		m.take(d)
	case <-alarm:
	case <-ended:
		m.takeAll()
		m.over = true
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// deadline is when to go on although nothing comes; nothing that is held back needs no timer.
func (m *merger) deadline() (at time.Time, ok bool) {
	if len(m.heads) > 0 && m.history == 0 {
		at, ok = m.oldest.Add(holdBack), true
	}
	if flush := m.told.Add(restless); m.written && m.idle != nil && (!ok || flush.Before(at)) {
		at, ok = flush, true
	}
	return at, ok
}

// rest tells the sink that nothing is at hand, but not too often.
func (m *merger) rest(last bool) error {
	if !m.written || m.idle == nil {
		return nil
	}
	now := time.Now()
	if !last && now.Sub(m.told) < restless {
		return nil
	}
	m.written, m.told = false, now
	return m.idle()
}
