package logs

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/muster-dev/muster/convergence/engine"
)

func source(serviceName string, number int) Source {
	return Source{
		Container: fmt.Sprintf("shop-%s-%d", serviceName, number), Project: "shop", Service: serviceName, Number: number,
	}
}

func line(from Source, text string) Item {
	return Item{Kind: KindLine, Line: Line{Source: from, Stream: engine.Stdout, Time: epoch().Add(1500), Text: []byte(text)}}
}

// writes notes every call of Write by itself.
type writes []string

func (w *writes) Write(data []byte) (int, error) {
	*w = append(*w, string(data))
	return len(data), nil
}

func TestPrinter(t *testing.T) {
	t.Parallel()
	web, database := source("web", 1), source("database", 1)
	failed := line(web, "failed")
	failed.Stream = engine.Stderr
	cut := line(web, "long")
	cut.Cut = true
	exited := Item{Kind: KindExited, Line: Line{Source: web}, ExitCode: 3}
	again := Item{Kind: KindExited, Line: Line{Source: database}, ExitCode: 137, Restarting: true, OutOfMemory: true}
	gone := Item{Kind: KindExited, Line: Line{Source: web}, ExitCode: UnknownExit}
	unreadable := Item{Kind: KindUnreadable, Line: Line{Source: web}, Err: errors.New("the driver \x1b]0;x\a cannot")}
	names := []string{"web-1", "database-1"}
	started := Item{Kind: KindStarted, Line: Line{Source: web}}
	back := Item{Kind: KindStarted, Line: Line{Source: database}, Again: true, ExitCode: 137, OutOfMemory: true}
	replaced := Item{Kind: KindExited, Line: Line{Source: web}, ExitCode: 143, Replaced: true}
	healthy := Item{Kind: KindHealth, Line: Line{Source: web}, Health: engine.HealthHealthy}
	killed := Item{Kind: KindOutOfMemory, Line: Line{Source: web}}

	tests := []struct {
		name     string
		options  PrinterOptions
		items    []Item
		out, err []string
	}{
		{"plain", PrinterOptions{}, []Item{line(web, "hello"), exited}, []string{"web-1  | hello\n", "web-1 exited with code 3\n"}, nil},
		{
			"grows",
			PrinterOptions{},
			[]Item{line(web, "a"), line(database, "b"), line(web, "c")},
			[]string{"web-1  | a\n", "database-1  | b\n", "web-1       | c\n"},
			nil,
		},
		{
			"fixed width",
			PrinterOptions{Names: names},
			[]Item{line(web, "a"), line(database, "b")},
			[]string{"web-1       | a\n", "database-1  | b\n"},
			nil,
		},
		{
			"colours by name",
			PrinterOptions{Names: names, Color: true},
			[]Item{line(web, "a"), line(database, "b"), exited, again},
			[]string{
				"\x1b[33mweb-1       | \x1b[0ma\n", "\x1b[36mdatabase-1  | \x1b[0mb\n",
				"\x1b[33mweb-1 exited with code 3\x1b[0m\n", "\x1b[36mdatabase-1 exited with code 137 (restarting)\x1b[0m\n",
			},
			nil,
		},
		{
			"timestamps",
			PrinterOptions{Timestamps: true},
			[]Item{line(web, "a")},
			[]string{"web-1  | 2026-03-01T12:00:00.000001500Z a\n"},
			nil,
		},
		{
			"no prefix",
			PrinterOptions{NoPrefix: true, Timestamps: true, Color: true},
			[]Item{line(web, "a")},
			[]string{"2026-03-01T12:00:00.000001500Z a\n"},
			nil,
		},
		{"streams together", PrinterOptions{}, []Item{failed}, []string{"web-1  | failed\n"}, nil},
		{
			"streams apart",
			PrinterOptions{Split: true},
			[]Item{failed, line(web, "a")},
			[]string{"web-1  | a\n"},
			[]string{"web-1  | failed\n"},
		},
		{"cut", PrinterOptions{}, []Item{cut}, []string{"web-1  | long [line goes on]\n"}, nil},
		{
			"hostile",
			PrinterOptions{},
			[]Item{
				line(web, "\x1b[2J\x1b[31mred"), line(web, "\x1b]0;title\a\x1b]8;;http://x\x1b\\"), line(web, "\x1bP1$r\x1b\\\x1bc\x1b#8"),
				line(web, "\xc2\x9b2J\x9d0;x\x9c"), line(web, "a\u202eb\u2066c\u2028d"), line(web, "\x1b[2;3H\x1b[?1049h\x1b[6n\x05"),
			},
			[]string{
				"web-1  | ^[[2J\x1b[31mred\x1b[0m\n", "web-1  | ^[]0;title^G^[]8;;http://x^[\\\n", "web-1  | ^[P1$r^[\\^[c^[#8\n",
				`web-1  | \x9b2J\x9d0;x\x9c` + "\n", `web-1  | a\u202eb\u2066c\u2028d` + "\n", "web-1  | ^[[2;3H^[[?1049h^[[6n^E\n",
			},
			nil,
		},
		{
			"overwritten",
			PrinterOptions{},
			[]Item{line(web, " 10%\r 50%\r100%"), line(web, "\r\rdone\r\r"), line(web, "red\rweb-2  | fake"), line(web, "\r")},
			[]string{"web-1  | 100%\n", "web-1  | done\n", "web-1  | web-2  | fake\n", "web-1  | \n"},
			nil,
		},
		{
			"marks for people",
			PrinterOptions{Marks: MarksBrief},
			[]Item{exited, again, back, started, replaced, healthy},
			[]string{
				"web-1 exited with code 3\n", "database-1  - restarted, exit 137, out of memory\n", "web-1 has been recreated\n",
			},
			nil,
		},
		{
			"all marks",
			PrinterOptions{Marks: MarksAll, Names: names, Color: true},
			[]Item{again, back, started, replaced, healthy, killed, gone},
			[]string{
				"\x1b[36mdatabase-1  - \x1b[0mended, exit 137, out of memory, restarting\n", "\x1b[36mdatabase-1  - \x1b[0mrestarted\n",
				"\x1b[33mweb-1       - \x1b[0mstarted\n", "\x1b[33mweb-1       - \x1b[0mended, exit 143, replaced\n",
				"\x1b[33mweb-1       - \x1b[0mhealthy\n", "\x1b[33mweb-1       - \x1b[0mout of memory, a process was killed\n",
				"\x1b[33mweb-1       - \x1b[0mended, nobody saw how\n",
			},
			nil,
		},
		{
			"a driver that keeps nothing to read",
			PrinterOptions{},
			[]Item{{Kind: KindUnreadable, Line: Line{Source: web}, Err: fmt.Errorf("none: %w", engine.ErrUnsupported)}},
			nil,
			[]string{"cannot read logs of service \"web\": none: not supported by this engine\n"},
		},
		{"hostile into a pipe", PrinterOptions{Raw: true}, []Item{line(web, "\x1b[2J\xff\rx")}, []string{"web-1  | \x1b[2J\xff\rx\n"}, nil},
		{"gone", PrinterOptions{}, []Item{gone}, []string{"web-1 is gone\n"}, nil},
		{
			"unreadable",
			PrinterOptions{},
			[]Item{unreadable},
			nil,
			[]string{"cannot read the log of \"web-1\": the driver ^[]0;x^G cannot\n"},
		},
		{"kinds without form", PrinterOptions{}, []Item{{Kind: KindStarted, Line: Line{Source: web}}, {}}, nil, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var out, problems writes
			test.options.Stdout, test.options.Stderr = &out, &problems
			p := NewPrinter(test.options)
			for _, item := range test.items {
				if err := p.Print(item); err != nil {
					t.Fatal(err)
				}
			}
			same(t, "stdout", out, test.out)
			same(t, "stderr", problems, test.err)
		})
	}
}

