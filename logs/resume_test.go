package logs

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/muster-dev/muster/convergence/engine"
)

// terminal is what a container with a terminal has written: everything that can make a cut difficult.
func terminal() []message {
	return []message{
		out(1, "one\r\n"), out(2, "\r\n"), out(3, long), out(3, "end\r\n"), out(4, long), out(4, "\r\n"),
		out(5, "2026-03-01T12:00:00.000000009Z own stamp\r\n"), out(5, "same moment\r\n"), out(5, "same moment\r\n"),
		out(6, long), out(6, long), out(6, long), out(6, long), out(6, long), out(6, "cut\r\n"), out(7, "last"),
	}
}

func concat(messages []message) (all []byte) {
	for _, m := range messages {
		all = append(all, m.bytes()...)
	}
	return all
}

func decodeAll(t *testing.T, messages []message) []string {
	t.Helper()
	var got []string
	d := small(&got)
	for _, m := range messages {
		feed(t, d, m.stream, m.bytes())
	}
	if err := d.end(); err != nil {
		t.Fatal(err)
	}
	return got
}

func TestTerminalOutputCutAnywhere(t *testing.T) {
	t.Parallel()
	all, want := concat(terminal()), decodeAll(t, terminal())
	for first := 1; first < len(all); first++ {
		for _, second := range []int{first, first + 1, first + 31, first + 65} {
			second = min(second, len(all))
			var got []string
			d := small(&got)
			d.raw = true
			for _, part := range [][]byte{all[:first], all[first:second], all[second:]} {
				feed(t, d, engine.Stdout, bytes.Clone(part))
			}
			if err := d.end(); err != nil {
				t.Fatal(err)
			}
			same(t, fmt.Sprintf("cut at %d and %d", first, second), got, want)
		}
	}
}

func TestTerminalIsFoundOut(t *testing.T) {
	t.Parallel()
	// No line has a stamp of its own here: a cut before such a stamp, in the first line ever, cannot be told from frames.
	messages := []message{out(1, "one\r\n"), out(2, long), out(2, "end\r\n"), out(3, "three\r\n"), out(4, "four\r\n")}
	all, want := concat(messages), decodeAll(t, messages)
	for size := 1; size < len(all); size++ {
		var got []string
		d := small(&got)
		for part := range slices.Chunk(all, size) {
			feed(t, d, engine.Stdout, bytes.Clone(part))
		}
		if err := d.end(); err != nil {
			t.Fatal(err)
		}
		same(t, fmt.Sprintf("chunks of %d", size), got, want)
	}
}

func TestOwnStampAtTheBeginningOfAFrame(t *testing.T) {
	t.Parallel()
	own := out(9, "").bytes()
	all := append(concat([]message{out(1, "one\r\n"), out(2, "own ")}), own...)
	var got []string
	d := small(&got)
	feed(t, d, engine.Stdout, bytes.Clone(all[:len(all)-len(own)])) // two lines in a frame: a terminal
	feed(t, d, engine.Stdout, append(bytes.Clone(own), "text\r\n"...))
	same(t, "lines", got, []string{"1 1 one", "1 2 own " + string(own) + "text"})
}

// mixed is the output of a container without a terminal, with messages of two streams stored a little out of order.
func mixed() []message {
	return []message{
		out(10, "a\n"), out(20, "b\n"), problem(15, "late\n"), out(20, "c\n"), problem(20, "d\n"),
		out(30, long), problem(31, "between\n"), out(30, long), problem(29, "late\n"), out(30, "end\n"),
		problem(40, long), out(41, long), problem(40, "x\n"), out(41, "y\n"), out(41, "z\n"), problem(50, "no end"),
	}
}

// since is what engines send of messages from a moment on: newer ones from the first that is not older, with all that come
// after it; older ones only what is not older.
func since(messages []message, moment time.Time, old bool) []message {
	var kept []message
	for _, m := range messages {
		if !epoch().Add(m.after).Before(moment) || !old && len(kept) > 0 {
			kept = append(kept, m)
		}
	}
	return kept
}

func TestNothingLostNorTwiceWhenConnectionsBreak(t *testing.T) {
	t.Parallel()
	messages := mixed()
	want := decodeAll(t, messages)
	for first := range len(messages) + 1 {
		for again := range len(messages) + 1 {
			var got []string
			d := small(&got)
			for i, count := range []int{first, again, len(messages)} {
				if i > 0 {
					d.lost()
				}
				rest := since(messages, d.cursor.time, false)
				for _, m := range rest[:min(count, len(rest))] {
					feed(t, d, m.stream, m.bytes())
				}
			}
			if err := d.end(); err != nil {
				t.Fatal(err)
			}
			same(t, fmt.Sprintf("broken after %d, then %d", first, again), got, want)
		}
	}
}

