package cli

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
	"text/template"
	"time"

	"github.com/spf13/cobra"

	"github.com/muster-dev/muster/cmd/display"
	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/logs/form"
	"github.com/muster-dev/muster/logs/record"
)

// logForms say which lines of logs are shown, and how.
type logForms struct {
	grep, exclude          []string
	level, format          string
	stdoutOnly, stderrOnly bool
	pretty, utc, local     bool
	records, recordsGiven  bool

	criteria form.Criteria      // that the flags mean
	json     bool               // that the format means
	template *template.Template // the same
}

// formsHelp is a part of the help of commands that have these flags.
const formsHelp = `A pattern is RE2's, (?i) at its start ignores case; it sees lines without
their colours. A level is found in JSON, logfmt and the common plain forms. A
line that goes on with the record before it, as in a stack trace, has that
one's; a line of which no level is known is hidden by --level.

--format json writes an object a line: ts, project, service, replica,
container, stream, line; then, where there is something to say, bytes (base64,
of a line that is no UTF-8), level, fields (the object that the line is, or the
pairs of logfmt) and cut (true: it goes on in the next object). What happens to
a container is an object with "event": started, exited, unreadable. A template
knows .Time, .Timestamp, .Name, .Project, .Service, .Replica, .Container,
.Stream, .Line, .Level, .Message and .Fields, as in
'{{.Service}} {{.Fields.user}}'.`

func (f *logForms) bindForms(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringArrayVar(&f.grep, "grep", nil, "Show only lines in which a pattern is found; with several, any of them")
	flags.StringArrayVar(&f.exclude, "exclude", nil, "Hide lines in which a pattern is found")
	flags.StringVar(&f.level, "level", "",
		`Show only lines of this level or a higher one ("trace"|"debug"|"info"|"warn"|"error"|"fatal")`)
	flags.BoolVar(&f.stdoutOnly, "stdout-only", false, "Show only what is written to the standard output")
	flags.BoolVar(&f.stderrOnly, "stderr-only", false, "Show only what is written to the standard error")
	flags.StringVar(&f.format, formatFlag, "text", `Format of lines ("text"|"json", or a Go template)`)
	flags.BoolVar(&f.pretty, "pretty", false, "Show lines of JSON and logfmt as time, level, message, then the other fields")
	flags.BoolVar(&f.records, "records", false, "Take a stack trace, or another record of several lines, as one for --grep, --level and "+
		"--format; a terminal keeps its lines together anyway, unless --records=false")
	flags.BoolVar(&f.utc, "utc", false, "Show times in UTC: the default of --timestamps")
	flags.BoolVar(&f.local, "local", false, "Show times in the local time zone: the default of --pretty")
}

// readForms reads what the flags mean, and refuses what contradicts or would have no effect. timestamps says whether -t is given.
func (f *logForms) readForms(cmd *cobra.Command, timestamps bool) (err error) {
	f.recordsGiven = cmd.Flags().Changed("records")
	if f.criteria.Grep, err = parsePatterns("grep", f.grep); err != nil {
		return err
	}
	if f.criteria.Exclude, err = parsePatterns("exclude", f.exclude); err != nil {
		return err
	}
	if f.level != "" {
		var known bool
		if f.criteria.Level, known = record.ParseLevel(f.level); !known {
			return fmt.Errorf("invalid value for --level: %q is none of %s", f.level, strings.Join(levelNames(), ", "))
		}
	}
	switch {
	case f.stdoutOnly && f.stderrOnly:
		return errors.New("--stdout-only and --stderr-only are incompatible")
	case f.stdoutOnly:
		f.criteria.Stream = engine.Stdout
	case f.stderrOnly:
		f.criteria.Stream = engine.Stderr
	}
	if err := f.readFormat(); err != nil {
		return err
	}
	return f.checkForms(timestamps)
}

func (f *logForms) readFormat() (err error) {
	switch {
	case f.format == "text" || f.format == "":
	case f.format == "json":
		f.json = true
	case !strings.Contains(f.format, "{{"):
		return fmt.Errorf("unsupported --format value %q: use text, json or a Go template such as '{{.Service}} {{.Line}}'", f.format)
	default:
		if f.template, err = display.ParseTemplate(f.format); err != nil {
			return err
		}
		return form.CheckTemplate(f.template)
	}
	return nil
}

