package logs

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/muster-dev/muster/convergence/engine"
)

func epoch() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

// message is what an engine stores in one go; text has its line end, if there is one.
type message struct {
	stream engine.Stream
	after  time.Duration
	text   string
}

func (m message) bytes() []byte {
	return append([]byte(epoch().Add(m.after).Format(stampLayout)+" "), m.text...)
}

func out(after int, text string) message {
	return message{engine.Stdout, time.Duration(after), text}
}

func problem(after int, text string) message {
	return message{engine.Stderr, time.Duration(after), text}
}

// small returns a decoder with small bounds that notes what it emits as "<stream> <nanoseconds> <text>".
func small(got *[]string) *decoder {
	d := newDecoder(func(stream engine.Stream, at time.Time, text []byte, cut bool) error {
		line := fmt.Sprintf("%d %d %s", stream, at.Sub(epoch()), text)
		if cut {
			line += " ..."
		}
		*got = append(*got, line)
		return nil
	})
	d.messageSize, d.lineLimit, d.leastPart = 64, 256, 32
	return d
}

func feed(t *testing.T, d *decoder, stream engine.Stream, data []byte) {
	t.Helper()
	given := bytes.Clone(data)
	if err := d.frame(engine.Frame{Stream: stream, Data: data}); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(given, data) {
		t.Fatalf("the decoder has changed the frame %q", given)
	}
	for i := range data { // the bytes are not the decoder's after the call
		data[i] = '#'
	}
}

func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Fatalf("%s:\ngot  %q\nwant %q", what, got, want)
	}
}

// long is one message full.
const long = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

func TestLinesOfFrames(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		messages []message
		want     []string
	}{
		{"lines", []message{out(1, "a\n"), out(2, "\n"), out(3, "b\n")}, []string{"1 1 a", "1 2 ", "1 3 b"}},
		{"streams apart", []message{out(1, long), problem(2, "e\n"), out(1, "end\n")}, []string{"2 2 e", "1 1 " + long + "end"}},
		{"both begun", []message{out(1, long), problem(2, long), out(1, "a\n"), problem(2, "b\n")}, []string{"1 1 " + long + "a", "2 2 " + long + "b"}},
		{"parts with one stamp", []message{out(1, long), out(1, long), out(1, "x\n"), out(2, "b\n")}, []string{"1 1 " + long + long + "x", "1 2 b"}},
		{"parts with their own stamps", []message{out(1, long), out(2, long), out(3, "x\n")}, []string{"1 1 " + long + long + "x"}},
		{"parts of another size", []message{out(1, long[:40]), out(2, long[:40]), out(3, "x\n")}, []string{"1 1 " + long[:40] + long[:40] + "x"}},
		{"full to the byte", []message{out(1, long), out(1, "\n"), out(2, "b\n")}, []string{"1 1 " + long, "1 2 b"}},
		{"full and whole", []message{out(1, long+"\n"), out(2, "b\n")}, []string{"1 1 " + long, "1 2 b"}},
		{"longer than a message", []message{out(1, long+long+"yz\n"), out(2, "b\n")}, []string{"1 1 " + long + long + "yz", "1 2 b"}},
		{"no end", []message{out(1, "a\n"), out(2, "b")}, []string{"1 1 a", "1 2 b"}},
		{"a run without end, then another", []message{out(1, "first"), out(2, "second\n")}, []string{"1 1 first", "1 2 second"}},
		{"small parts of one stamp", []message{out(1, "fir"), out(1, "st\n")}, []string{"1 1 first"}},
		{"terminal", []message{out(1, "a\r\n"), out(2, "b\rc\r\n"), out(3, "\r\n")}, []string{"1 1 a", "1 2 b\rc", "1 3 "}},
		{"own stamps", []message{out(1, string(out(7, "a\n").bytes()))}, []string{"1 1 " + strings.TrimSpace(string(out(7, "a\n").bytes()))}},
		{"any bytes", []message{out(1, "\xff\xfe\x00\x80\n")}, []string{"1 1 \xff\xfe\x00\x80"}},
		{"too long", []message{
			out(1, long), out(1, long), out(1, long), out(1, long), out(1, long), out(1, "end\n"), out(2, "b\n"),
		}, []string{"1 1 " + long + long + long + long + " ...", "1 1 " + long + "end", "1 2 b"}},
		{"nothing", nil, nil},
		{"an empty message without end", []message{out(1, "")}, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var got []string
			d := small(&got)
			for _, m := range test.messages {
				feed(t, d, m.stream, m.bytes())
			}
			if err := d.end(); err != nil {
				t.Fatal(err)
			}
			same(t, "lines", got, test.want)
		})
	}
}

