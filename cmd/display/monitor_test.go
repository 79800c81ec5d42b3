package display_test

import (
	"strings"
	"testing"

	"github.com/muster-dev/muster/cmd/display"
)

// TestScreen draws over what it drew before, and never more than the terminal has.
func TestScreen(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	screen := display.Screen{Streams: display.Streams{Out: &out, Size: func() (int, int) { return 10, 3 }}}
	for _, lines := range [][]string{{"one"}, {"a long line of text", "two  ", "three"}, {"end"}} {
		if err := screen.Draw(lines); err != nil {
			t.Fatal(err)
		}
	}
	if want := "one\n" + "\x1b[1A\r\x1b[J" + "a long l…\ntwo\n" + "\x1b[2A\r\x1b[J" + "end\n"; out.String() != want {
		t.Errorf("got %q\nwant %q", out.String(), want)
	}
}