func TestOldEnginesLeaveOutWhatIsOlder(t *testing.T) {
	t.Parallel()
	// What such an engine leaves out was read before, where the messages that are late have come before the break.
	messages := []message{out(10, "a\n"), out(20, "b\n"), problem(15, "late\n"), out(20, "c\n"), out(30, "d\n")}
	for _, broken := range []int{1, 3, 4, 5} {
		var got []string
		d := small(&got)
		for _, m := range messages[:broken] {
			feed(t, d, m.stream, m.bytes())
		}
		d.lost()
		for _, m := range since(messages, d.cursor.time, true) {
			feed(t, d, m.stream, m.bytes())
		}
		want := []string{"1 10 a", "1 20 b", "2 15 late", "1 20 c", "1 30 d"}
		if broken == 1 {
			continue // the engine keeps it back for ever
		}
		same(t, fmt.Sprintf("broken after %d", broken), got, want)
	}
}

func TestTerminalConnectionBrokenAnywhere(t *testing.T) {
	t.Parallel()
	messages := terminal()
	all, want := concat(messages), decodeAll(t, messages)
	for broken := range len(all) + 1 {
		var got []string
		d := small(&got)
		d.raw = true
		feed(t, d, engine.Stdout, bytes.Clone(all[:broken]))
		d.lost()
		feed(t, d, engine.Stdout, concat(since(messages, d.cursor.time, false)))
		if err := d.end(); err != nil {
			t.Fatal(err)
		}
		same(t, fmt.Sprintf("broken at %d", broken), got, want)
	}
}

// TestRunsAreReadOneByOne reads a container that ends without a line end and starts again, and a line of which the rest comes
// after its stream has ended.
func TestRunsAreReadOneByOne(t *testing.T) {
	t.Parallel()
	messages := []message{out(1, "a\r\n"), out(1, "b\r\n"), out(2, "bye"), out(3, "c\r\n"), out(3, "d\r\n")}
	all := concat(messages)
	restart := len(concat(messages[:3]))
	for first := len(all) - len(concat(messages[2:])) + 32; first < restart+1; first++ {
		for size := 1; size < len(all); size++ {
			var got []string
			d := small(&got)
			d.raw = true
			feed(t, d, engine.Stdout, bytes.Clone(all[:first]))
			if err := d.end(); err != nil {
				t.Fatal(err)
			}
			for part := range slices.Chunk(concat(since(messages, d.cursor.time, false)), size) {
				feed(t, d, engine.Stdout, part)
			}
			want := []string{"1 1 a", "1 1 b", "1 2 bye", "1 3 c", "1 3 d"}
			if first < restart {
				// The rest cannot be told from the first line of a run that follows.
				at := len(messages[2].text) - (restart - first)
				want = []string{"1 1 a", "1 1 b", "1 2 bye"[:4+at], "1 2 " + messages[2].text[at:] + string(messages[3].bytes()), "1 3 d"}
				want[3] = strings.TrimRight(want[3], "\r\n")
			}
			same(t, fmt.Sprintf("ended at %d, then chunks of %d", first, size), got, want)
		}
	}
}

func TestRandomOutputBrokenAndCutAtRandom(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for round := range 600 {
		messages := randomMessages(random)
		want := decodeAll(t, messages)
		var got []string
		d := small(&got)
		for range random.IntN(4) {
			rest := since(messages, d.cursor.time, false)
			for _, m := range rest[:random.IntN(len(rest)+1)] {
				feed(t, d, m.stream, m.bytes())
			}
			d.lost()
		}
		for _, m := range since(messages, d.cursor.time, false) {
			feed(t, d, m.stream, m.bytes())
		}
		if err := d.end(); err != nil {
			t.Fatal(err)
		}
		same(t, fmt.Sprintf("round %d, %v", round, messages), got, want)
	}
}

// randomMessages are lines of both streams, long ones in parts of the full size with one stamp, interleaved.
func randomMessages(random *rand.Rand) []message {
	queues := [2][]message{}
	for i := range queues {
		stream, after := engine.Stream(i+1), time.Duration(random.IntN(5))
		for range random.IntN(8) {
			after += time.Duration(random.IntN(3))
			text := strings.Repeat("x", random.IntN(300)) + fmt.Sprint(after)
			for ; len(text) >= 64; text = text[64:] {
				queues[i] = append(queues[i], message{stream, after, text[:64]})
			}
			queues[i] = append(queues[i], message{stream, after, text + "\n"})
		}
	}
	var messages []message
	for len(queues[0])+len(queues[1]) > 0 {
		i := random.IntN(2)
		if len(queues[i]) == 0 {
			i = 1 - i
		}
		messages, queues[i] = append(messages, queues[i][0]), queues[i][1:]
	}
	return messages
}
