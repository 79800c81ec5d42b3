package logs

import (
	"errors"
	"fmt"
	"io"

	"github.com/muster-dev/muster/convergence/engine"
)

// PrinterOptions says where and how a [Printer] writes.
type PrinterOptions struct {
	// Stdout takes lines and marks; Stderr takes warnings, and with Split the lines that containers wrote to theirs.
	Stdout, Stderr io.Writer
	Split          bool

	// Names are the sources that are known from the start: they fix the width of the prefix and take the first colours.
	Names []string
	// Services, where they are given, take the first colours, whether they are heard or not.
	Services []string
	// NoPrefix leaves out the names before lines.
	NoPrefix bool
	// Timestamps puts the engine's time before the text.
	Timestamps bool
	// Color paints the names.
	Color bool
	// Raw passes lines as they are. Without it they cannot do anything to a terminal but set colours, and of what a line
	// overwrites itself, as a progress bar does, the last state is shown.
	Raw bool
	// Marks says how to tell of what happens to containers.
	Marks Marks
}

// Printer writes items in docker compose's form: "web-1  | text", and "web-1 exited with code 0".
// It is not for use by several goroutines at once; [Follow] calls its sink from one at a time.
type Printer struct {
	options  PrinterOptions
	painter  *painter
	width    int
	prefixes map[string]string
	names    map[string]named // by the container's name
	last     Source           // of the last line
	prefixed string           // its prefix
	buffer   []byte
}

// cutMark is put where a line was cut because it was too long.
const cutMark = " [line goes on]"

// NewPrinter returns a printer that has written nothing yet.
func NewPrinter(options PrinterOptions) *Printer {
	p := &Printer{options: options, painter: newPainter(options.Services, options.Names), prefixes: map[string]string{}, names: map[string]named{}}
	for _, name := range options.Names {
		p.width = max(p.width, len(name))
	}
	return p
}

// Print writes an item with one call of Write; kinds that have no form of their own write nothing. The error is the writer's.
// It fits [Follow] as a sink.
func (p *Printer) Print(item Item) error {
	to := p.options.Stdout
	switch item.Kind {
	case KindLine:
		if p.options.Split && item.Stream == engine.Stderr {
			to = p.options.Stderr
		}
		p.line(&item.Line)
	case KindUnreadable:
		to = p.options.Stderr
		p.unreadable(item)
	default:
		if !p.mark(item) {
			return nil
		}
	}
	_, err := to.Write(p.buffer)
	return err
}

func (p *Printer) line(line *Line) {
	p.buffer = p.buffer[:0]
	if !p.options.NoPrefix {
		p.buffer = append(p.buffer, p.prefixOf(&line.Source)...)
	}
	if p.options.Timestamps {
		p.buffer = append(line.Time.UTC().AppendFormat(p.buffer, stampLayout), ' ')
	}
	p.text(line.Text)
	if line.Cut {
		p.buffer = append(p.buffer, cutMark...)
	}
	p.buffer = append(p.buffer, '\n')
}

func (p *Printer) text(text []byte) {
	if p.options.Raw {
		p.buffer = append(p.buffer, text...)
		return
	}
	p.buffer = appendHarmless(p.buffer, overwritten(text))
}

// prefixOf is what comes before a line of the source. Most lines come from where the last one did, or from one that was heard.
func (p *Printer) prefixOf(source *Source) string {
	if p.prefixed == "" || *source != p.last {
		p.last, p.prefixed = *source, p.prefix(p.name(source))
	}
	return p.prefixed
}

// name is the source's, which is made once for each.
func (p *Printer) name(source *Source) string {
	known, ok := p.names[source.Container]
	if !ok || known.Source != *source {
		known = named{*source, source.Name()}
		p.names[source.Container] = known
	}
	return known.name
}

// named is a source and its name.
type named struct {
	Source
	name string
}

// prefix is what comes before a line of the name. A name longer than those before makes all wider from then on.
func (p *Printer) prefix(name string) string {
	if prefix, ok := p.prefixes[name]; ok {
		return prefix
	}
	if len(name) > p.width {
		p.width, p.prefixed = len(name), ""
		clear(p.prefixes)
	}
	prefix := p.paint(name, p.column(name, "| "))
	p.prefixes[name] = prefix
	return prefix
}

func (p *Printer) column(name, after string) string {
	return fmt.Sprintf("%-*s %s", p.width+1, name, after)
}

func (p *Printer) paint(name, text string) string {
	if !p.options.Color {
		return text
	}
	return p.painter.paint(name, text)
}

func (p *Printer) unreadable(item Item) {
	what := "the log of"
	name := item.Source.Name()
	if item.Source.Service != "" && errors.Is(item.Err, engine.ErrUnsupported) {
		what, name = "logs of service", item.Source.Service // it is the driver's, and so all containers'
	}
	p.buffer = fmt.Appendf(p.buffer[:0], "cannot read %s %q: ", what, name)
	p.text([]byte(item.Err.Error()))
	p.buffer = append(p.buffer, '\n')
}
