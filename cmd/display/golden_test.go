package display

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

var update = flag.Bool("update", false, "write what the tests get into their goldens")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// golden compares with testdata/NAME.golden. Escapes are written as \e so that a golden can be read.
func golden(t *testing.T, name, got string) {
	t.Helper()
	got = strings.ReplaceAll(got, "\x1b", `\e`)
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s:\n%s\nwant\n%s", name, got, want)
	}
}

// buffers are streams into memory, as a terminal of the given size; 0, 0 is no terminal.
func buffers(width, height int) (streams Streams, out, errOut *bytes.Buffer) {
	out, errOut = &bytes.Buffer{}, &bytes.Buffer{}
	terminal := width > 0
	return Streams{
		In: strings.NewReader(""), Out: out, Err: errOut, OutTerminal: terminal, ErrTerminal: terminal, InTerminal: terminal,
		Size: func() (int, int) { return width, height },
	}, out, errOut
}

// noon is when everything happens in goldens.
func noon() time.Time { return time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC) }
