package dropin

import (
	"errors"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

// TestSession reads the session as it is typed: it is long enough to be one, and every line can be read.
func TestSession(t *testing.T) {
	t.Parallel()
	lines, err := parseLines(string(txtar.Parse(session).Comment))
	if err != nil {
		t.Fatal(err)
	}
	const least = 60
	if len(lines) < least {
		t.Errorf("%d command lines, want %d at least", len(lines), least)
	}
}

func TestParseLine(t *testing.T) {
	t.Parallel()
	got, err := parseLine(`sorted A=b exec -T web sh -c 'echo $A; exit' < 'some text' > out.txt`)
	if err != nil {
		t.Fatal(err)
	}
	if want := "exec|-T|web|sh|-c|echo $A; exit"; strings.Join(got.arguments, "|") != want {
		t.Errorf("arguments %q, want %s", got.arguments, want)
	}
	if !got.anyOrder || strings.Join(got.env, " ") != "A=b" || got.stdin != "some text" || got.readBack != "out.txt" {
		t.Errorf("line %+v", got)
	}
	for _, wrong := range []string{"~ exit for no line", "up\n~ nothing known", "up\n~ exit", "sorted"} {
		if _, err := parseLines(wrong); err == nil {
			t.Errorf("%q: no error", wrong)
		}
	}
}

// TestReport has a line of every kind: the same, an intended difference, another one, and one that is intended and not there.
func TestReport(t *testing.T) {
	t.Parallel()
	lines, err := parseLines("same\nmeant\n~ exit it is better\ndifferent\ngone\n~ stdout it was\nafter")
	if err != nil {
		t.Fatal(err)
	}
	peer := []outcome{{exit: "0", state: "a"}, {exit: "0", state: "a"}, {exit: "0", stdout: "x\ny", state: "b"}, {state: "b"}, {state: "b"}}
	muster := []outcome{{exit: "0", state: "a"}, {exit: "1", state: "a"}, {exit: "0", stdout: "x\nz", state: "c"}, {state: "c"}, {state: "c"}}
	var text strings.Builder
	if err := report(&text, lines, peer, muster); !errors.Is(err, ErrDifferent) {
		t.Errorf("error %v, want %v", err, ErrDifferent)
	}
	for _, want := range []string{
		"meant: exit differs: it is better", "diff  line 4, different: stdout", "-y", "+z", "diff  line 4, different: state",
		"gone  line 5, gone: stdout", "5 command lines: 3 the same, 1 with intended differences, 1 different",
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the report lacks %q:\n%s", want, text.String())
		}
	}
	if err := report(&text, lines[:1], peer[:1], muster[:1]); err != nil {
		t.Errorf("nothing differs: %v", err)
	}
}

func TestNormal(t *testing.T) {
	t.Parallel()
	id := strings.Repeat("0123456789ab", 6)[:64]
	got := normal("web-1   "+id+" 2026-01-02T03:04:05.6Z  Up 3 seconds\nb 0123456789ab About a minute ago\n", true)
	if want := "b ID WHILE\nweb-1 ID TIME Up WHILE"; got != want {
		t.Errorf("normal: %q, want %q", got, want)
	}
}
