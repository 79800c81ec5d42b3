package enginetest

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/muster-dev/muster/convergence/engine"
)

func logCases() []testCase {
	return []testCase{
		{"frames have their stream", logStreams},
		{"a container that never ran has no logs", logNever},
		{"the last lines", logTail},
		{"since and until include the moment", logSinceUntil},
		{"a long line comes in parts", logLongLine},
		{"a last line without an end", logUnended},
		{"a terminal's output", logTerminal},
		{"following ends with the run", logFollowEnds},
		{"following a container that does not run ends at once", logFollowEnded},
		{"following begins with history", logFollowHistory},
		{"an error or the caller ends following", logFollowCancelled},
		{"a slow reader loses nothing", logSlowReader},
		{"logs stay over a restart", logRestart},
	}
}

// frames reads logs into "stream text" strings.
func (f *fixture) frames(id string, options engine.LogOptions) []string {
	f.Helper()
	var frames []string
	err := f.Logs(f.ctx, id, options, func(frame engine.Frame) error {
		stream := "out"
		if frame.Stream == engine.Stderr {
			stream = "err"
		}
		frames = append(frames, stream+" "+string(frame.Data))
		return nil
	})
	f.must(err, "logs of "+id)
	return frames
}

// stamped takes the times off frames with timestamps.
func (f *fixture) stamped(frames []string) (times []time.Time) {
	f.Helper()
	for _, frame := range frames {
		_, text, _ := strings.Cut(frame, " ")
		stamp, _, _ := strings.Cut(text, " ")
		at, err := time.Parse(time.RFC3339Nano, stamp)
		f.must(err, "timestamp of "+frame)
		times = append(times, at)
	}
	return times
}

func all() engine.LogOptions { return engine.LogOptions{Tail: -1} }

func logStreams(f *fixture) {
	id := f.finish(f.request("web", "-out", "one", "-err", "two", "-sleep", "20ms", "-out", "three", "-err", "four")).ID
	frames := f.frames(id, all())
	slices.SortStableFunc(frames, func(a, b string) int { return strings.Compare(a[:3], b[:3]) }) // each stream comes its own way
	equal(f, "frames", strings.Join(frames, ""), "err two\nerr four\nout one\nout three\n")
	started := f.inspect(id).StartedAt
	for _, at := range f.stamped(f.frames(id, engine.LogOptions{Tail: -1, Timestamps: true})) {
		if at.Before(started) {
			f.Errorf("time: %v, before the start at %v", at, started)
		}
	}
}

func logNever(f *fixture) {
	id := f.create(f.request("web"))
	equal(f, "frames", len(f.frames(id, all())), 0)
}

func logTail(f *fixture) {
	id := f.finish(f.request("web", "-lines", "5")).ID
	equal(f, "the last two", strings.Join(f.frames(id, engine.LogOptions{Tail: 2}), ""), "out line 4\nout line 5\n")
	equal(f, "none", len(f.frames(id, engine.LogOptions{Tail: 0})), 0)
	equal(f, "more than there are", len(f.frames(id, engine.LogOptions{Tail: 9})), 5)
}

func logSinceUntil(f *fixture) {
	id := f.finish(f.request("web", "-every", "20ms", "-lines", "5")).ID
	times := f.stamped(f.frames(id, engine.LogOptions{Tail: -1, Timestamps: true}))
	equal(f, "frames", len(times), 5)
	from := f.frames(id, engine.LogOptions{Tail: -1, Since: times[1]})
	equal(f, "since", strings.Join(from, ""), "out line 2\nout line 3\nout line 4\nout line 5\n")
	to := f.frames(id, engine.LogOptions{Tail: -1, Until: times[1]})
	equal(f, "until", strings.Join(to, ""), "out line 1\nout line 2\n")
	between := f.frames(id, engine.LogOptions{Tail: -1, Since: times[1], Until: times[3]})
	equal(f, "since and until", strings.Join(between, ""), "out line 2\nout line 3\nout line 4\n")
	after := f.frames(id, engine.LogOptions{Tail: -1, Since: times[4].Add(1)})
	equal(f, "since just after the last", len(after), 0)
	of := f.frames(id, engine.LogOptions{Tail: 2, Until: times[3]})
	equal(f, "tail is of the whole history", strings.Join(of, ""), "out line 4\n")
}

