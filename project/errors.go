package project

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Position is a place in a file. Lines and columns count from 1; 0 means unknown.
type Position struct {
	File   string
	Line   int
	Column int
}

// String is file:line:column, as far as it is known.
func (p Position) String() string {
	switch {
	case p.Line == 0:
		return p.File
	case p.Column == 0:
		return fmt.Sprintf("%s:%d", p.File, p.Line)
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// Problem is one thing that is wrong with the files.
type Problem struct {
	Position Position
	Path     string // where in the model, "services.web.ports[0]"; empty for the file as a whole
	Message  string // what is wrong; names of the user's in quotes
	Hint     string // what to try, "did you mean \"ports\"?"; empty where nothing better than the message is known
	Length   int    // how many characters from the position on are meant; 0 means unknown
}

// Service is the service that the problem is in; empty where it is not in one.
func (p Problem) Service() string {
	rest, ok := strings.CutPrefix(p.Path, "services.")
	if !ok {
		return ""
	}
	name, _, _ := strings.Cut(rest, ".")
	name, _, _ = strings.Cut(name, "[")
	return name
}

// String is the problem on one line: place, path, message, hint.
func (p Problem) String() string {
	text := p.Message
	if p.Path != "" {
		text = p.Path + ": " + text
	}
	if place := p.Position.String(); place != "" {
		text = place + ": " + text
	}
	if p.Hint != "" {
		text += "; " + p.Hint
	}
	return text
}

// Warning is something worth telling that does not stop anything. It has a place like a problem.
type Warning = Problem

// LoadError is everything that is wrong with the files of a project, in the order of the places.
type LoadError struct {
	Problems []Problem
	// Source gives the text of the files by the name in the positions, so that the lines around a problem can be shown.
	Source map[string][]byte
}

func (e *LoadError) Error() string {
	lines := make([]string, len(e.Problems))
	for i, problem := range e.Problems {
		lines[i] = problem.String()
	}
	return strings.Join(lines, "\n")
}

// sortProblems orders by file, line, column, then text, and drops what is said twice.
func sortProblems(problems []Problem) []Problem {
	slices.SortStableFunc(problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Position.File, b.Position.File), cmp.Compare(a.Position.Line, b.Position.Line),
			cmp.Compare(a.Position.Column, b.Position.Column), cmp.Compare(a.Path, b.Path), cmp.Compare(a.Message, b.Message))
	})
	return slices.Compact(problems)
}