func TestStamps(t *testing.T) {
	t.Parallel()
	tests := []struct {
		data string
		at   string // empty: no stamp
		size int
		half bool
	}{
		{data: "2026-03-01T12:00:00.000000007Z text", at: "2026-03-01T12:00:00.000000007Z", size: 31},
		{data: "2026-03-01T12:00:00.000000007Z ", at: "2026-03-01T12:00:00.000000007Z", size: 31},
		{data: "2026-03-01T14:00:00.000000007+02:00 text", at: "2026-03-01T12:00:00.000000007Z", size: 36},
		{data: "2026-03-01T12:00:00Z text", at: "2026-03-01T12:00:00Z", size: 21},
		{data: "2026-03-01T12:00:00.5Z text", at: "2026-03-01T12:00:00.5Z", size: 23},
		{data: "2026-03-01T12:00:00.000000007Z", half: true},
		{data: "2026-03-0", half: true},
		{data: "", half: true},
		{data: "2026-13-01T12:00:00.000000007Z text"},
		{data: "2026-03-01T12:00:00.00000x007Z text"},
		{data: "2026-03-01T12:00:00.000000007Ztext without space"},
		{data: "2026-03\n-01T12:00:00.000000007Z text"},
		{data: "2026 text"},
		{data: "text"},
	}
	var reader stampReader
	for _, test := range tests {
		at, size, found := reader.read([]byte(test.data))
		want := noStamp
		switch {
		case test.at != "":
			want = aStamp
		case test.half:
			want = halfAStamp
		}
		if found != want || size != test.size {
			t.Errorf("%q: finding %d of %d bytes, want %d of %d", test.data, found, size, want, test.size)
		}
		if want == aStamp && at.Format(time.RFC3339Nano) != test.at {
			t.Errorf("%q: time %v, want %s", test.data, at, test.at)
		}
	}
}

func TestWithoutStampsTextIsKept(t *testing.T) {
	t.Parallel()
	var got []string
	d := small(&got)
	d.emit = func(_ engine.Stream, _ time.Time, text []byte, _ bool) error {
		got = append(got, string(text))
		return nil
	}
	for _, data := range []string{"plain\n2026-03-", "01 is no stamp\n20", "26\n", "2026-03-01T12:0"} {
		feed(t, d, engine.Stdout, []byte(data))
	}
	if err := d.end(); err != nil {
		t.Fatal(err)
	}
	same(t, "lines", got, []string{"plain", "2026-03-01 is no stamp", "2026", "2026-03-01T12:0"})
}

func TestErrorOfTheSinkEndsDecoding(t *testing.T) {
	t.Parallel()
	d := newDecoder(func(engine.Stream, time.Time, []byte, bool) error { return errSink })
	for _, data := range [][]byte{out(1, "a\n").bytes(), out(1, strings.Repeat("x", messageSize)+"\n").bytes()} {
		if err := d.frame(engine.Frame{Stream: engine.Stdout, Data: data}); err != errSink { //nolint:errorlint // exactly it
			t.Errorf("got %v", err)
		}
	}
}

func FuzzDecoder(f *testing.F) {
	f.Add(concat(terminal()), uint16(40), uint16(90))
	f.Add([]byte("no stamp\n2026-03-01T12:00:00.000000007"), uint16(3), uint16(12))
	f.Add(bytes.Repeat([]byte("2026-03-01T12:00:00Z "), 40), uint16(64), uint16(65))
	f.Fuzz(func(t *testing.T, data []byte, first, second uint16) {
		decode := func(raw bool, parts ...[]byte) []string {
			var got []string
			d := small(&got)
			d.raw = raw
			for _, part := range parts {
				feed(t, d, engine.Stdout, bytes.Clone(part))
				if held := len(d.halves[0].line) + len(d.halves[0].stamp); held > d.lineLimit+d.messageSize+longestStamp {
					t.Fatalf("%d bytes held", held)
				}
			}
			if err := d.end(); err != nil {
				t.Fatal(err)
			}
			return got
		}
		a := min(int(first), len(data))
		b := min(a+int(second), len(data))
		decode(false, data[:a], data[a:b], data[b:])
		same(t, "cut", decode(true, data[:a], data[a:b], data[b:]), decode(true, data))
	})
}