// formatted says whether lines are written otherwise than after their containers' names.
func (f *logForms) formatted() bool { return f.json || f.template != nil }

// formFlag names a flag of these that is on the command line; empty where none is.
func (f *logForms) formFlag(cmd *cobra.Command) string {
	for _, name := range []string{
		"grep", "exclude", "level", "stdout-only", "stderr-only", formatFlag, "pretty", "records", "utc", "local",
	} {
		if cmd.Flags().Changed(name) {
			return "--" + name
		}
	}
	return ""
}

func (f *logForms) checkForms(timestamps bool) error {
	for _, refusal := range []struct {
		refused       bool
		message, hint string
	}{
		{f.pretty && f.formatted(), "--pretty and --format are incompatible", ""},
		{f.utc && f.local, "--utc and --local are incompatible", ""},
		{f.local && f.json, "--local and --format json are incompatible: its times are in UTC", ""},
		{timestamps && f.formatted(), "--timestamps and --format are incompatible", "JSON has the time as ts, a template as {{.Timestamp}}"},
		{
			(f.utc || f.local) && !timestamps && !f.pretty && !f.formatted(), "--utc and --local have no times to apply to",
			"show times, with --timestamps or --pretty",
		},
	} {
		switch {
		case refusal.refused && refusal.hint != "":
			return &hinted{errors.New(refusal.message), refusal.hint}
		case refusal.refused:
			return errors.New(refusal.message)
		}
	}
	return nil
}

// place is the time zone of the times that are shown; what they are in by default is the caller's.
func (f *logForms) place(usual *time.Location) *time.Location {
	switch {
	case f.utc:
		return time.UTC
	case f.local:
		return time.Local
	}
	return usual
}

func levelNames() (names []string) {
	for _, level := range record.Levels() {
		names = append(names, level.String())
	}
	return names
}

func parsePatterns(flag string, patterns []string) (parsed []*regexp.Regexp, err error) {
	for _, pattern := range patterns {
		one, err := regexp.Compile(pattern)
		if err != nil {
			return nil, badPattern(flag, pattern, err)
		}
		parsed = append(parsed, one)
	}
	return parsed, nil
}

// badPattern says what is wrong with a pattern, and where.
func badPattern(flag, pattern string, err error) error {
	var wrong *syntax.Error
	if !errors.As(err, &wrong) {
		return fmt.Errorf("invalid value for --%s: %w", flag, err)
	}
	text := fmt.Sprintf("invalid value for --%s: %s", flag, wrong.Code)
	at := strings.Index(pattern, wrong.Expr)
	if wrong.Code == syntax.ErrMissingParen {
		at = unclosed(pattern)
	}
	if at >= 0 && !strings.ContainsAny(pattern, "\t\n") {
		text += "\n" + pattern + "\n" + strings.Repeat(" ", len([]rune(pattern[:at]))) + "^"
	}
	return &hinted{errors.New(text), "patterns are RE2's: https://github.com/google/re2/wiki/Syntax"}
}

// unclosed is where the last parenthesis that is not closed stands.
func unclosed(pattern string) int {
	var open []int
	for i := 0; i < len(pattern); i++ {
		switch pattern[i] {
		case '\\':
			i++
		case '(':
			open = append(open, i)
		case ')':
			if len(open) > 0 {
				open = open[:len(open)-1]
			}
		}
	}
	if len(open) == 0 {
		return -1
	}
	return open[len(open)-1]
}

// readAttached reads what the flags say about the lines of an attached `up`.
func (o *upOptions) readAttached(cmd *cobra.Command) error {
	if flag := o.formFlag(cmd); flag != "" && (o.detach || o.wait || o.noStart) {
		return fmt.Errorf("%s is about the lines that an attached up shows: it cannot be combined with --detach, --wait or --no-start", flag)
	}
	return o.readForms(cmd, o.timestamp)
}
