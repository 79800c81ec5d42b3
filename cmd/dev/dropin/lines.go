package dropin

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/diff"
)

// line is a command line of the session:
//
//	[sorted] [NAME=VALUE ...] WORD ... ['< TEXT'] ['> FILE']
//
// Words may be quoted by '. What follows < is written to its stdin, and the content of the file after > is part of what it writes;
// with "sorted" its lines may come in any order. A comment begins with #, and an intended difference of the line before with ~:
//
//	~ stdout|exit|state REASON
type line struct {
	number    int
	text      string
	arguments []string
	env       []string
	stdin     string
	readBack  string
	anyOrder  bool
	intended  map[string]string // reasons, by what differs
}

// aspects are what is compared.
func aspects() []string { return []string{"exit", "stdout", "state"} }

func parseLines(text string) ([]line, error) {
	var lines []line
	for number, row := range strings.Split(text, "\n") {
		row = strings.TrimSpace(row)
		difference, isDifference := strings.CutPrefix(row, "~ ")
		switch {
		case row == "" || row[0] == '#':
		case isDifference:
			aspect, reason, _ := strings.Cut(difference, " ")
			if len(lines) == 0 || !slices.Contains(aspects(), aspect) || reason == "" {
				return nil, fmt.Errorf("session, line %d: %q is no difference of a line", number+1, row)
			}
			lines[len(lines)-1].intended[aspect] = reason
		default:
			parsed, err := parseLine(row)
			if err != nil {
				return nil, fmt.Errorf("session, line %d: %w", number+1, err)
			}
			parsed.number = number + 1
			lines = append(lines, parsed)
		}
	}
	return lines, nil
}

func parseLine(text string) (line, error) {
	words := regexp.MustCompile(`'[^']*'|\S+`).FindAllString(text, -1)
	l := line{text: text, intended: map[string]string{}}
	assignment := regexp.MustCompile(`^[A-Z_]+=`)
	for i := 0; i < len(words); i++ {
		word := strings.Trim(words[i], "'")
		switch {
		case word == "sorted" && i == 0:
			l.anyOrder = true
		case len(l.arguments) == 0 && assignment.MatchString(word):
			l.env = append(l.env, word)
		case (word == "<" || word == ">") && i+1 < len(words):
			i++
			if next := strings.Trim(words[i], "'"); word == "<" {
				l.stdin = next
			} else {
				l.readBack = next
			}
		default:
			l.arguments = append(l.arguments, word)
		}
	}
	if len(l.arguments) == 0 {
		return line{}, errors.New("there is no command")
	}
	return l, nil
}

// changing is what differs from run to run, and what stands for it.
func changing() []struct{ pattern, word string } {
	return []struct{ pattern, word string }{
		{`sha256:[0-9a-f]{64}|\b[0-9a-f]{64}\b`, "ID"},
		{`\b[0-9a-f]{12}\b`, "ID"},
		{`\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?( ?[+-]\d{4}( \w+)?|Z)?`, "TIME"},
		{`\b\d+ \d+ 0 \d\d:\d\d \? \d\d:\d\d:\d\d\b`, "PROCESS"},
		{`"CreatedAt":\d+`, `"CreatedAt":TIME`},
		{`(Less than a second|About an? \w+|\d+ (second|minute|hour)s?)( ago)?`, "WHILE"},
		{`\b172\.\d+\.\d+\.\d+\b`, "ADDRESS"},
		{`#\d+ \d+\.\d+|#\d+`, "#STEP"},
		{`\bDONE \d+\.\d+s|\b\d+\.\d+s\b`, "TOOK"},
	}
}

// oneOff is a one-off's name without the part that chance made.
func oneOff(name string) string {
	return regexp.MustCompile(`-run-[0-9a-f]{12}\b`).ReplaceAllString(name, "-run-ID")
}

// normal is what a line wrote without what differs from run to run. Columns may have other widths.
func normal(text string, anyOrder bool) string {
	text = regexp.MustCompile(`[ \t]+`).ReplaceAllString(text, " ")
	for _, one := range changing() {
		text = regexp.MustCompile(one.pattern).ReplaceAllString(text, one.word)
	}
	var lines []string
	for row := range strings.Lines(text) {
		lines = append(lines, strings.TrimSpace(row))
	}
	if anyOrder {
		slices.Sort(lines)
	}
	return strings.TrimSpace(strings.Join(lines, "\n"))
}

// report writes what differs, and how much does not. A state that differs is told of where it comes about, and not again at lines
// that change nothing.
func report(w io.Writer, lines []line, peer, muster []outcome) error {
	counts := map[verdict]int{}
	gone := false
	for i, line := range lines {
		values := map[string][2]string{
			"exit": {peer[i].exit, muster[i].exit}, "stdout": {peer[i].stdout, muster[i].stdout}, "state": {peer[i].state, muster[i].state},
		}
		if i > 0 && peer[i].state == peer[i-1].state && muster[i].state == muster[i-1].state {
			delete(values, "state")
		}
		judged := same
		for _, aspect := range aspects() {
			reason, meant := line.intended[aspect]
			differs := values[aspect][0] != values[aspect][1]
			switch {
			case differs && meant:
				judged = max(judged, intended)
				fmt.Fprintf(w, "      %s: %s differs: %s\n", line.text, aspect, reason)
			case differs:
				judged = different
				fmt.Fprintf(w, "diff  line %d, %s: %s\n", line.number, line.text, aspect)
				writeDifference(w, values[aspect], peer[i], muster[i])
			case meant:
				gone = true
				fmt.Fprintf(w, "gone  line %d, %s: %s is the same, though a difference is intended\n", line.number, line.text, aspect)
			}
		}
		counts[judged]++
	}
	fmt.Fprintf(w, "\n%d command lines: %d the same, %d with intended differences, %d different\n",
		len(lines), counts[same], counts[intended], counts[different])
	if counts[different] > 0 || gone {
		return ErrDifferent
	}
	return nil
}

// verdict is what the report says of a line; a greater one is worse.
type verdict int

const (
	same verdict = iota
	intended
	different
)

// writeDifference shows the lines in which two texts differ, and what was said besides.
func writeDifference(w io.Writer, values [2]string, peer, muster outcome) {
	const most = 40
	text := diff.Diff("docker compose", []byte(values[0]+"\n"), "muster", []byte(values[1]+"\n"))
	rows := strings.Split(strings.TrimSpace(string(text)), "\n")
	for i, row := range rows[min(len(rows), 1):] {
		if i == most {
			fmt.Fprintf(w, "      ... and %d lines\n", len(rows)-most)
			break
		}
		fmt.Fprintf(w, "      %s\n", row)
	}
	for _, said := range []struct{ who, text string }{{"docker compose", peer.stderr}, {"muster", muster.stderr}} {
		if text := strings.TrimSpace(said.text); text != "" {
			rows := strings.Split(text, "\n")
			fmt.Fprintf(w, "      %s says: %s\n", said.who, strings.Join(rows[max(0, len(rows)-3):], " | "))
		}
	}
}
