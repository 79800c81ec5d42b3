package enginetest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/project"
)

func consoleCases() []testCase {
	return []testCase{
		{"a command reads its input to the end", execInput},
		{"a command's input and output are bytes", execBytes},
		{"a command that ends before its input", execEndsFirst},
		{"a command that reads nothing of much input", execReadsNothing},
		{"an input that fails ends the call", execInputFails},
		{"a call with an open input ends with its context", execInputContext},
		{"a command with a terminal", execTerminal},
		{"a command's terminal is resized", execResized},
		{"a command that nobody listens to", execDetached},
		{"attached before the start", attachBefore},
		{"attached while it runs", attachRunning},
		{"attached to a terminal", attachTerminal},
		{"an attached caller goes", attachLeft},
		{"an attached caller's input ends", attachInputEnds},
		{"no attachment where there is no container", attachNobody},
		{"a container that is removed when it has ended", removedAtTheEnd},
	}
}

// open is an input that comes in parts: until it is closed a Read waits for more.
type open struct {
	*io.PipeReader
	keys *io.PipeWriter
}

func newOpen() open {
	reader, writer := io.Pipe()
	return open{reader, writer}
}

// given is an input that is there.
func given(content string) io.ReadCloser { return io.NopCloser(strings.NewReader(content)) }

func execInput(f *fixture) {
	id := f.start(f.request("web", "-stay"))
	request := box("-copy", "-out", "end", "-exit", "3")
	request.Input = given("one\ntwo")
	r, err := f.exec(id, request)
	f.must(err, "exec")
	equal(f, "command", r, ran{code: 3, stdout: "one\ntwoend\n"})
	equal(f, "command without input", f.run(id, "-copy", "-out", "end"), ran{stdout: "end\n"})
}

// allBytes are a megabyte of every byte there is, none like the one before.
func allBytes() []byte {
	content := make([]byte, 1<<20)
	state := uint32(1)
	for i := range content {
		state = state*1664525 + 1013904223 // numerical recipes
		content[i] = byte(state >> 24)
	}
	return content
}

func execBytes(f *fixture) {
	id := f.start(f.request("web", "-stay"))
	content := allBytes()
	request := box("-copy")
	request.Input = io.NopCloser(bytes.NewReader(content))
	var got bytes.Buffer
	code, err := f.Exec(f.ctx, id, request, func(frame engine.Frame) error { got.Write(frame.Data); return nil })
	f.must(err, "exec")
	equal(f, "exit code", code, 0)
	if !bytes.Equal(got.Bytes(), content) {
		f.Errorf("output: %d bytes that are not the %d of the input", got.Len(), len(content))
	}
}

func execEndsFirst(f *fixture) {
	id := f.start(f.request("web", "-stay"))
	request := box("-out", "ready", "-exit", "4")
	request.Input = newOpen()
	r, err := f.exec(id, request)
	f.must(err, "exec")
	equal(f, "command", r, ran{code: 4, stdout: "ready\n"})
	if _, err := request.Input.Read(make([]byte, 1)); err == nil {
		f.Error("the input was not closed")
	}
}

func execReadsNothing(f *fixture) {
	id := f.start(f.request("web", "-stay"))
	request := box("-out", "no", "-exit", "5")
	request.Input = io.NopCloser(bytes.NewReader(allBytes()))
	r, err := f.exec(id, request)
	f.must(err, "exec")
	equal(f, "command", r, ran{code: 5, stdout: "no\n"})
}

// failing is an input whose end is an error.
type failing struct{ *strings.Reader }

func (f failing) Read(into []byte) (int, error) {
	n, err := f.Reader.Read(into)
	if errors.Is(err, io.EOF) {
		err = errSeen
	}
	return n, err
}

func (failing) Close() error { return nil }

func execInputFails(f *fixture) {
	w := f.watch(f.name)
	id := f.start(f.request("web", "-stay"))
	request := box("-sleep", "200ms", "-exit", "7")
	request.Input = failing{strings.NewReader("one")}
	_, err := f.exec(id, request)
	f.wants(err, errSeen, "exec")
	equal(f, "exit code of the event", w.await(id, "exec_die").ExitCode, 7)
}

func execInputContext(f *fixture) {
	id := f.start(f.request("web", "-stay"))
	ctx, cancel := context.WithCancel(f.ctx)
	defer cancel()
	request := box("-out", "ready", "-copy")
	request.Input = newOpen()
	_, err := f.Exec(ctx, id, request, func(engine.Frame) error { cancel(); return nil })
	f.wants(err, context.Canceled, "exec")
}

