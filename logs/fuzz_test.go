package logs_test

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/logs"
)

// frames is an engine with one container, whose log is these frames.
type frames struct {
	logs.Engine
	all []engine.Frame
}

func (f frames) ListContainers(context.Context, engine.ContainerFilter) ([]engine.Container, error) {
	return []engine.Container{{ID: "id", Name: "shop-web-1", Project: "shop", Service: "web", Number: 1}}, nil
}

func (f frames) Logs(_ context.Context, _ string, _ engine.LogOptions, yield func(engine.Frame) error) error {
	for _, frame := range f.all {
		if err := yield(engine.Frame{Stream: frame.Stream, Data: bytes.Clone(frame.Data)}); err != nil {
			return err
		}
	}
	return nil
}

type gotLine struct {
	text string
	at   time.Time
	cut  bool
}

func followed(t *testing.T, all []engine.Frame) (lines []gotLine) {
	t.Helper()
	err := logs.Follow(t.Context(), frames{all: all}, logs.Options{Project: "shop", Tail: -1}, func(item logs.Item) error {
		if item.Kind != logs.KindLine {
			t.Errorf("item of kind %d: %v", item.Kind, item.Err)
		}
		lines = append(lines, gotLine{string(item.Text), item.Time, item.Cut})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

// part is how much of a line an engine stores in one go.
const part = 16 << 10

func stamp(n int) time.Time { return time.Date(2026, 3, 1, 12, 0, 0, n, time.UTC) }

// messages are the texts as an engine without a terminal gives them, a frame each, and the lines that they are.
func messages(text string) (all []engine.Frame, want []gotLine) {
	for n, line := range strings.SplitAfter(text, "\n") {
		if line == "" {
			continue
		}
		want = append(want, gotLine{strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r"), stamp(n), false})
		for len(line) > 0 {
			size := min(len(line), part)
			if rest := line[size:]; rest == "\n" {
				size = len(line) // the end of a line is no part by itself
			}
			data := stamp(n).Format("2006-01-02T15:04:05.000000000Z07:00") + " " + line[:size]
			all = append(all, engine.Frame{Stream: engine.Stdout, Data: []byte(data)})
			line = line[size:]
		}
	}
	return all, want
}

// FuzzFollow holds that the lines of a log come out as they went in, with a terminal too, however that is cut; and that bytes which no engine
// would give do no harm.
func FuzzFollow(f *testing.F) {
	for _, text := range []string{
		"one\ntwo\n", "no end", "\n\n\r\n", "a\r\nb\rc\n", "\x00\xff\x1b[2J\n", "2026-03-01T12:00:00.000000001Z x\n", "2026-03-", " lead\n",
	} {
		f.Add([]byte(text), []byte{3, 0, 50}, uint16(0))
	}
	f.Add([]byte("long "), []byte{200}, uint16(part/len("long ")))
	f.Add([]byte("x"), []byte{255}, uint16(2*part-1))
	f.Add([]byte("some\nlines"), []byte{1}, uint16(100))
	f.Fuzz(func(t *testing.T, data, cuts []byte, more uint16) {
		// Long logs are short ones again and again, which keeps what the fuzzer works on short.
		data = bytes.Repeat(data, 1+min(int(more), 3*part/max(len(data), 1)))
		nonsense := cut(data, cuts)
		size := 0
		for _, line := range followed(t, nonsense) {
			if size += len(line.text); strings.Contains(line.text, "\n") {
				t.Errorf("the line %q is two", line.text)
			}
		}
		if size > len(data) {
			t.Errorf("%d bytes came out of %d", size, len(data))
		}

		// What looks like the engine's stamp cannot be told from it.
		text := strings.Map(func(r rune) rune {
			if r >= '0' && r <= '9' {
				return 'd'
			}
			return r
		}, string(data))
		all, want := messages(text)
		if got := followed(t, all); !slices.Equal(got, want) {
			t.Errorf("without a terminal: got %+v, want %+v", got, want)
		}
		var stream []byte
		for _, frame := range all {
			stream = append(stream, frame.Data...)
		}
		if got := followed(t, cut(stream, append(cuts, 1))); len(text) < part && !slices.Equal(got, want) {
			t.Errorf("with a terminal: got %+v, want %+v", got, want)
		}
	})
}

// cut makes frames of data: their lengths come from cuts, again and again.
func cut(data, cuts []byte) (all []engine.Frame) {
	for i := 0; len(data) > 0; i++ {
		size := 1
		if len(cuts) > 0 {
			size = 1 + int(cuts[i%len(cuts)])
		}
		size = min(size, len(data))
		all = append(all, engine.Frame{Stream: engine.Stdout, Data: data[:size]})
		data = data[size:]
	}
	return all
}
