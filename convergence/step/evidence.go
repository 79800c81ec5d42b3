package step

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/muster-dev/muster/convergence/engine"
)

// LogLine is a line that a container wrote.
type LogLine struct {
	Time time.Time // the engine's; zero where it tells none
	Text string    // without its end; cut where it is very long
}

// Evidence that is read from a container that failed.
const (
	evidenceLines = 20
	evidenceBytes = 8 << 10
	evidenceLine  = 1 << 10 // bytes of one line
	evidenceTime  = 2 * time.Second
)

func (w *watch) timedOut(ctx context.Context) error {
	failed := w.failure(ctx, cmp.Or(progress(w.last), w.pending()))
	failed.TimedOut = true
	return failed
}

// pending is what a container that is on its way has not reached yet.
func (w *watch) pending() string {
	switch {
	case w.last.RestartCount > w.before:
		return fmt.Sprintf("keeps ending, restarted %d times", w.last.RestartCount-w.before)
	case w.last.State == engine.StateRunning && w.last.HealthCheck != nil:
		return "no probe has succeeded yet"
	}
	return "not " + w.step.Goal.String() + " yet"
}

// failure makes the error and reads the end of the container's log.
func (w *watch) failure(ctx context.Context, reason string) *WaitError {
	failed := &WaitError{Wait: w.step, Reason: reason, Details: w.last}
	if w.last.ID != "" && reason != noHealthCheck {
		failed.Log = LastLines(ctx, w.eng, w.last.ID)
	}
	return failed
}

// LastLines reads the end of what a container wrote, for a failure to show: 20 lines and 8 KB at most, and for no longer than 2
// seconds, whatever became of the context. A log that cannot be read is an empty one: it makes no second error.
func LastLines(ctx context.Context, eng engine.Streams, ref string) []LogLine {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), evidenceTime)
	defer cancel()
	var reader lineReader
	_ = eng.Logs(ctx, ref, engine.LogOptions{Tail: evidenceLines, Timestamps: true}, reader.take)
	lines, size := reader.lines, 0
	for i := len(lines) - 1; i >= 0; i-- {
		if size += len(lines[i].Text); size > evidenceBytes || len(lines)-i > evidenceLines {
			return lines[i+1:]
		}
	}
	return lines
}

// lineReader makes lines of frames. Of a line over 16 KB several come, each with the time of the first.
type lineReader struct {
	lines []LogLine
	open  [engine.Stderr + 1]bool // whether the last line of a stream goes on
}

func (r *lineReader) take(frame engine.Frame) error {
	for text := range bytes.Lines(frame.Data) {
		stamp, text := cutTime(text)
		whole := bytes.HasSuffix(text, []byte("\n"))
		if !r.open[frame.Stream] {
			text = bytes.TrimRight(text, "\r\n")
			r.lines = append(r.lines, LogLine{Time: stamp, Text: string(text[:min(len(text), evidenceLine)])})
		}
		r.open[frame.Stream] = !whole
	}
	return nil
}

// cutTime takes the engine's time off the beginning of a line, if there is one.
func cutTime(line []byte) (time.Time, []byte) {
	first, rest, _ := bytes.Cut(line, []byte(" "))
	stamp, err := time.Parse(time.RFC3339Nano, string(first))
	if err != nil {
		return time.Time{}, line
	}
	return stamp, rest
}