func execTerminal(f *fixture) {
	id := f.start(f.request("web", "-stay"))
	request := box("-out", "one", "-err", "two", "-size")
	request.Tty, request.Size = true, engine.Size{Width: 100, Height: 30}
	r, err := f.exec(id, request)
	f.must(err, "exec")
	equal(f, "command", r, ran{stdout: "one\r\ntwo\r\n100x30\r\n"})
	equal(f, "command without", f.run(id, "-size"), ran{stdout: "no terminal\n"})
}

// screen collects what a process writes, and tells of what was waited for.
type screen struct {
	mutex sync.Mutex
	text  strings.Builder
	waits map[string]func()
}

// on calls do, once, when the text has come.
func (s *screen) on(text string, do func()) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.waits == nil {
		s.waits = map[string]func(){}
	}
	s.waits[text] = do
}

func (s *screen) add(frame engine.Frame) error {
	s.mutex.Lock()
	s.text.Write(frame.Data)
	var due []func()
	for text, do := range s.waits {
		if strings.Contains(s.text.String(), text) {
			due = append(due, do)
			delete(s.waits, text)
		}
	}
	s.mutex.Unlock()
	for _, do := range due {
		do()
	}
	return nil
}

func (s *screen) String() string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.text.String()
}

// press types something, from a goroutine of its own because whoever reads it may be the one who asks.
func (o open) press(group *errgroup.Group, keys string) {
	group.Go(func() error { _, err := io.WriteString(o.keys, keys); return err })
}

const (
	keyInterrupt = "\x03"
	keyEnd       = "\x04"
)

func execResized(f *fixture) {
	id := f.start(f.request("web", "-stay"))
	var typing errgroup.Group
	input, sizes, shown := newOpen(), make(chan engine.Size, 2), &screen{}
	request := box("-term-exit", "6", "-size", "-copy", "-stay")
	request.Tty, request.Size, request.Input, request.Resize = true, engine.Size{Width: 100, Height: 30}, input, sizes
	shown.on("100x30\r\n", func() { sizes <- engine.Size{Width: 80, Height: 24} })
	shown.on("80x24\r\n", func() { input.press(&typing, "hello\r") })
	shown.on("hello\r\nhello\r\n", func() { input.press(&typing, keyInterrupt) })
	code, err := f.Exec(f.ctx, id, request, shown.add)
	f.must(err, "exec")
	f.must(typing.Wait(), "type")
	equal(f, "exit code", code, 6)
	equal(f, "screen", shown.String(), "100x30\r\n80x24\r\nhello\r\nhello\r\n^C")
}

func execDetached(f *fixture) {
	w := f.watch(f.name)
	id := f.start(f.request("web", "-stay"))
	request := box("-sleep", "100ms", "-out", "nobody hears it", "-exit", "8")
	request.Detach = true
	r, err := f.exec(id, request)
	f.must(err, "exec")
	equal(f, "command", r, ran{})
	equal(f, "exit code of the event", w.await(id, "exec_die").ExitCode, 8)
	request = engine.Exec{Command: []string{"/nothing"}, Detach: true}
	if _, err := f.exec(id, request); err == nil || !strings.Contains(err.Error(), "/nothing") {
		f.Errorf("exec of what is not there: got error %v, want one that names it", err)
	}
}

// interactive is a container whose input somebody attaches to.
func (f *fixture) interactive(tty bool, arguments ...string) string {
	request := f.request("web", arguments...)
	request.Service.StdinOpen, request.Service.Tty, request.Attached = true, tty, true
	request.ConsoleSize = engine.Size{Width: 100, Height: 30}
	return f.create(request)
}

func attachBefore(f *fixture) {
	w := f.watch(f.name)
	id := f.interactive(false, "-out", "first", "-copy", "-err", "last", "-exit", "3")
	details := f.inspect(id)
	equal(f, "open stdin", details.OpenStdin, true)
	equal(f, "terminal", details.Tty, false)
	content := allBytes()
	var stdout, stderr bytes.Buffer
	err := f.Attach(f.ctx, id, engine.Console{Input: io.NopCloser(bytes.NewReader(content))}, func() {
		f.check(f.StartContainer(f.ctx, id), "start")
	}, func(frame engine.Frame) error {
		if frame.Stream == engine.Stderr {
			stderr.Write(frame.Data)
		} else {
			stdout.Write(frame.Data)
		}
		return nil
	})
	f.must(err, "attach")
	equal(f, "exit code", w.await(id, "die").ExitCode, 3)
	if want := append([]byte("first\n"), content...); !bytes.Equal(stdout.Bytes(), want) {
		f.Errorf("stdout: %d bytes that are not the %d wanted", stdout.Len(), len(want))
	}
	equal(f, "stderr", stderr.String(), "last\n")
}

