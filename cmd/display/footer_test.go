package display

import (
	"strings"
	"testing"
)

func TestFooter(t *testing.T) {
	t.Parallel()
	var screen strings.Builder
	footer := NewFooter(&screen, "d detach", Looks{})
	above := footer.Above(&screen)
	write := func(text string) {
		t.Helper()
		if n, err := above.Write([]byte(text)); n != len(text) || err != nil {
			t.Errorf("%q: %d, %v", text, n, err)
		}
	}
	write("before\n")
	footer.Hide()
	footer.Show()
	write("one\ntwo\n")
	footer.Say("said")
	footer.Hide()
	write("after\n")
	want := "before\n" + "\r\x1b[Kd detach" + "\r\x1b[Kone\r\ntwo\r\nd detach" + "\r\x1b[Ksaid\r\nd detach" + "\r\x1b[K" + "after\n"
	if screen.String() != want {
		t.Errorf("%q\nwant %q", screen.String(), want)
	}
}
