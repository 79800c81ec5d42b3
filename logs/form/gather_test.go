package form

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/muster-dev/muster/logs"
	"github.com/muster-dev/muster/logs/record"
)

// noted keeps what comes, with the time since the beginning.
type noted struct {
	mutex sync.Mutex
	start time.Time
	lines []string
	fails error
}

func (n *noted) item(item logs.Item) error {
	text := string(item.Text)
	if item.Kind != logs.KindLine {
		text = fmt.Sprintf("mark %d", item.Kind)
	}
	n.mutex.Lock()
	defer n.mutex.Unlock()
	n.lines = append(n.lines, fmt.Sprintf("%d ms %s %s", time.Since(n.start).Milliseconds(), item.Source.Service, text))
	return n.fails
}

func (n *noted) compare(t *testing.T, want ...string) {
	t.Helper()
	n.mutex.Lock()
	defer n.mutex.Unlock()
	if !slices.Equal(n.lines, want) {
		t.Errorf("got\n\t%q\nwant\n\t%q", n.lines, want)
	}
}

// gathering runs a scene in a bubble of time.
func gathering(t *testing.T, joined bool, act func(g *Gather, n *noted, give func(items ...logs.Item))) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := &noted{start: time.Now()}
		g := NewGather(joined, n.item)
		act(g, n, func(items ...logs.Item) {
			t.Helper()
			for _, item := range items {
				if err := g.Item(item); err != nil {
					t.Error(err)
				}
			}
		})
		if err := g.Close(); err != nil && n.fails == nil {
			t.Error(err)
		}
		synctest.Wait()
	})
}

func TestGatherKeepsRecordsTogether(t *testing.T) {
	gathering(t, false, func(g *Gather, n *noted, give func(...logs.Item)) {
		give(line("web", 0, "failed"), line("api", 1, "a"), line("web", 2, "  at x"), line("api", 3, "b"), line("web", 4, "  at y"), line("web", 5, "next"))
		n.compare(t, "0 ms web failed", "0 ms web   at x", "0 ms web   at y", "0 ms api a")
		time.Sleep(time.Second)
		synctest.Wait()
		n.compare(t, "0 ms web failed", "0 ms web   at x", "0 ms web   at y", "0 ms api a", "30 ms api b", "30 ms web next")
		_ = g
	})
}

func TestGatherHoldsNothingLong(t *testing.T) {
	gathering(t, true, func(_ *Gather, n *noted, give func(...logs.Item)) {
		give(line("web", 0, "failed"))
		for range 12 { // the trace never ends
			time.Sleep(10 * time.Millisecond)
			synctest.Wait()
			give(line("web", 0, "\tat x"))
		}
		time.Sleep(time.Second)
		synctest.Wait()
		trace := func(lines int) string { return strings.TrimSuffix(strings.Repeat("\tat x\n", lines), "\n") }
		n.compare(t, "45 ms web failed\n"+trace(4), "95 ms web "+trace(5), "145 ms web "+trace(3))
	})
}

func TestGatherGoesByTheEnginesClockInHistories(t *testing.T) {
	gathering(t, true, func(_ *Gather, n *noted, give func(...logs.Item)) {
		give(line("web", 0, "last words"), line("api", 50, "a"), line("api", 91, "b"))
		n.compare(t, "0 ms web last words", "0 ms api a")
	})
}

func TestGatherBounds(t *testing.T) {
	gathering(t, true, func(_ *Gather, n *noted, give func(...logs.Item)) {
		give(line("api", 0, "waits"), line("web", 0, "trace"))
		for range mostLines + 9 {
			give(line("web", 0, " x"))
		}
		give(line("web", 0, "next"), line("api", 0, "next"))
		n.mutex.Lock()
		defer n.mutex.Unlock()
		if len(n.lines) != 3 || strings.Count(n.lines[1], "\n") != mostLines-1 || strings.Count(n.lines[2], "\n") != 9 {
			t.Errorf("got %d records", len(n.lines))
		}
	})
}

// What waits in all is bounded, too: behind a record that may go on, others are held.
func TestGatherBoundsWhatWaits(t *testing.T) {
	gathering(t, true, func(g *Gather, n *noted, give func(...logs.Item)) {
		give(line("web", 0, "may go on"))
		for i := range 2 * mostHeld {
			give(line("api", 0, fmt.Sprint(i)))
		}
		if len(n.lines) != mostHeld*2 || g.waiting() != 1 {
			t.Errorf("got %d lines, %d wait", len(n.lines), g.waiting())
		}
		give(line("db", 0, "may go on, too"))
		for range 5 {
			give(line("api", 0, strings.Repeat("y", mostHeldBytes/4)))
		}
		if g.bytes > mostHeldBytes || g.waiting() > 6 {
			t.Errorf("%d bytes in %d wait", g.bytes, g.waiting())
		}
	})
}

