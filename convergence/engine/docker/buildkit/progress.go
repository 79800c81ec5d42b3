package buildkit

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	control "github.com/moby/buildkit/api/services/control"

	"github.com/muster-dev/muster/convergence/engine"
)

// maxLine is how long a line of a step's output may get before it is cut in two.
const maxLine = 64 << 10

// progress turns what BuildKit tells into events. It is used from one goroutine, and read by others after that has ended.
type progress struct {
	report   func(engine.BuildProgress)
	steps    map[string]*step // by the digest of their vertex
	numbered int
	failed   *step // the last that did
}

// step is a vertex of BuildKit's, which is told of many times.
type step struct {
	number    int // 0 until it is told of
	name      string
	started   time.Time
	completed time.Time
	ended     bool
	lines     [3][]byte            // begun but not ended, by stream
	tail      []string             // the last lines
	transfer  engine.BuildProgress // the last one
}

func newProgress(report func(engine.BuildProgress)) *progress {
	return &progress{report: report, steps: map[string]*step{}}
}

// add tells what is new.
func (p *progress) add(update *control.StatusResponse) {
	for _, vertex := range update.GetVertexes() {
		p.vertex(vertex)
	}
	for _, status := range update.GetStatuses() {
		s := p.step(status.GetVertex(), "")
		item := status.GetName()
		if item == "" {
			item = status.GetID()
		}
		transfer := engine.BuildProgress{
			Kind: engine.BuildTransfer, Item: item, Done: status.GetCurrent(), Total: status.GetTotal(),
		}
		if transfer != s.transfer { // the end of one is told of, too
			s.transfer = transfer
			p.tell(s, transfer)
		}
	}
	for _, log := range update.GetLogs() {
		p.log(p.step(log.GetVertex(), ""), log.GetStream(), log.GetMsg())
	}
	for _, warning := range update.GetWarnings() {
		text := string(warning.GetShort())
		if ranges := warning.GetRanges(); len(ranges) > 0 {
			text += fmt.Sprintf(" (%s:%d)", warning.GetInfo().GetFilename(), ranges[0].GetStart().GetLine())
		}
		p.tell(p.step(warning.GetVertex(), ""), engine.BuildProgress{Kind: engine.BuildWarning, Text: text})
	}
}

// end tells what is left when nothing more comes: lines without an end.
func (p *progress) end() {
	for _, s := range p.steps {
		p.flush(s)
	}
}

// step is the step of a vertex.
func (p *progress) step(digest, name string) *step {
	s, known := p.steps[digest]
	if !known {
		s = &step{}
		p.steps[digest] = s
	}
	if name != "" {
		s.name = name
	}
	return s
}

func (p *progress) vertex(vertex *control.Vertex) {
	s := p.step(vertex.GetDigest(), vertex.GetName())
	if vertex.GetStarted() == nil {
		return
	}
	started := vertex.GetStarted().AsTime()
	isNew := s.started.IsZero() || started.After(s.started) && s.ended
	if isNew {
		s.started, s.ended = started, false
	}
	if vertex.GetCompleted() == nil {
		if isNew {
			p.tell(s, engine.BuildProgress{Kind: engine.BuildStepStarted})
		}
		return
	}
	if s.ended && vertex.GetError() == "" {
		return
	}
	s.completed, s.ended = vertex.GetCompleted().AsTime(), true
	p.flush(s)
	done := engine.BuildProgress{Kind: engine.BuildStepDone, Took: s.completed.Sub(s.started)}
	switch {
	case strings.HasSuffix(vertex.GetError(), "context canceled"):
		done.Kind, done.Text = engine.BuildStepFailed, "canceled"
	case vertex.GetError() != "":
		done.Kind, done.Text = engine.BuildStepFailed, plainReason(vertex.GetError())
		p.failed = s
	case vertex.GetCached():
		done.Kind, done.Took = engine.BuildStepCached, 0
	}
	p.tell(s, done)
}

// log adds a piece of output, which ends anywhere, and tells the lines that are whole by now.
func (p *progress) log(s *step, stream int64, piece []byte) {
	out := engine.Stdout
	if stream == int64(engine.Stderr) {
		out = engine.Stderr
	}
	rest := append(s.lines[out], piece...)
	for {
		end := bytes.IndexByte(rest, '\n')
		next := end + 1
		if end < 0 && len(rest) >= maxLine || end > maxLine {
			end, next = maxLine, maxLine
		}
		if end < 0 {
			break
		}
		p.line(s, out, rest[:end])
		rest = rest[next:]
	}
	s.lines[out] = bytes.Clone(rest)
}

func (p *progress) line(s *step, stream engine.Stream, line []byte) {
	text := strings.TrimSuffix(string(line), "\r")
	s.tail = append(s.tail, text)
	if len(s.tail) > engine.BuildOutputLines {
		s.tail = s.tail[1:]
	}
	p.tell(s, engine.BuildProgress{Kind: engine.BuildLog, Text: text, Stream: stream})
}

func (p *progress) flush(s *step) {
	for _, stream := range []engine.Stream{engine.Stdout, engine.Stderr} {
		if len(s.lines[stream]) > 0 {
			line := s.lines[stream]
			s.lines[stream] = nil
			p.line(s, stream, line)
		}
	}
}

func (p *progress) tell(s *step, what engine.BuildProgress) {
	if s.number == 0 {
		p.numbered++
		s.number = p.numbered
	}
	what.Step, what.Name = s.number, s.name
	p.report(what)
}
