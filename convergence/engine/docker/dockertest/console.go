package dockertest

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"sync"
	"syscall"

	apicontainer "github.com/docker/docker/api/types/container"

	"github.com/muster-dev/muster/convergence/engine/docker/testbox"
)

// inputBuffer is what a process reads. Whoever writes never waits for it.
type inputBuffer struct {
	mutex   sync.Mutex
	content []byte
	ended   bool
	changed broadcast
}

// Read implements io.Reader.
func (b *inputBuffer) Read(into []byte) (int, error) {
	for {
		b.mutex.Lock()
		n := copy(into, b.content)
		b.content = b.content[n:]
		ended, more := b.ended, b.changed.wait()
		b.mutex.Unlock()
		switch {
		case n > 0 || len(into) == 0:
			return n, nil
		case ended:
			return 0, io.EOF
		}
		<-more
	}
}

// Write implements io.Writer.
func (b *inputBuffer) Write(content []byte) (int, error) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	b.content = append(b.content, content...)
	b.changed.fire()
	return len(content), nil
}

func (b *inputBuffer) end() {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	b.ended = true
	b.changed.fire()
}

// terminal is a process's, as programs notice it that leave it as it is: what is typed shows, a line comes when it is ended, ctrl-c
// interrupts, and ctrl-d ends the input.
type terminal struct {
	input  *inputBuffer
	output io.Writer // as the process's
	signal func(os.Signal)

	mutex         sync.Mutex
	line          []byte
	width, height int
}

// Keys that a terminal does not just pass on.
const (
	keyInterrupt = 3
	keyEnd       = 4
)

// Write is what is typed.
func (t *terminal) Write(typed []byte) (int, error) {
	for _, key := range typed {
		t.press(key)
	}
	return len(typed), nil
}

func (t *terminal) press(key byte) {
	t.mutex.Lock()
	line, output := t.line, t.output
	switch key {
	case '\r', '\n':
		key = '\n'
		line = append(line, key)
		t.line = nil
	case keyInterrupt, keyEnd:
		t.line = nil
	default:
		t.line = append(line, key)
	}
	t.mutex.Unlock()
	switch key {
	case keyInterrupt:
		_, _ = io.WriteString(output, "^C")
		t.signal(syscall.SIGINT)
	case keyEnd:
		_, _ = t.input.Write(line)
		t.input.end()
	case '\n':
		_, _ = io.WriteString(output, "\n")
		_, _ = t.input.Write(line)
	default:
		_, _ = output.Write(echo(key))
	}
}

// resize says whether the size is another one now.
func (t *terminal) resize(width, height int) bool {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	changed := width != t.width || height != t.height
	t.width, t.height = width, height
	return changed
}

// echo is how a key shows.
func echo(key byte) []byte {
	const lowest, above = ' ', '@'
	if key < lowest && key != '\t' {
		return []byte{'^', key + above}
	}
	return []byte{key}
}

// show says where the process's output goes from now on; what was typed before shows there too.
func (t *terminal) show(output io.Writer) {
	if t == nil {
		return
	}
	t.mutex.Lock()
	defer t.mutex.Unlock()
	if early, ok := t.output.(*inbox); ok {
		early.open(output)
	}
	t.output = output
}

// size is for the process; nil stands for no terminal.
func (t *terminal) size() func() (width, height int, ok bool) {
	if t == nil {
		return nil
	}
	return func() (width, height int, ok bool) {
		t.mutex.Lock()
		defer t.mutex.Unlock()
		return t.width, t.height, true
	}
}

// start is the size that a call asks for, height first.
func (t *terminal) start(size [2]uint) { t.height, t.width = int(size[0]), int(size[1]) }

// terminalWriter writes as a terminal does. Nobody tells a process that the one who looked at it has gone.
type terminalWriter struct {
	mutex *sync.Mutex
	to    io.Writer
}

// Write implements io.Writer.
func (w terminalWriter) Write(content []byte) (int, error) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	_, _ = w.to.Write(bytes.ReplaceAll(content, []byte("\n"), []byte("\r\n")))
	return len(content), nil
}

// outputs are the writers for a process's two streams that go to a connection.
func outputs(to io.Writer, tty bool) (stdout, stderr io.Writer) {
	mutex := new(sync.Mutex)
	if tty {
		raw := terminalWriter{mutex, to}
		return raw, raw
	}
	return &frameWriter{mutex, to, stdoutStream}, &frameWriter{mutex, to, stderrStream}
}

// audience is who is attached to a container.
type audience struct {
	mutex     sync.Mutex
	listeners []*listener
}

// listener is one that is attached, until done is closed.
type listener struct {
	stdout, stderr io.Writer
	done           chan struct{}
}

func (a *audience) add(l *listener) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	a.listeners = append(a.listeners, l)
}

// leave lets one go.
func (a *audience) leave(l *listener) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	if i := slices.Index(a.listeners, l); i >= 0 {
		a.listeners = slices.Delete(a.listeners, i, i+1)
		close(l.done)
	}
}

// end lets all go who are attached.
func (a *audience) end() {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	for _, l := range a.listeners {
		close(l.done)
	}
	a.listeners = nil
}

