package form

import (
	"bytes"
	"encoding/json"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/muster-dev/muster/logs"
	"github.com/muster-dev/muster/logs/record"
)

// FuzzForms holds for any line: JSON is one valid object on one line that gives the line back; what people see at a terminal can do
// nothing there; records come out as they went in.
func FuzzForms(f *testing.F) {
	for _, item := range scene() {
		f.Add(item.Text)
	}
	f.Add([]byte("{\"a\":\"\u2028\x7f\xc2\x9b\"}"))
	f.Add([]byte(`{"msg":"\u009b\u001b]0;x\u0007","time":1e300,"level":[]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		checkJSON(t, text)
		checkTerminal(t, text)
		checkGathered(t, text)
	})
}

func checkJSON(t *testing.T, text []byte) {
	t.Helper()
	var out bytes.Buffer
	if err := NewJSON(&out).Item(line("web", 0, string(text))); err != nil {
		t.Fatal(err)
	}
	var object struct {
		Line   string
		Bytes  []byte
		Fields map[string]any
	}
	if err := json.Unmarshal(out.Bytes(), &object); err != nil {
		t.Fatalf("%q: %v", out.String(), err)
	}
	back := []byte(object.Line)
	if !utf8.Valid(text) {
		back = object.Bytes
	}
	if !bytes.Equal(back, text) {
		t.Fatalf("%q became %q", text, back)
	}
	if strings.ContainsFunc(strings.TrimSuffix(out.String(), "\n"), func(r rune) bool { return r != '\t' && r < ' ' || isControl(r) }) {
		t.Fatalf("a control character is in %q", out.String())
	}
}

func checkTerminal(t *testing.T, text []byte) {
	t.Helper()
	var out bytes.Buffer
	color := regexp.MustCompile("\x1b\\[[0-9;:]*m")
	printer := logs.NewPrinter(logs.PrinterOptions{Stdout: &out, Stderr: io.Discard})
	sink := Pretty(PrettyOptions{Place: time.UTC, Color: true}, Split(Highlight([]*regexp.Regexp{regexp.MustCompile("[a-m]+|e")}, printer.Print)))
	if err := NewFilter(Criteria{Level: record.Unknown, Exclude: []*regexp.Regexp{regexp.MustCompile("^$")}}, sink).Item(line("web", 0, string(text))); err != nil {
		t.Fatal(err)
	}
	seen := color.ReplaceAllString(out.String(), "")
	if strings.ContainsFunc(seen, func(r rune) bool { return r != '\t' && r != '\n' && r < ' ' || isControl(r) }) {
		t.Fatalf("a control character is in %q", out.String())
	}
	for one := range strings.SplitSeq(strings.TrimSuffix(seen, "\n"), "\n") {
		if seen != "" && !strings.HasPrefix(one, "web-1  | ") {
			t.Fatalf("a line does not begin with its name: %q", one)
		}
	}
}

func checkGathered(t *testing.T, text []byte) {
	t.Helper()
	var joined, apart bytes.Buffer
	note := func(to *bytes.Buffer) Sink {
		return func(item logs.Item) error {
			to.Write(item.Text)
			to.WriteByte('\n')
			return nil
		}
	}
	one, other := NewGather(true, Split(note(&joined))), NewGather(false, note(&apart))
	for part := range bytes.SplitSeq(text, []byte{'\n'}) {
		item := line("web", 0, string(part))
		if err := one.Item(item); err != nil {
			t.Fatal(err)
		}
		if err := other.Item(item); err != nil {
			t.Fatal(err)
		}
	}
	if one.Close() != nil || other.Close() != nil || joined.String() != string(text)+"\n" || apart.String() != string(text)+"\n" {
		t.Fatalf("%q came out as %q and %q", text, joined.String(), apart.String())
	}
}
