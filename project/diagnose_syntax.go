package project

import (
	"bytes"
	"reflect"
	"strings"
	"unicode/utf8"
)

// mark is a place as the YAML parser counts it.
type mark struct{ line, column int }

// syntaxProblem says what the YAML parser did not like, and where.
func syntaxProblem(name string, content []byte, err error) Problem {
	detail := syntaxDetail(err, content)
	problem := Problem{
		Position: Position{File: name, Line: max(detail.at.line, 1), Column: max(detail.at.column, 1)},
		Message:  "bad YAML: " + detail.message,
	}
	switch {
	case strings.Contains(detail.message, "exceeded max depth"):
		problem.Message = tooDeep
	case strings.Contains(detail.message, "cannot start any token") && startsWithTab(content, problem.Position):
		problem.Hint = "indent with spaces, not tabs"
	case strings.Contains(detail.message, "cannot start any token"):
		problem.Hint = "write the value in quotes"
	case strings.Contains(detail.message, "mapping values are not allowed"):
		problem.Hint = `write a text with ": " in it in quotes, or look for a key without ":" above`
	case strings.Contains(detail.message, "did not find expected key"):
		problem.Hint = "look at the indentation"
	}
	return problem
}

type syntaxFault struct {
	message string
	at      mark
}

// syntaxDetail digs message and place out of the parser's error, whose types are internal to it: they have marks named Mark
// and ContextMark, with lines that count from 0 in a ParserError and from 1 in a ScannerError, and columns that count from 0.
// A reader's error has an offset instead.
func syntaxDetail(err error, content []byte) syntaxFault {
	value := reflect.Indirect(reflect.ValueOf(err))
	if value.Kind() != reflect.Struct {
		return syntaxFault{message: err.Error()}
	}
	if offset := value.FieldByName("Offset"); offset.IsValid() && offset.CanInt() {
		message := err.Error()
		if inner, ok := value.FieldByName("Err").Interface().(error); ok {
			message = inner.Error()
		}
		return syntaxFault{message: message, at: markAt(content, int(offset.Int()))}
	}
	message := value.FieldByName("Message")
	if !message.IsValid() || message.Kind() != reflect.String {
		return syntaxFault{message: err.Error()}
	}
	first := 1
	if value.Type().Name() == "ParserError" {
		first = 0
	}
	at := markOf(value.FieldByName("Mark"), first)
	if strings.HasPrefix(message.String(), "unknown anchor") { // the one mark that is made of a node's place
		at = mark{line: at.line - 1, column: at.column - 1}
	}
	if context := markOf(value.FieldByName("ContextMark"), first); atEnd(content, at) && context.line > 0 {
		at = context
	}
	if atEnd(content, at) {
		at = markAt(content, len(bytes.TrimRight(content, "\n")))
	}
	return syntaxFault{message: message.String(), at: at}
}

func markOf(value reflect.Value, first int) mark {
	if !value.IsValid() || value.Kind() != reflect.Struct {
		return mark{}
	}
	line, column := value.FieldByName("Line"), value.FieldByName("Column")
	if !line.IsValid() || !column.IsValid() {
		return mark{}
	}
	return mark{line: int(line.Int()) + 1 - first, column: int(column.Int()) + 1}
}

// atEnd says whether a place is behind the last line: what is open there began elsewhere.
func atEnd(content []byte, at mark) bool {
	return at.line > bytes.Count(bytes.TrimRight(content, "\n"), []byte("\n"))+1
}

func markAt(content []byte, offset int) mark {
	before := content[:min(max(offset, 0), len(content))]
	start := bytes.LastIndexByte(before, '\n') + 1
	return mark{line: bytes.Count(before, []byte("\n")) + 1, column: utf8.RuneCount(before[start:]) + 1}
}

func startsWithTab(content []byte, position Position) bool {
	lines := bytes.SplitN(content, []byte("\n"), position.Line+1)
	if position.Line > len(lines) {
		return false
	}
	line := lines[position.Line-1]
	return bytes.HasPrefix(bytes.TrimLeft(line, " "), []byte("\t"))
}
