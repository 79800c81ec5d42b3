package form

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"text/template"
	"time"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/logs"
	"github.com/muster-dev/muster/logs/record"
)

var update = flag.Bool("update", false, "write what comes out into the goldens")

func source(service string) logs.Source {
	return logs.Source{
		ContainerID: "id-" + service, Container: "shop-" + service + "-1", Project: "shop", Service: service, Number: 1,
	}
}

// at is a moment of the engine's clock, some milliseconds after the scenes begin.
func at(ms int) time.Time { return time.Date(2026, 11, 30, 12, 4, 7, ms*1e6+1500, time.UTC) }

func line(service string, ms int, text string) logs.Item {
	return logs.Item{Kind: logs.KindLine, Line: logs.Line{Source: source(service), Stream: engine.Stdout, Time: at(ms), Text: []byte(text)}}
}

func failing(item logs.Item) logs.Item {
	item.Stream = engine.Stderr
	return item
}

// scene is a bit of everything.
func scene() []logs.Item {
	cut := line("web", 18, "a very long line")
	cut.Cut = true
	return []logs.Item{
		{Kind: logs.KindStarted, Line: logs.Line{Source: source("web"), Time: at(0)}},
		line("web", 1, "GET /cart 200 3 ms"),
		line("api", 2, `{"level":"warn","time":"2026-11-30T12:04:07Z","msg":"slow query","ms":412,"table":"orders","q":"select 1"}`),
		line("api", 3, `time=2026-11-30T12:04:07Z level=error msg="cannot \"open\"" file=/a err=`),
		failing(line("web", 4, "java.lang.IllegalStateException: closed")),
		line("api", 5, "between"),
		failing(line("web", 6, "\tat a.B.c(B.java:1)")),
		failing(line("web", 7, "Caused by: java.io.IOException: gone")),
		line("web", 8, "hostile \x1b[2J\x1b[31mred\x1b]0;x\a\u009b \u2028"),
		line("web", 9, "bytes \xff\xfe"),
		line("api", 10, `{"level":"info","msg":"hostile \u001b[2J\nsecond","stack":"a\n  b\n","time":"2020-01-01T00:00:00Z"}`),
		line("api", 11, "{\"a\":1,\r\"\u009b\":\"\x7f\"}"),
		line("api", 12, `{"msg":"unclosed"`),
		line("api", 13, `{}`),
		line("api", 14, "{"),
		line("api", 15, `  "level": "error"`),
		line("api", 16, "}"),
		line("api", 17, `{"level":30,"msg":"pino","pid":1,"nested":{"a":[1,2]}}`),
		cut,
		{Kind: logs.KindExited, Line: logs.Line{Source: source("web"), Time: at(19)}, ExitCode: 137, Restarting: true, OutOfMemory: true},
		{Kind: logs.KindOutOfMemory, Line: logs.Line{Source: source("web"), Time: at(20)}},
		{Kind: logs.KindHealth, Line: logs.Line{Source: source("web"), Time: at(21)}, Health: engine.HealthUnhealthy},
		{Kind: logs.KindExited, Line: logs.Line{Source: source("api")}, ExitCode: logs.UnknownExit},
		{Kind: logs.KindUnreadable, Line: logs.Line{Source: source("db"), Time: at(21)}, Err: errors.New("the driver \"none\" \x1b[2J cannot")},
	}
}

// TestGoldens holds every byte of every form.
func TestGoldens(t *testing.T) {
	t.Parallel()
	patterns := []*regexp.Regexp{regexp.MustCompile("slow|open"), regexp.MustCompile("low q|red$")}
	plain := func(out *bytes.Buffer, raw, color bool) Sink {
		return logs.NewPrinter(logs.PrinterOptions{
			Stdout: out, Stderr: out, Raw: raw, Color: color, Names: []string{"api-1", "web-1"},
		}).Print
	}
	for name, through := range map[string]func(out *bytes.Buffer) (Sink, func() error){
		"plain":    func(out *bytes.Buffer) (Sink, func() error) { return plain(out, true, false), nil },
		"terminal": func(out *bytes.Buffer) (Sink, func() error) { return plain(out, false, true), nil },
		"gathered": func(out *bytes.Buffer) (Sink, func() error) {
			g := NewGather(false, plain(out, true, false))
			return g.Item, g.Close
		},
		"json": func(out *bytes.Buffer) (Sink, func() error) { return NewJSON(out).Item, nil },
		"json_records": func(out *bytes.Buffer) (Sink, func() error) {
			g := NewGather(true, NewJSON(out).Item)
			return g.Item, g.Close
		},
		"template": func(out *bytes.Buffer) (Sink, func() error) {
			return Template(TemplateOptions{
				Template: template.Must(template.New("").Parse("{{.Timestamp}} {{.Name}} {{.Stream}} {{.Level}} {{.Message}} {{.Fields.table}}")),
				Out:      out, Err: out,
			}), nil
		},
		"pretty": func(out *bytes.Buffer) (Sink, func() error) {
			g := NewGather(true, Pretty(PrettyOptions{Place: time.UTC}, Split(plain(out, true, false))))
			return g.Item, g.Close
		},
		"pretty_terminal": func(out *bytes.Buffer) (Sink, func() error) {
			return Pretty(PrettyOptions{Place: time.UTC, Color: true}, Split(Highlight(patterns, plain(out, false, true)))), nil
		},
		"highlight": func(out *bytes.Buffer) (Sink, func() error) {
			return Highlight(patterns, plain(out, false, false)), nil
		},
		"stamped": func(out *bytes.Buffer) (Sink, func() error) {
			return Stamp(time.FixedZone("", 3600), plain(out, true, false)), nil
		},
		"level": func(out *bytes.Buffer) (Sink, func() error) {
			return NewFilter(Criteria{Level: record.Warn}, plain(out, true, false)).Item, nil
		},
		"stderr": func(out *bytes.Buffer) (Sink, func() error) {
			return NewFilter(Criteria{Stream: engine.Stderr}, plain(out, true, false)).Item, nil
		},
		"grep": func(out *bytes.Buffer) (Sink, func() error) {
			return NewFilter(Criteria{
				Grep: patterns, Exclude: []*regexp.Regexp{regexp.MustCompile("file=")},
			}, plain(out, true, false)).Item, nil
		},
		"grep_records": func(out *bytes.Buffer) (Sink, func() error) {
			f := NewFilter(Criteria{Grep: []*regexp.Regexp{regexp.MustCompile(`B\.java`)}}, Split(plain(out, true, false)))
			g := NewGather(true, f.Item)
			return g.Item, g.Close
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			sink, end := through(&out)
			for _, item := range scene() {
				if err := sink(item); err != nil {
					t.Fatal(err)
				}
			}
			if end != nil {
				if err := end(); err != nil {
					t.Fatal(err)
				}
			}
			golden(t, name, out.Bytes())
		})
	}
}

// golden compares with a file, in which control characters stand as Go writes them.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("got\n%q\nwant\n%q", got, want)
	}
}
