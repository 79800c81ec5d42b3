// Package gotest reads what `go test -json` writes, shows what a person wants of it, and counts.
package gotest

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// Counts are what a test run came to. Subtests count as tests.
type Counts struct {
	Packages                int // that have tests
	Passed, Failed, Skipped int
	FailedPackages          []string
}

// Tests is the number of tests that were run.
func (c Counts) Tests() int { return c.Passed + c.Failed }

// String is the counts in words.
func (c Counts) String() string {
	text := fmt.Sprintf("%d packages, %d tests", c.Packages, c.Tests())
	if c.Skipped > 0 {
		text += fmt.Sprintf(", %d skipped", c.Skipped)
	}
	if len(c.FailedPackages) > 0 {
		text += fmt.Sprintf(", %d failed, in %s", c.Failed, strings.Join(c.FailedPackages, ", "))
	}
	return text
}

// event is a line of `go test -json` (go doc test2json), or of the build before it (go help buildjson).
type event struct {
	Action     string
	Package    string
	Test       string
	ImportPath string
	Output     string
	Elapsed    float64 // seconds
}

type reader struct {
	out    io.Writer
	held   map[[2]string]*strings.Builder // output of what has not ended yet, by package and test
	counts Counts
}

// Read shows a run while it goes on: a line per package that has tests, and everything that a failed one wrote.
func Read(stream io.Reader, out io.Writer) (Counts, error) {
	const longest = 16 << 20
	r := reader{out: out, held: map[[2]string]*strings.Builder{}}
	lines := bufio.NewScanner(stream)
	lines.Buffer(nil, longest)
	for lines.Scan() {
		var e event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			fmt.Fprintln(out, lines.Text()) // not of the tests: the go command itself
			continue
		}
		r.take(e)
	}
	if err := lines.Err(); err != nil {
		return r.counts, fmt.Errorf("read test run: %w", err)
	}
	return r.counts, nil
}

func (r *reader) take(e event) {
	key := [2]string{e.Package, e.Test}
	switch e.Action {
	case "build-output":
		fmt.Fprint(r.out, e.Output)
	case "output":
		if strings.HasPrefix(e.Output, "=== ") {
			return // which test goes on: of use only where several wrote into one stream
		}
		if r.held[key] == nil {
			r.held[key] = &strings.Builder{}
		}
		r.held[key].WriteString(e.Output)
	case "pass", "fail", "skip":
		if e.Test == "" {
			r.endPackage(e)
		} else {
			r.endTest(e)
		}
		delete(r.held, key)
	}
}

func (r *reader) endTest(e event) {
	switch e.Action {
	case "pass":
		r.counts.Passed++
	case "skip":
		r.counts.Skipped++
	case "fail":
		r.counts.Failed++
		r.show(e)
	}
}

// endPackage leaves packages without tests out: they end with a skip.
func (r *reader) endPackage(e event) {
	took := time.Duration(e.Elapsed * float64(time.Second)).Round(10 * time.Millisecond)
	switch e.Action {
	case "pass":
		r.counts.Packages++
		fmt.Fprintf(r.out, "ok    %-8v %s\n", took, e.Package)
	case "fail":
		r.counts.Packages++
		r.counts.FailedPackages = append(r.counts.FailedPackages, e.Package)
		r.showUnended(e)
		r.show(e)
		fmt.Fprintf(r.out, "FAIL  %-8v %s\n", took, e.Package)
	}
}

// showUnended shows what the tests wrote that had not ended when their package did: a timeout or an exit ends it under them.
func (r *reader) showUnended(e event) {
	var tests []string
	for key := range r.held {
		if key[0] == e.Package && key[1] != "" {
			tests = append(tests, key[1])
		}
	}
	slices.Sort(tests)
	for _, test := range tests {
		fmt.Fprintf(r.out, "--- NOT ENDED: %s\n", test)
		r.show(event{Package: e.Package, Test: test})
		delete(r.held, [2]string{e.Package, test})
	}
}

func (r *reader) show(e event) {
	if output := r.held[[2]string{e.Package, e.Test}]; output != nil {
		fmt.Fprint(r.out, output.String())
	}
}