func attachRunning(f *fixture) {
	id := f.start(f.request("web", "-out", "before", "-starting", "-stay"))
	f.awaitOutput(id, "before\n")
	shown := &screen{}
	shown.on("defined", func() { f.check(f.KillContainer(f.ctx, id, ""), "kill") })
	err := f.Attach(f.ctx, id, engine.Console{}, func() {
		f.check(f.KillContainer(f.ctx, id, "USR1"), "signal")
	}, shown.add)
	f.must(err, "attach")
	equal(f, "output", shown.String(), "signal user defined signal 1\n")
}

func attachTerminal(f *fixture) {
	w := f.watch(f.name)
	id := f.interactive(true, "-term-exit", "5", "-size", "-copy", "-stay")
	var typing errgroup.Group
	input, sizes, shown := newOpen(), make(chan engine.Size, 2), &screen{}
	shown.on("100x30\r\n", func() { sizes <- engine.Size{Width: 80, Height: 24} })
	shown.on("80x24\r\n", func() { input.press(&typing, "hello\r") })
	shown.on("hello\r\nhello\r\n", func() { input.press(&typing, keyInterrupt) })
	console := engine.Console{Tty: true, Input: input, Resize: sizes, DetachKeys: "ctrl-x"}
	err := f.Attach(f.ctx, id, console, func() { f.check(f.StartContainer(f.ctx, id), "start") }, shown.add)
	f.must(err, "attach")
	f.must(typing.Wait(), "type")
	equal(f, "exit code", w.await(id, "die").ExitCode, 5)
	equal(f, "screen", shown.String(), "100x30\r\n80x24\r\nhello\r\nhello\r\n^C")
}

func attachLeft(f *fixture) {
	id := f.interactive(true, "-copy", "-out", "end", "-stay")
	var typing errgroup.Group
	input, first := newOpen(), &screen{}
	first.on("one\r\none\r\n", func() { _ = input.keys.CloseWithError(errSeen) })
	err := f.Attach(f.ctx, id, engine.Console{Tty: true, Input: input}, func() {
		f.check(f.StartContainer(f.ctx, id), "start")
		input.press(&typing, "one\r")
	}, first.add)
	f.wants(err, errSeen, "attach")
	again, shown := newOpen(), &screen{}
	ctx, cancel := context.WithCancel(f.ctx)
	defer cancel()
	shown.on("end\r\n", cancel)
	err = f.Attach(ctx, id, engine.Console{Tty: true, Input: again}, func() { again.press(&typing, keyEnd) }, shown.add)
	f.wants(err, context.Canceled, "attach again")
	f.must(typing.Wait(), "type")
	equal(f, "state", f.inspect(id).State, engine.StateRunning)
}

func attachInputEnds(f *fixture) {
	request := f.request("web", "-copy", "-stay")
	request.Service.StdinOpen = true
	id := f.start(request)
	f.must(f.Attach(f.ctx, id, engine.Console{Input: given("one\n")}, nil, func(engine.Frame) error { return nil }), "attach")
	f.awaitOutput(id, "one\n")
	equal(f, "state", f.inspect(id).State, engine.StateRunning)
}

func attachNobody(f *fixture) {
	err := f.Attach(f.ctx, f.own("nobody"), engine.Console{Input: given("")}, nil, func(engine.Frame) error { return nil })
	f.wants(err, engine.ErrNotFound, "attach where there is no container")
}

func removedAtTheEnd(f *fixture) {
	w := f.watch("")
	request := f.request("job", "-exit", "3")
	request.AutoRemove = true
	request.Mounts = []project.Mount{{Type: project.MountVolume, Target: "/data"}}
	id := f.create(request)
	mounts := f.inspect(id).Mounts
	f.must(f.StartContainer(f.ctx, id), "start")
	equal(f, "exit code", w.await(id, "die").ExitCode, 3)
	w.await(id, "destroy")
	_, err := f.InspectContainer(f.ctx, id)
	f.wants(err, engine.ErrNotFound, "inspect")
	volumes, err := f.ListVolumes(f.ctx)
	f.must(err, "list volumes")
	for _, volume := range volumes {
		if volume.Name == mounts[0].Name {
			f.Errorf("volume %s is still there", volume.Name)
		}
	}
}
