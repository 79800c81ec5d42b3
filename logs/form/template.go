package form

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/template"
	"time"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/logs"
	"github.com/muster-dev/muster/logs/record"
)

// TemplateLine is what a template of the user's sees of a line.
type TemplateLine struct {
	// Time is when the engine took the line, in the place that was asked for.
	Time time.Time
	// Name is what the line's container is called before lines, "web-1"; Container is its name on the engine.
	Name, Container  string
	Project, Service string
	Replica          int
	Stream           string // stdout or stderr
	Line             string

	parser *record.Parser
	found  *record.Record
}

// Timestamp is the time as -t writes it.
func (l *TemplateLine) Timestamp() string { return l.Time.Format(StampLayout) }

// Level is the line's level: trace, debug, info, warn, error, fatal; empty where it is not known.
func (l *TemplateLine) Level() string { return l.record().Level.String() }

// Message is the message among the fields of the line; the line where it has none.
func (l *TemplateLine) Message() string {
	for _, field := range l.record().Fields {
		if field.Role == record.RoleMessage {
			return string(record.AppendText(nil, field.Value))
		}
	}
	return l.Line
}

// Fields are the fields of a line that is JSON or logfmt, by name.
func (l *TemplateLine) Fields() map[string]any {
	fields := map[string]any{}
	found := l.record()
	for _, field := range found.Fields {
		var value any
		if found.Form != record.JSON || json.Unmarshal(field.Value, &value) != nil {
			value = string(record.AppendText(nil, field.Value))
		}
		fields[string(field.Key)] = value
	}
	return fields
}

// MarshalJSON is for {{json .}}: the line as [JSON] writes it.
func (l *TemplateLine) MarshalJSON() ([]byte, error) {
	var out bytes.Buffer
	line := logs.Line{
		Source: logs.Source{Project: l.Project, Service: l.Service, Number: l.Replica, Container: l.Container},
		Stream: engine.Stdout, Time: l.Time, Text: []byte(l.Line),
	}
	if l.Stream == "stderr" {
		line.Stream = engine.Stderr
	}
	err := NewJSON(&out).Item(logs.Item{Kind: logs.KindLine, Line: line})
	return bytes.TrimSpace(out.Bytes()), err
}

func (l *TemplateLine) record() record.Record {
	if l.found == nil {
		found := l.parser.Parse([]byte(l.Line))
		l.found = &found
	}
	return *l.found
}

// CheckTemplate refuses a template that asks for what lines do not have.
func CheckTemplate(written *template.Template) error {
	line := &TemplateLine{Time: time.Unix(0, 0), parser: &record.Parser{}}
	err := written.Execute(io.Discard, line)
	if err != nil && strings.Contains(err.Error(), "can't evaluate field") && strings.Contains(err.Error(), "TemplateLine") {
		return fmt.Errorf("template parsing error: %w", err)
	}
	return nil // what else goes wrong may be this line's fault, which is empty
}

// TemplateOptions say how a template writes.
type TemplateOptions struct {
	Template *template.Template
	// Out takes the lines, Err what has to be said of logs that cannot be read.
	Out, Err io.Writer
	// Place is that of the times; nil means UTC.
	Place *time.Location
	// Raw passes what comes out of the template as it is. Without it, it cannot do anything to a terminal but set colours.
	Raw bool
}

// Template returns a sink that writes every line by a template of the user's, each with a call of Write. Marks are left out.
func Template(options TemplateOptions) Sink {
	if options.Place == nil {
		options.Place = time.UTC
	}
	t := &templated{TemplateOptions: options, warn: logs.NewPrinter(logs.PrinterOptions{Stdout: io.Discard, Stderr: options.Err})}
	return t.item
}

type templated struct {
	TemplateOptions
	parser record.Parser
	text   bytes.Buffer
	out    []byte
	warn   *logs.Printer
}

func (t *templated) item(item logs.Item) error {
	if item.Kind != logs.KindLine {
		return t.warn.Print(item)
	}
	t.text.Reset()
	err := t.Template.Execute(&t.text, &TemplateLine{
		Time: item.Time.In(t.Place), Name: item.Source.Name(), Container: item.Source.Container, Project: item.Source.Project,
		Service: item.Source.Service, Replica: item.Source.Number, Stream: streamName(item.Stream), Line: string(item.Text),
		parser: &t.parser,
	})
	if err != nil {
		return fmt.Errorf("write by --format: %w", err)
	}
	t.out = t.out[:0]
	if t.Raw {
		t.out = append(t.out, t.text.Bytes()...)
	} else {
		for i, line := range bytes.Split(t.text.Bytes(), []byte{'\n'}) {
			if i > 0 {
				t.out = append(t.out, '\n')
			}
			t.out = logs.AppendHarmless(t.out, line)
		}
	}
	_, err = t.Out.Write(append(t.out, '\n'))
	return err
}

func streamName(stream engine.Stream) string {
	if stream == engine.Stderr {
		return "stderr"
	}
	return "stdout"
}
