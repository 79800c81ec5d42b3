// Package provider speaks with the programs that run provider services: services outside of the engine. A program is called as
// `PROGRAM compose --project-name=P up --option=value SERVICE` and answers with lines of JSON on its standard output, by docker compose's
// protocol for extensions. What it says is not trusted: lines, messages and variables are bounded, and values get into no error.
package provider

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"
)

// Command is what a program is asked to do.
type Command string

// What programs are asked to do.
const (
	Up   Command = "up"
	Stop Command = "stop"
	Down Command = "down"
)

// Call is one use of a program.
type Call struct {
	Project, Service string
	Type             string // of the provider: which program it is
	Options          map[string][]string
	Command          Command
}

// Runner runs programs.
type Runner interface {
	// Run runs a program to its end and returns the variables that it gives to the services that depend on its own. tell is called with what
	// it has to say to people, from one goroutine at a time. A program that does not know the command [Stop] is not run.
	Run(ctx context.Context, call Call, tell func(text string)) (variables map[string]string, err error)
}

// Programs runs programs of this machine.
type Programs struct {
	// Find finds the program of a type of provider.
	Find func(kind string) (path string, err error)
	Env  []string // KEY=VALUE, all that programs have
	Dir  string   // the folder that they run in
}

// How long programs may take: to tell what they know, and to end once they shall.
const (
	metadataTime = 10 * time.Second
	endTime      = 10 * time.Second
)

// Run implements [Runner].
func (p Programs) Run(ctx context.Context, call Call, tell func(string)) (map[string]string, error) {
	path, err := p.Find(call.Type)
	if err != nil {
		return nil, err
	}
	known := p.metadata(ctx, path)
	if call.Command == Stop && known[Stop] == nil {
		return nil, nil
	}
	options, err := arguments(call, known[call.Command])
	if err != nil {
		return nil, err
	}
	words := slices.Concat([]string{"compose", "--project-name=" + call.Project, string(call.Command)}, options, []string{call.Service})
	running, stop := context.WithCancel(ctx)
	defer stop()
	answer := &answer{service: call.Service, tell: tell, stop: stop, variables: map[string]string{}}
	said := &last{}
	err = p.command(running, path, words, answer, said).Run()
	variables, failure := answer.end()
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case failure != nil:
		return nil, fmt.Errorf("provider %q: %w", call.Type, failure)
	case errors.Is(err, exec.ErrWaitDelay): // something that it has left running keeps the output open
	case err != nil:
		return nil, &EndError{Type: call.Type, Command: call.Command, Cause: err, Output: said.text()}
	}
	return variables, nil
}

func (p Programs) command(ctx context.Context, path string, words []string, out, errs io.Writer) *exec.Cmd {
	command := exec.CommandContext(ctx, path, words...)
	command.Env, command.Dir = p.Env, p.Dir
	command.Stdout, command.Stderr = out, errs
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	command.WaitDelay = endTime
	return command
}

// EndError says that a program has ended badly and has not said why.
type EndError struct {
	Type    string
	Command Command
	Cause   error
	Output  string // the end of what it wrote on its standard error
}

func (e *EndError) Error() string {
	text := fmt.Sprintf("provider %q: %s: %v", e.Type, e.Command, e.Cause)
	if e.Output != "" {
		text += ": " + e.Output
	}
	return text
}

func (e *EndError) Unwrap() error { return e.Cause }

// parameter is an option that a program knows.
type parameter struct {
	Name     string `json:"name"`
	Required bool   `json:"required"`
}

// metadata is what a program knows of a command; nil where it does not say it.
func (p Programs) metadata(ctx context.Context, path string) map[Command]*struct{ Parameters []parameter } {
	ctx, cancel := context.WithTimeout(ctx, metadataTime)
	defer cancel()
	text := &bounded{}
	if err := p.command(ctx, path, []string{"compose", "metadata"}, text, nil).Run(); err != nil {
		return nil // older programs know no metadata
	}
	var known struct {
		Up, Stop, Down *struct{ Parameters []parameter }
	}
	if json.Unmarshal(text.content, &known) != nil {
		return nil
	}
	return map[Command]*struct{ Parameters []parameter }{Up: known.Up, Stop: known.Stop, Down: known.Down}
}