func logLongLine(f *fixture) {
	id := f.finish(f.request("web", "-long", "40", "-out", "next")).ID
	frames := f.frames(id, engine.LogOptions{Tail: -1, Timestamps: true})
	var sizes []int
	for _, frame := range frames {
		sizes = append(sizes, len(frame)-len("out ")-len("2006-01-02T15:04:05.000000000Z "))
	}
	if len(sizes) != 4 || sizes[0] != 16384 || sizes[1] != 16384 || sizes[2] != 8193 || sizes[3] != 5 {
		f.Errorf("sizes: got %v, want 16384 16384 8193 5: parts of 16 KB, the last with the end of the line", sizes)
	}
	times := f.stamped(frames)
	if !times[0].Equal(times[1]) || !times[0].Equal(times[2]) {
		f.Errorf("times of the parts: %v, want the same", times)
	}
	equal(f, "a part counts as a line of the tail", len(f.frames(id, engine.LogOptions{Tail: 2})), 2)
}

func logUnended(f *fixture) {
	id := f.finish(f.request("web", "-out", "one", "-part", "two", "-sleep", "20ms", "-part", "three")).ID
	equal(f, "frames", strings.Join(f.frames(id, all()), "|"), "out one\n|out twothree")
}

func logTerminal(f *fixture) {
	request := f.request("web", "-out", "one", "-sleep", "50ms", "-err", "two")
	request.Service.Tty = true
	id := f.finish(request).ID
	var text strings.Builder
	f.must(f.Logs(f.ctx, id, all(), func(frame engine.Frame) error {
		equal(f, "stream", frame.Stream, engine.Stdout)
		text.Write(frame.Data)
		return nil
	}), "logs")
	equal(f, "text", text.String(), "one\r\ntwo\r\n")
	text.Reset()
	f.must(f.Logs(f.ctx, id, engine.LogOptions{Tail: 1, Timestamps: true}, func(frame engine.Frame) error {
		text.Write(frame.Data)
		return nil
	}), "logs with times")
	stamp, rest, _ := strings.Cut(text.String(), " ")
	_, err := time.Parse(time.RFC3339Nano, stamp)
	f.must(err, "the time stands in the text")
	equal(f, "the last line", rest, "two\r\n")
}

func logFollowEnds(f *fixture) {
	id := f.start(f.request("web", "-every", "50ms", "-lines", "5", "-exit", "0"))
	frames := f.frames(id, engine.LogOptions{Tail: -1, Follow: true})
	equal(f, "frames", strings.Join(frames, ""), "out line 1\nout line 2\nout line 3\nout line 4\nout line 5\n")
}

func logFollowEnded(f *fixture) {
	ended := f.finish(f.request("ended", "-out", "bye")).ID
	equal(f, "frames", strings.Join(f.frames(ended, engine.LogOptions{Tail: -1, Follow: true}), ""), "out bye\n")
	created := f.create(f.request("created"))
	equal(f, "frames of one that never ran", len(f.frames(created, engine.LogOptions{Tail: -1, Follow: true})), 0)
}

func logFollowHistory(f *fixture) {
	id := f.start(f.request("web", "-lines", "3", "-sleep", "500ms", "-out", "end"))
	f.awaitOutput(id, "line 1\nline 2\nline 3\n")
	frames := f.frames(id, engine.LogOptions{Tail: 1, Follow: true})
	equal(f, "frames", strings.Join(frames, ""), "out line 3\nout end\n")
}

func logFollowCancelled(f *fixture) {
	id := f.start(f.request("web", "-out", "one", "-stay"))
	f.awaitOutput(id, "one\n") // ends by an error
	ctx, cancel := context.WithCancel(f.ctx)
	err := f.Logs(ctx, id, engine.LogOptions{Tail: -1, Follow: true}, func(engine.Frame) error {
		cancel()
		return nil
	})
	f.wants(err, context.Canceled, "logs whose caller goes away")
}

func logSlowReader(f *fixture) {
	const lines = 5000
	id := f.start(f.request("web", "-lines", "5000", "-out", "end", "-stay"))
	count := 0
	err := f.Logs(f.ctx, id, engine.LogOptions{Tail: -1, Follow: true}, func(frame engine.Frame) error {
		if string(frame.Data) == "end\n" {
			return errEnough
		}
		count += strings.Count(string(frame.Data), "\n")
		return nil
	})
	f.wants(err, errEnough, "logs")
	equal(f, "lines", count, lines)
}

func logRestart(f *fixture) {
	details := f.finish(f.request("web", "-out", "run"))
	w := f.watch(f.name)
	f.must(f.StartContainer(f.ctx, details.ID), "start again")
	w.await(details.ID, "die")
	equal(f, "frames", strings.Join(f.frames(details.ID, all()), ""), "out run\nout run\n")
	only := f.frames(details.ID, engine.LogOptions{Tail: -1, Since: f.inspect(details.ID).StartedAt})
	equal(f, "frames since the last start", strings.Join(only, ""), "out run\n")
}