func TestGatherEndsRecordsAtMarks(t *testing.T) {
	gathering(t, true, func(_ *Gather, n *noted, give func(...logs.Item)) {
		exited := logs.Item{Kind: logs.KindExited, Line: logs.Line{Source: source("web"), Time: at(3)}}
		cut := line("api", 0, "long")
		cut.Cut = true
		give(line("web", 0, "panic: x"), cut, exited, line("web", 4, "  starts indented"), line("api", 5, " rest"))
		n.compare(t, "0 ms web panic: x", "0 ms api long", fmt.Sprintf("0 ms web mark %d", logs.KindExited))
	})
}

func TestGatherReturnsTheErrorOfBefore(t *testing.T) {
	errFull := errors.New("full")
	gathering(t, true, func(g *Gather, n *noted, _ func(...logs.Item)) {
		n.fails = errFull
		if err := g.Item(line("web", 0, "x")); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if err := g.Item(line("web", 0, "y")); !errors.Is(err, errFull) {
			t.Errorf("got %v", err)
		}
		n.compare(t, "30 ms web x")
	})
}

func TestFilterKnowsServicesWithoutLevels(t *testing.T) {
	t.Parallel()
	f := NewFilter(Criteria{Level: record.Trace}, func(logs.Item) error { return nil })
	for _, item := range []logs.Item{line("web", 0, "x"), line("api", 0, "ERROR x"), line("api", 0, "x"), line("db", 0, "y")} {
		if err := f.Item(item); err != nil {
			t.Fatal(err)
		}
	}
	if got := f.Unleveled(); !slices.Equal(got, []string{"db", "web"}) {
		t.Errorf("got %q", got)
	}
}

func TestFilterKeepsTheRestOfACutLine(t *testing.T) {
	t.Parallel()
	var got []string
	f := NewFilter(Criteria{Level: record.Error}, func(item logs.Item) error {
		got = append(got, string(item.Text))
		return nil
	})
	cut := line("web", 0, "ERROR long")
	cut.Cut = true
	for _, item := range []logs.Item{cut, line("web", 0, "INFO in the middle"), line("web", 0, "INFO next")} {
		if err := f.Item(item); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Equal(got, []string{"ERROR long", "INFO in the middle"}) {
		t.Errorf("got %q", got)
	}
}

func TestLast(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		count int
		of    func(logs.Source) string
		want  string
	}{
		{"of each", 2, OfContainer, "api 1,web 5,api 3,web 6,"},
		{"of each service", 2, OfService, "api 1,web 5,api 3,web 6,"},
		{"of all", 2, OfAll, "api 3,web 6,"},
		{"one", 1, OfContainer, "api 3,web 6,"},
		{"none", 0, OfContainer, ""},
		{"more than there are", 99, OfAll, "web 0,api 1,web 2,web 4,web 5,api 3,web 6,"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var got strings.Builder
			l := NewLast(test.count, test.of, func(item logs.Item) error {
				got.WriteString(item.Source.Service + " " + string(item.Text) + ",")
				return nil
			})
			buffer := []byte("?")
			for _, text := range []string{"0web", "1api", "2web", "4web", "5web", "3api", "6web"} {
				item := line(text[1:], 0, "")
				buffer[0] = text[0] // only valid during the call
				item.Text = buffer
				if err := l.Item(item); err != nil {
					t.Fatal(err)
				}
			}
			if got.Len() > 0 {
				t.Errorf("too early: %q", got.String())
			}
			if err := l.End(); err != nil {
				t.Fatal(err)
			}
			if err := l.Item(line("new", 0, "line")); err != nil {
				t.Fatal(err)
			}
			if got.String() != test.want+"new line," || l.Full() {
				t.Errorf("got %q, want %q", got.String(), test.want)
			}
		})
	}
}

func TestLastKeepsMarksInTheirPlace(t *testing.T) {
	t.Parallel()
	n := &noted{start: time.Now()}
	kinds := []logs.Kind{}
	l := NewLast(1, OfContainer, func(item logs.Item) error {
		kinds = append(kinds, item.Kind)
		return n.item(item)
	})
	exited := logs.Item{Kind: logs.KindExited, Line: logs.Line{Source: source("web")}}
	for _, item := range []logs.Item{line("web", 0, "a"), line("web", 0, "b"), exited} {
		if err := l.Item(item); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.End(); err != nil || !slices.Equal(kinds, []logs.Kind{logs.KindLine, logs.KindExited}) {
		t.Errorf("got %v: %v", kinds, err)
	}
}

func TestLastIsBounded(t *testing.T) {
	t.Parallel()
	count := 0
	l := NewLast(1000, OfContainer, func(logs.Item) error { count++; return nil })
	large := strings.Repeat("x", 1<<20)
	for range 100 {
		if err := l.Item(line("web", 0, large)); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.End(); err != nil || !l.Full() || count != mostKept>>20 {
		t.Errorf("kept %d, full %v: %v", count, l.Full(), err)
	}
}
