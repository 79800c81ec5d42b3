package project

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// ErrNoFile says that nobody named a Compose file and none was found. Commands that can do without one look for it.
var ErrNoFile = errors.New("no configuration file provided: not found")

// maxProblems is how many problems are worth telling at once.
const maxProblems = 200

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

// Problem is one thing that is wrong with the files. Its texts have no control characters, whatever the files hold.
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
	// More is how many problems there are beside these: too many to be told.
	More int
	// Warnings are what is worth telling beside them.
	Warnings []Warning
	// Source gives the text of the Compose files by the name in the positions, so that the lines around a problem can be shown.
	// It is what the files hold, control characters included. Env files are not in it: their lines may be passwords.
	Source map[string][]byte
}

func (e *LoadError) Error() string {
	lines := make([]string, len(e.Problems))
	for i, problem := range e.Problems {
		lines[i] = problem.String()
	}
	if e.More > 0 {
		lines = append(lines, fmt.Sprintf("%d more problems", e.More))
	}
	return strings.Join(lines, "\n")
}

// UnknownServiceError says that somebody named a service that the project does not have.
type UnknownServiceError struct {
	Service    string
	Suggestion string // the name that may have been meant; empty where none is near
}

func (e *UnknownServiceError) Error() string { return "no such service: " + clean(e.Service) }

// Hint is what to try; empty where nothing is known.
func (e *UnknownServiceError) Hint() string { return didYouMean(e.Suggestion) }

// loadError is the problems with the texts that they stand in; nil where there are none.
func loadError(problems []Problem, sources []*source) error {
	if len(problems) == 0 {
		return nil
	}
	problems = sortProblems(problems)
	more := max(len(problems)-maxProblems, 0)
	problems = problems[:len(problems)-more]
	texts := map[string][]byte{}
	for _, problem := range problems {
		for _, source := range sources {
			if source.name == problem.Position.File {
				texts[source.name] = source.content
			}
		}
	}
	return &LoadError{Problems: problems, More: more, Source: texts}
}

// sortProblems orders by file, line, column, then text, makes the texts safe to print, and drops what is said twice.
func sortProblems(problems []Problem) []Problem {
	for i := range problems {
		problem := &problems[i]
		problem.Path, problem.Message, problem.Hint = clean(problem.Path), clean(problem.Message), clean(problem.Hint)
	}
	slices.SortStableFunc(problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Position.File, b.Position.File), cmp.Compare(a.Position.Line, b.Position.Line),
			cmp.Compare(a.Position.Column, b.Position.Column), cmp.Compare(a.Path, b.Path),
			cmp.Compare(a.Message, b.Message), cmp.Compare(a.Hint, b.Hint))
	})
	return slices.Compact(problems)
}

// clean makes visible what a terminal would not show as text: control characters, escapes, marks that turn the writing direction
// become "\x1b", "\u202e". Line breaks become spaces.
func clean(text string) string {
	var cleaned strings.Builder
	for _, r := range text {
		switch {
		case r == '\n' || r == '\t':
			cleaned.WriteByte(' ')
		case !unicode.IsPrint(r):
			cleaned.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
		default:
			cleaned.WriteRune(r)
		}
	}
	return cleaned.String()
}

// quote puts a word of the user's in quotes, shortened where it is long.
func quote(word string) string {
	const enough = 80
	if runes := []rune(word); len(runes) > enough {
		word = string(runes[:enough]) + "..."
	}
	return `"` + clean(word) + `"`
}
