package cli

import (
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/muster-dev/muster/cmd/display"
	"github.com/muster-dev/muster/project"
)

// Exit codes, as scripts know them from docker compose.
const (
	exitOK          = 0
	exitError       = 1
	exitChanges     = 2 // plan: there is something to do
	exitInterrupted = 130
)

// exitCode is an error that only sets the exit code: everything has been said.
type exitCode int

func (exitCode) Error() string { return "" }

// report tells an error to the user, on the stream and in the form that fit, and returns the exit code. It is the only place
// that does.
func report(g *globals, err error) int {
	var code exitCode
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &code):
		return int(code)
	}
	looks, looksErr := g.looks()
	if looksErr != nil {
		looks = display.Looks{Mode: display.Plain}
	}
	if errors.Is(err, context.Canceled) {
		reportInterrupted(g, err, looks)
		return exitInterrupted
	}
	if looks.Mode == display.JSON {
		reportJSON(g, err)
		return exitError
	}
	var load *project.LoadError
	if errors.As(err, &load) {
		g.warn(load.Warnings)
		display.Problems(g.app.Streams, g.shorten(load), looks.ColorErr)
		return exitError
	}
	options, err := g.failureOptions(err)
	options.Colors = looks.ColorErr
	if g.app.ErrTerminal && g.app.Size != nil {
		options.Width, _ = g.app.Size()
	}
	display.Failure(g.app.Err, err, options)
	return exitError
}

// failureOptions are what there is to tell beside an error, which comes back without what only carries that.
func (g *globals) failureOptions(err error) (display.FailureOptions, error) {
	options := display.FailureOptions{Explain: g.explain}
	var apply *applyError
	if errors.As(err, &apply) {
		err, options.HeldUp, options.Plan = apply.error, apply.heldUp, apply.plan
	}
	switch {
	case errors.Is(err, project.ErrNoFile):
		err = &hinted{err, "write a compose.yaml, name a file with -f, or go to the folder of one"}
	case errors.Is(err, syscall.EISDIR):
		err = &hinted{err, "name a file in it with -f, or the folder with --project-directory"}
	}
	return options, err
}

// reportInterrupted says what the user's interrupt has kept from being done; where it has kept nothing it says nothing.
func reportInterrupted(g *globals, err error, looks display.Looks) {
	var apply *applyError
	switch {
	case !errors.As(err, &apply) || len(apply.heldUp) == 0 || looks.Mode == display.Quiet:
	case looks.Mode == display.JSON:
		reportJSON(g, &interruptedError{apply.heldUp})
	default:
		display.Interrupted(g.app.Err, apply.heldUp, looks.ColorErr)
	}
}

// interruptedError tells what an interrupt has kept from being started.
type interruptedError struct{ heldUp []string }

func (e *interruptedError) Error() string {
	return "interrupted, not started: " + strings.Join(e.heldUp, ", ")
}

// Code is that of an interrupt.
func (*interruptedError) Code() string { return codeInterrupted }

// jsonError is an error for machines: docker compose's keys, a code, and what there is to try; with each problem of bad files, and
// with the evidence of what failed while a plan was applied.
type jsonError struct {
	Error    bool          `json:"error"`
	Message  string        `json:"message"`
	Code     string        `json:"code"`
	Hint     string        `json:"hint,omitempty"`
	Problems []jsonProblem `json:"problems,omitempty"`
	// Failure is the first root cause, and More are the others.
	Failure *display.Report  `json:"failure,omitempty"`
	More    []display.Report `json:"moreFailures,omitempty"`
}

type jsonProblem struct {
	File    string `json:"file,omitempty"`
	Line    int    `json:"line,omitempty"`
	Column  int    `json:"column,omitempty"`
	Path    string `json:"path,omitempty"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

func reportJSON(g *globals, err error) {
	var load *project.LoadError
	if errors.As(err, &load) {
		load = g.shorten(load)
		err = load
	}
	options, err := g.failureOptions(err)
	object := jsonError{Error: true, Message: err.Error(), Code: codeOf(err), Hint: g.explain(err).Try}
	reports, _ := display.Reports(err, options)
	if options.Plan != nil || len(reports) > 1 {
		object.Failure, object.More = &reports[0], reports[1:]
	}
	if len(reports) == 1 && len(reports[0].During) > 0 {
		object.Message = reports[0].Message
	}
	if load != nil {
		for _, problem := range load.Problems {
			object.Problems = append(object.Problems, jsonProblem{
				File: problem.Position.File, Line: problem.Position.Line, Column: problem.Position.Column,
				Path: problem.Path, Message: problem.Message, Hint: problem.Hint,
			})
		}
	}
	encoder := json.NewEncoder(g.app.Err)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(object)
}

// shorten gives files names as the user would, relative to the current folder where they are in it.
func (g *globals) shorten(load *project.LoadError) *project.LoadError {
	short := &project.LoadError{More: load.More, Source: map[string][]byte{}}
	for name, text := range load.Source {
		short.Source[g.shortPath(name)] = text
	}
	for _, problem := range load.Problems {
		problem.Position.File = g.shortPath(problem.Position.File)
		short.Problems = append(short.Problems, problem)
	}
	return short
}

func (g *globals) shortPath(path string) string {
	relative, err := filepath.Rel(g.app.Dir, path)
	if !filepath.IsAbs(path) || err != nil || relative == ".." || strings.HasPrefix(relative, "../") {
		return path
	}
	return relative
}
