package logs

import (
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/muster-dev/muster/convergence/engine"
)

// written is n lines of about 110 bytes as an engine gives them.
func written(n int) [][]byte {
	frames := make([][]byte, n)
	for i := range frames {
		frames[i] = out(i*1000, strings.Repeat("log line ", 8)+"12345\n").bytes()
	}
	return frames
}

func discard(engine.Stream, time.Time, []byte, bool) error { return nil }

func BenchmarkDecode(b *testing.B) {
	frames := written(1000)
	b.Run("lines", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(frames[0])))
		d := newDecoder(discard)
		for i := range b.N {
			_ = d.frame(engine.Frame{Stream: engine.Stdout, Data: frames[i%len(frames)]})
		}
	})
	b.Run("terminal", func(b *testing.B) {
		var all []byte
		for _, frame := range frames {
			all = append(all, frame...)
		}
		b.ReportAllocs()
		b.SetBytes(int64(len(frames[0])))
		d := newDecoder(discard)
		for at, n := 0, 0; n < b.N; n += 16384 / len(frames[0]) { // about a line an iteration
			_ = d.frame(engine.Frame{Stream: engine.Stdout, Data: all[at:min(at+16384, len(all))]})
			if at += 16384; at >= len(all) {
				at = 0
			}
		}
	})
	b.Run("long lines", func(b *testing.B) {
		part := out(1, strings.Repeat("x", messageSize)).bytes()
		b.ReportAllocs()
		b.SetBytes(int64(len(part)))
		d := newDecoder(discard)
		for range b.N {
			_ = d.frame(engine.Frame{Stream: engine.Stdout, Data: part})
		}
	})
}

func BenchmarkPrint(b *testing.B) {
	for _, test := range []struct {
		name    string
		options PrinterOptions
		text    string
	}{
		{"pipe", PrinterOptions{Raw: true}, strings.Repeat("log line ", 8)},
		{"terminal", PrinterOptions{Color: true}, strings.Repeat("log line ", 8)},
		{"terminal, colours", PrinterOptions{Color: true}, "\x1b[32mINFO\x1b[0m " + strings.Repeat("grüße ", 8)},
		{"timestamps", PrinterOptions{Raw: true, Timestamps: true}, strings.Repeat("log line ", 8)},
	} {
		b.Run(test.name, func(b *testing.B) {
			test.options.Stdout = io.Discard
			p, item := NewPrinter(test.options), line(source("web", 1), test.text)
			b.ReportAllocs()
			b.SetBytes(int64(len(test.text)))
			for range b.N {
				_ = p.Print(item)
			}
		})
	}
}

// endless is an engine whose containers have each written the same number of lines.
type endless struct {
	containers int
	lines      int
	frames     [][]byte
}

func (e endless) ListContainers(context.Context, engine.ContainerFilter) ([]engine.Container, error) {
	listed := make([]engine.Container, e.containers)
	for i := range listed {
		s := source("web", i+1)
		listed[i] = engine.Container{ID: s.Container, Name: s.Container, Project: s.Project, Service: s.Service, Number: s.Number}
	}
	return listed, nil
}

func (endless) Events(ctx context.Context, _ engine.EventFilter, ready func(), _ func(engine.Event) error) error {
	ready()
	<-ctx.Done()
	return ctx.Err()
}

func (endless) Info(context.Context) (engine.Info, error) { return engine.Info{}, nil }

func (e endless) Logs(_ context.Context, _ string, _ engine.LogOptions, yield func(engine.Frame) error) error {
	for i := range e.lines {
		if err := yield(engine.Frame{Stream: engine.Stdout, Data: e.frames[i%len(e.frames)]}); err != nil {
			return err
		}
	}
	return nil
}

// BenchmarkFollow is the whole way of a line from frames to a printer, of eight containers at once.
func BenchmarkFollow(b *testing.B) {
	for _, follow := range []bool{false, true} {
		name := "history"
		if follow {
			name = "follow"
		}
		b.Run(name, func(b *testing.B) {
			e := endless{containers: 8, lines: b.N/8 + 1, frames: written(1000)}
			p := NewPrinter(PrinterOptions{Stdout: io.Discard, Raw: true})
			b.ReportAllocs()
			b.SetBytes(int64(len(e.frames[0])))
			b.ResetTimer()
			if err := Follow(b.Context(), e, Options{Project: "shop", Follow: follow, Tail: -1}, p.Print); err != nil {
				b.Fatal(err)
			}
		})
	}
}