// arguments are the options as a program takes them: those that it knows, where it says which.
func arguments(call Call, known *struct{ Parameters []parameter }) ([]string, error) {
	var words []string
	isKnown := func(string) bool { return true }
	if known != nil && len(known.Parameters) > 0 {
		isKnown = func(name string) bool {
			return slices.ContainsFunc(known.Parameters, func(p parameter) bool { return p.Name == name })
		}
		for _, one := range known.Parameters {
			if _, given := call.Options[one.Name]; one.Required && !given {
				return nil, fmt.Errorf("required parameter %q is missing from provider %q definition", one.Name, call.Type)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(call.Options)) {
		for _, value := range call.Options[name] {
			if isKnown(name) {
				words = append(words, "--"+name+"="+value)
			}
		}
	}
	return words, nil
}

// How much a program may say.
const (
	longestLine   = 64 << 10
	longestText   = 2 << 10
	mostMessages  = 10_000
	mostVariables = 1_000
	mostBytes     = 1 << 20 // of all variables
)

// errTooMuch ends the program.
var errTooMuch = errors.New("says too much")

// bounded keeps what is written, up to a bound.
type bounded struct{ content []byte }

func (b *bounded) Write(data []byte) (int, error) {
	if len(b.content)+len(data) > mostBytes {
		return 0, errTooMuch
	}
	b.content = append(b.content, data...)
	return len(data), nil
}

// last keeps the end of what is written. What a program leaves running may still write when its end is read.
type last struct {
	mutex   sync.Mutex
	content []byte
}

func (l *last) Write(data []byte) (int, error) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.content = append(l.content, data...)
	l.content = append(l.content[:0], l.content[max(0, len(l.content)-longestText):]...)
	return len(data), nil
}

func (l *last) text() string {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return strings.ToValidUTF8(strings.TrimSpace(string(l.content)), "\ufffd")
}

// answer takes a program's output apart. Its failure ends the program.
type answer struct {
	service string
	tell    func(string)
	stop    func() // ends the program

	mutex     sync.Mutex
	ended     bool   // nothing more is taken
	pending   []byte // the beginning of a line
	messages  int
	size      int // of all variables
	variables map[string]string
	failure   error
}

func (a *answer) Write(data []byte) (int, error) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	if a.ended || a.failure != nil {
		return 0, errTooMuch
	}
	a.pending = append(a.pending, data...)
	for a.failure == nil {
		line, rest, whole := bytes.Cut(a.pending, []byte("\n"))
		if !whole {
			if len(line) > longestLine {
				a.failure = fmt.Errorf("line %d of its output is longer than %d KB", a.messages+1, longestLine>>10)
			}
			break
		}
		a.failure = a.line(line)
		a.pending = append(a.pending[:0], rest...)
	}
	if a.failure != nil {
		a.stop()
	}
	return len(data), a.failure
}

// end takes a line that was not ended, and is all that the program has said.
func (a *answer) end() (variables map[string]string, failure error) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	if a.ended = true; a.failure == nil {
		a.failure = a.line(a.pending)
	}
	return a.variables, a.failure
}

// line takes a message. Its text may be a secret: errors do not have it.
func (a *answer) line(line []byte) error {
	if line = bytes.TrimSpace(line); len(line) == 0 {
		return nil
	}
	a.messages++
	var message struct{ Type, Message string }
	switch err := json.Unmarshal(line, &message); {
	case a.messages > mostMessages || len(line) > longestLine:
		return errTooMuch
	case err != nil:
		return fmt.Errorf("line %d of its output is no message in JSON", a.messages)
	}
	switch message.Type {
	case "info":
		a.tell(short(message.Message))
	case "error":
		return errors.New(short(message.Message))
	case "setenv":
		return a.variable(Prefix(a.service), message.Message)
	case "rawsetenv":
		return a.variable("", message.Message)
	case "debug":
	default:
		return fmt.Errorf("line %d of its output is a message of the unknown type %q", a.messages, short(message.Type))
	}
	return nil
}

func (a *answer) variable(prefix, text string) error {
	name, value, ok := strings.Cut(text, "=")
	if !ok || name == "" || strings.ContainsAny(text, "\x00") || strings.ContainsAny(name, " \t\r\n") {
		return fmt.Errorf("line %d of its output sets no variable: it has to be NAME=VALUE", a.messages)
	}
	a.size += len(text)
	if a.size > mostBytes || len(a.variables) >= mostVariables {
		return errTooMuch
	}
	a.variables[prefix+name] = value
	return nil
}

func short(text string) string {
	if len(text) > longestText {
		text = text[:longestText] + "..."
	}
	return strings.ToValidUTF8(text, "\ufffd")
}

// Prefix begins the names of the variables that a provider service gives to those that depend on it.
func Prefix(service string) string { return strings.ToUpper(service) + "_" }
