package logs

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/muster-dev/muster/convergence/engine"
)

// directly gives the frames, "1 text" or "2 text", to a Direct of this limit and returns what comes out, "stream second text".
func directly(t *testing.T, limit int, frames ...string) []string {
	t.Helper()
	var got []string
	direct := NewDirect(Source{Container: "shop-web-1", Project: "shop", Service: "web", Number: 1}, func(item Item) error {
		if item.Kind != KindLine || item.Source.Name() != "web-1" {
			t.Errorf("unexpected item: %+v", item)
		}
		line := fmt.Sprintf("%d %d %s", item.Stream, item.Time.Unix(), item.Text)
		if item.Cut {
			line += " (cut)"
		}
		got = append(got, line)
		return nil
	})
	var seconds int64
	direct.limit, direct.now = limit, func() time.Time { return time.Unix(seconds, 0) }
	for _, frame := range frames {
		seconds++
		stream := engine.Stdout
		if strings.HasPrefix(frame, "2") {
			stream = engine.Stderr
		}
		if err := direct.Frame(engine.Frame{Stream: stream, Data: []byte(frame[2:])}); err != nil {
			t.Fatal(err)
		}
	}
	if err := direct.End(); err != nil {
		t.Fatal(err)
	}
	return got
}

func TestDirectLines(t *testing.T) {
	for name, test := range map[string]struct{ frames, want []string }{
		"nothing":                        {nil, nil},
		"several in one frame":           {[]string{"1 one\ntwo\n\n"}, []string{"1 1 one", "1 1 two", "1 1 "}},
		"one in several frames":          {[]string{"1 o", "1 n", "1 e\n"}, []string{"1 1 one"}},
		"two streams, each on its own":   {[]string{"1 a", "2 b\n", "1 c\n"}, []string{"2 2 b", "1 1 ac"}},
		"a terminal's ends of lines":     {[]string{"1 one\r\ntwo\r", "1 \n"}, []string{"1 1 one", "1 1 two"}},
		"what has no end":                {[]string{"1 one\ntw", "2 er"}, []string{"1 1 one", "1 1 tw", "2 2 er"}},
		"no text, but bytes":             {[]string{"1 \xff\x00\n"}, []string{"1 1 \xff\x00"}},
		"longer than can be held":        {[]string{"1 0123456789abc\nd\n"}, []string{"1 1 01234567 (cut)", "1 1 89abc", "1 1 d"}},
		"longer, with a return there":    {[]string{"1 0123456\rabc\n"}, []string{"1 1 0123456\r (cut)", "1 1 abc"}},
		"longer, over several frames":    {[]string{"1 01234", "1 56789\n"}, []string{"1 1 01234567 (cut)", "1 2 89"}},
		"exactly what can be held":       {[]string{"1 01234567\n8\n"}, []string{"1 1 01234567 (cut)", "1 1 ", "1 1 8"}},
		"one more than that, unfinished": {[]string{"1 012345678"}, []string{"1 1 01234567 (cut)", "1 1 8"}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := directly(t, 8, test.frames...); !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestDirectEndsWithItsSink(t *testing.T) {
	full := errors.New("no space left")
	direct := NewDirect(Source{}, func(Item) error { return full })
	if err := direct.Frame(engine.Frame{Stream: engine.Stdout, Data: []byte("one\ntwo\n")}); !errors.Is(err, full) {
		t.Errorf("a frame: %v", err)
	}
	if err := direct.Frame(engine.Frame{Stream: engine.Stderr, Data: []byte("thr")}); err != nil {
		t.Errorf("half a line: %v", err)
	}
	if err := direct.End(); !errors.Is(err, full) {
		t.Errorf("the end: %v", err)
	}
}
