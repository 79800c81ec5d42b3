package display

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/muster-dev/muster/convergence"
	"github.com/muster-dev/muster/convergence/plan"
)

// live is progress on a terminal: a few lines at the bottom that are drawn again and again, never more than the screen has.
// What is done folds into a count; failures never fold. It owns the terminal: lines of logs go through its Output and appear
// above. It hides no cursor and sets no mode, so there is nothing to restore if it dies.
type live struct {
	streams Streams
	looks   Looks
	style   style

	cancel context.CancelFunc
	ticker errgroup.Group

	mutex sync.Mutex // of all below, and of the terminal
	title Title
	view  *view
	drawn int // lines on the screen that belong to the view
	ended bool
}

// frameTime is how often the view is drawn.
const frameTime = 100 * time.Millisecond

func newLive(looks Looks, streams Streams) *live {
	return &live{streams: streams, looks: looks, style: style{looks.ColorErr}}
}

// Begin implements [Progress].
func (l *live) Begin(title Title, made *plan.Plan) {
	for _, warning := range made.Warnings {
		writeWarning(l.streams.Err, l.style, warning.Message)
	}
	l.title, l.view = title, newView(title, made, time.Now())
	ctx, cancel := context.WithCancel(context.Background())
	l.cancel = cancel
	l.ticker.Go(func() error {
		ticks := time.NewTicker(frameTime)
		defer ticks.Stop()
		for {
			select {
			case <-ticks.C:
				l.locked(l.draw)
			case <-ctx.Done():
				return nil
			}
		}
	})
}

func (l *live) locked(do func()) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	do()
}

// Event implements [Progress].
func (l *live) Event(event convergence.Event) {
	l.locked(func() { l.view.event(event) })
}

// End implements [Progress].
func (l *live) End(err error) {
	if l.cancel == nil {
		return
	}
	l.cancel()
	_ = l.ticker.Wait()
	l.locked(func() {
		l.erase()
		l.ended = true
		if summary := l.view.summary(time.Now()); err == nil && summary != "" {
			_, _ = fmt.Fprintln(l.streams.Err, summary)
		}
	})
}

// Say implements [Progress]. While a plan is applied the line appears above the view.
func (l *live) Say(text string) {
	_, _ = fmt.Fprintln(&above{live: l, to: l.streams.Err}, harmless(text))
}

// draw replaces the view on the screen by the one of now, in one write.
func (l *live) draw() {
	if l.ended || l.view == nil {
		return
	}
	width, height := l.streams.width(), 0
	if l.streams.Size != nil {
		_, height = l.streams.Size()
	}
	lines := l.view.lines(time.Now(), l.style, frame{width: width, height: height})
	var screen bytes.Buffer
	writeOver(&screen, l.drawn, lines)
	_, _ = l.streams.Err.Write(screen.Bytes())
	l.drawn = len(lines)
}

// writeOver writes lines in place of those that were drawn last.
func writeOver(screen *bytes.Buffer, drawn int, lines []string) {
	writeErase(screen, drawn)
	for _, line := range lines {
		screen.WriteString(line)
		screen.WriteByte('\n')
	}
}

func (l *live) erase() {
	var screen bytes.Buffer
	writeErase(&screen, l.drawn)
	_, _ = l.streams.Err.Write(screen.Bytes())
	l.drawn = 0
}

// writeErase moves up to the first of the lines that were drawn and clears everything from there on (ECMA-48 CUU and ED).
func writeErase(screen *bytes.Buffer, drawn int) {
	if drawn > 0 {
		fmt.Fprintf(screen, "\x1b[%dA\r\x1b[J", drawn)
	}
}

// Output implements [Progress].
func (l *live) Output() (out, err io.Writer) {
	return &above{live: l, to: l.streams.Out}, &above{live: l, to: l.streams.Err}
}

// above writes whole lines above the view.
type above struct {
	live *live
	to   io.Writer
}

// Write implements [io.Writer].
func (a *above) Write(lines []byte) (n int, err error) {
	a.live.locked(func() {
		a.live.erase()
		n, err = a.to.Write(lines)
		a.live.draw()
	})
	return n, err
}