func TestColorsTakeTurns(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	p := NewPrinter(PrinterOptions{Stdout: &out, Color: true, Names: []string{"s02-1", "s01-1", "s01-1"}})
	for number := range 12 {
		if err := p.Print(line(source(fmt.Sprintf("s%02d", 11-number), 1), "x")); err != nil {
			t.Fatal(err)
		}
	}
	var codes []string
	for printed := range strings.Lines(out.String()) {
		codes = append(codes, printed[2:strings.Index(printed, "m")])
	}
	same(t, "colours of s11 to s00", codes, []string{
		"32", "35", "34", "36;1", "33;1", "32;1", "35;1", "34;1", "36", "33", "36", "33",
	})
}

func TestHarmless(t *testing.T) {
	t.Parallel()
	tests := []struct{ text, want string }{
		{"", ""},
		{"plain\ttext", "plain\ttext"},
		{"grüße 日本 \u00a0", "grüße 日本 \u00a0"},
		{"\xff\xfe\xa0", "\xff\xfe\xa0"},
		{"\x1b[1;31mred", "\x1b[1;31mred\x1b[0m"},
		{"\x1b[38:2::1:2:3mx\x1b[m", "\x1b[38:2::1:2:3mx\x1b[m\x1b[0m"},
		{"\x1b[2J\x1b[H", "^[[2J^[[H"},
		{"\x1b[?25l", "^[[?25l"},
		{"\x1b]0;title\a", "^[]0;title^G"},
		{"\x1b]52;c;cGFzdGU=\x1b\\", "^[]52;c;cGFzdGU=^[\\"},
		{"\x1bPq\x1b\\", "^[Pq^[\\"},
		{"\x1bc", "^[c"},
		{"\x1b", "^["},
		{"\x1b[", "^[["},
		{"\x1b[31", "^[[31"},
		{"\x1b[" + strings.Repeat("1", 100) + "m", "^[[" + strings.Repeat("1", 100) + "m"},
		{"a\rb\bc\x00d\x7f", "a^Mb^Hc^@d^?"},
		{"\u009b2J", `\x9b2J`},
		{"\x9b2J", `\x9b2J`},
		{"\xc2", "\xc2"},
	}
	for _, test := range tests {
		if got := string(appendHarmless([]byte("> "), []byte(test.text))); got != "> "+test.want {
			t.Errorf("%q: got %q, want %q", test.text, got, test.want)
		}
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	tests := []struct {
		source Source
		want   string
	}{
		{source("web", 1), "web-1"},
		{Source{Container: "shop_web_12", Project: "shop", Service: "web", Number: 12}, "web_12"},
		{Source{Container: "shop-web_12", Project: "shop", Service: "web", Number: 12}, "shop-web_12"},
		{Source{Container: "shop-db", Project: "shop", Service: "web", Number: 1}, "shop-db"},
		{Source{Container: "web", Project: "shop", Service: "web", Number: 1}, "web"},
		{Source{Container: "shop", Project: "shop", Service: "web", Number: 1}, "shop"},
		{Source{Container: "shop-web-run-1f2e", Project: "shop", Service: "web", OneOff: true}, "shop-web-run-1f2e"},
		{Source{Container: "some-1", Service: "some", Number: 1}, "some-1"},
		{Source{Container: "a-b-c-1", Project: "a-b", Service: "c", Number: 1}, "c-1"},
	}
	for _, test := range tests {
		if got := test.source.Name(); got != test.want {
			t.Errorf("%+v: got %q, want %q", test.source, got, test.want)
		}
	}
}

func TestErrorOfTheWriter(t *testing.T) {
	t.Parallel()
	p := NewPrinter(PrinterOptions{Stdout: full{}})
	if err := p.Print(line(source("web", 1), "x")); !errors.Is(err, errSink) {
		t.Errorf("got %v", err)
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errSink }

func FuzzHarmless(f *testing.F) {
	f.Add([]byte("\x1b[1;31mred\x1b]0;x\a\u009b\x9b\r"))
	f.Fuzz(func(t *testing.T, text []byte) {
		got := appendHarmless(nil, bytes.ReplaceAll(text, []byte("\n"), nil))
		rest := got
		for {
			at := bytes.IndexByte(rest, escape)
			if at < 0 {
				break
			}
			size := colorSequence(rest[at:])
			if size == 0 {
				t.Fatalf("%q leaves an escape: %q", text, got)
			}
			rest = rest[at+size:]
		}
		for _, r := range string(got) {
			if r != escape && r != '\t' && (r < ' ' || r >= deletion && r < 0xa0) {
				t.Fatalf("%q leaves %U: %q", text, r, got)
			}
		}
	})
}

func TestLineTimeIsUTC(t *testing.T) {
	t.Parallel()
	var out writes
	p := NewPrinter(PrinterOptions{Stdout: &out, Timestamps: true, NoPrefix: true})
	item := line(source("web", 1), "x")
	item.Time = item.Time.In(time.FixedZone("", 7200))
	if err := p.Print(item); err != nil {
		t.Fatal(err)
	}
	same(t, "stdout", out, []string{"2026-03-01T12:00:00.000001500Z x\n"})
}