// stream is what writes one of the streams to all who are attached.
func (a *audience) stream(of func(*listener) io.Writer) io.Writer {
	return writerFunc(func(content []byte) (int, error) {
		a.mutex.Lock()
		defer a.mutex.Unlock()
		for _, l := range a.listeners {
			_, _ = of(l).Write(content)
		}
		return len(content), nil
	})
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(content []byte) (int, error) { return f(content) }

// attachContainer is POST /containers/{id}/attach. It lasts until the run ends that goes on, or comes next.
func (e *Engine) attachContainer(x *exchange) error {
	e.mutex.Lock()
	c, err := e.findContainer(x.params["id"])
	if err == nil && (c.state == statePaused || c.state == stateRestarting) {
		err = c.takesCommands()
	}
	if err != nil {
		e.mutex.Unlock()
		return err
	}
	tty, input := c.config.Tty, c.typing()
	e.mutex.Unlock()
	kind := "application/vnd.docker.multiplexed-stream"
	if tty {
		kind = "application/vnd.docker.raw-stream"
	}
	waiting := &inbox{}
	l := &listener{done: make(chan struct{})}
	l.stdout, l.stderr = outputs(waiting, tty)
	c.audience.add(l)
	connection, err := x.hijack("tcp", kind)
	if err != nil {
		return err
	}
	waiting.open(connection)
	var reading sync.WaitGroup
	if x.flag("stdin") && input != nil {
		reading.Go(func() {
			_, err := io.Copy(input, connection)
			switch {
			case err != nil:
			case c.config.StdinOnce && !tty:
				c.stdin().end()
			default:
				_ = connection.Close()
				c.audience.leave(l)
			}
		})
	}
	select {
	case <-l.done:
	case <-x.Context().Done():
	}
	_ = connection.Close()
	reading.Wait()
	return nil
}

// inbox keeps what is written until it is known where to.
type inbox struct {
	mutex sync.Mutex
	kept  []byte
	to    io.Writer
}

func (i *inbox) Write(content []byte) (int, error) {
	i.mutex.Lock()
	defer i.mutex.Unlock()
	if i.to == nil {
		i.kept = append(i.kept, content...)
		return len(content), nil
	}
	return i.to.Write(content)
}

func (i *inbox) open(to io.Writer) {
	i.mutex.Lock()
	defer i.mutex.Unlock()
	i.to = to
	_, _ = to.Write(i.kept)
}

// console is what a container's processes read and write beside the log, run after run.
type console struct {
	mutex    sync.Mutex
	input    *inputBuffer // of the run that goes on, or comes next; nil where nothing can be read
	terminal *terminal    // nil where there is none
	audience audience
}

// newConsole is a container's.
func newConsole(e *Engine, c *container) *console {
	made := &console{}
	if c.config.OpenStdin {
		made.input = &inputBuffer{}
	}
	if c.config.Tty {
		made.terminal = &terminal{
			input: &inputBuffer{}, output: &inbox{},
			signal: func(signal os.Signal) {
				e.mutex.Lock()
				defer e.mutex.Unlock()
				if c.run != nil {
					c.run.send(signal)
				}
			},
		}
		made.terminal.start(c.host.ConsoleSize)
	}
	return made
}

// stdin is what the process reads; nil where there is nothing.
func (c *console) stdin() *inputBuffer {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.input
}

// reader is stdin for the process.
func (c *console) reader() io.Reader {
	if input := c.stdin(); input != nil {
		return input
	}
	return nil
}

// typing is where what comes from an attached caller goes; nil where nothing is read.
func (c *console) typing() io.Writer {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	switch {
	case c.input == nil:
		return nil
	case c.terminal != nil:
		c.terminal.input = c.input
		return c.terminal
	}
	return c.input
}

// endConsole is the end of a run: the next one has an input of its own.
func (c *console) endConsole() {
	c.mutex.Lock()
	if c.input != nil {
		c.input.end()
		c.input = &inputBuffer{}
	}
	c.mutex.Unlock()
	c.audience.end()
}

// resizeContainer is POST /containers/{id}/resize.
func (e *Engine) resizeContainer(x *exchange) error {
	width, height, err := readSize(x)
	if err != nil {
		return err
	}
	e.mutex.Lock()
	defer e.mutex.Unlock()
	c, err := e.findContainer(x.params["id"])
	switch {
	case err != nil:
		return err
	case c.run == nil:
		return fail(http.StatusConflict, "container %s is not running", c.id)
	}
	if c.terminal != nil && c.terminal.resize(width, height) {
		c.run.send(testbox.SignalResized)
	}
	return x.done(http.StatusOK)
}

// resizeExec is POST /exec/{id}/resize.
func (e *Engine) resizeExec(x *exchange) error {
	width, height, err := readSize(x)
	if err != nil {
		return err
	}
	e.mutex.Lock()
	defer e.mutex.Unlock()
	made, err := e.findExec(x.params["id"])
	if err != nil {
		return err
	}
	if made.terminal != nil && made.terminal.resize(width, height) {
		made.send(testbox.SignalResized)
	}
	return x.done(http.StatusOK)
}

func readSize(x *exchange) (width, height int, err error) {
	if width, err = strconv.Atoi(x.query("w")); err == nil {
		height, err = strconv.Atoi(x.query("h"))
	}
	if err != nil {
		return 0, 0, fail(http.StatusBadRequest, "%v", err)
	}
	return width, height, nil
}

// sizeOf is the first size of a command's terminal.
func sizeOf(size *[2]uint, options apicontainer.ExecOptions) [2]uint {
	for _, asked := range []*[2]uint{size, options.ConsoleSize} {
		if asked != nil {
			return *asked
		}
	}
	return [2]uint{}
}
