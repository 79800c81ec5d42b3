package logs

import (
	"fmt"
	"io"
	"strconv"

	"github.com/muster-dev/muster/convergence/engine"
)

// PrinterOptions says where and how a [Printer] writes.
type PrinterOptions struct {
	// Stdout takes lines and marks; Stderr takes warnings, and with Split the lines that containers wrote to theirs.
	Stdout, Stderr io.Writer
	Split          bool

	// Names are the sources that are known from the start: they fix the width of the prefix and take the first colours.
	Names []string
	// NoPrefix leaves out the names before lines.
	NoPrefix bool
	// Timestamps puts the engine's time before the text.
	Timestamps bool
	// Color paints the names.
	Color bool
	// Raw passes lines as they are. Without it they cannot do anything to a terminal but set colours.
	Raw bool
}

// Printer writes items in docker compose's form: "web-1  | text", and "web-1 exited with code 0".
// It is not for use by several goroutines at once; [Follow] calls its sink from one at a time.
type Printer struct {
	options  PrinterOptions
	painter  *painter
	width    int
	prefixes map[string]string
	buffer   []byte
}

// cutMark is put where a line was cut because it was too long.
const cutMark = " [line goes on]"

// NewPrinter returns a printer that has written nothing yet.
func NewPrinter(options PrinterOptions) *Printer {
	p := &Printer{options: options, painter: newPainter(options.Names), prefixes: map[string]string{}}
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
		p.line(item.Line)
	case KindExited:
		p.exited(item)
	case KindUnreadable:
		to = p.options.Stderr
		p.unreadable(item)
	default:
		return nil
	}
	_, err := to.Write(p.buffer)
	return err
}

func (p *Printer) line(line Line) {
	p.buffer = p.buffer[:0]
	if !p.options.NoPrefix {
		p.buffer = append(p.buffer, p.prefix(line.Source.Name())...)
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
	p.buffer = appendHarmless(p.buffer, text)
}

// prefix is what comes before a line of the name. A name longer than those before makes all wider from then on.
func (p *Printer) prefix(name string) string {
	if prefix, ok := p.prefixes[name]; ok {
		return prefix
	}
	if len(name) > p.width {
		p.width = len(name)
		clear(p.prefixes)
	}
	prefix := p.paint(name, fmt.Sprintf("%-*s | ", p.width+1, name))
	p.prefixes[name] = prefix
	return prefix
}

func (p *Printer) paint(name, text string) string {
	if !p.options.Color {
		return text
	}
	return p.painter.paint(name, text)
}

func (p *Printer) exited(item Item) {
	name := item.Source.Name()
	text := name + " exited with code " + strconv.Itoa(item.ExitCode)
	if item.ExitCode == UnknownExit {
		text = name + " is gone"
	}
	if item.Restarting {
		text += " (restarting)"
	}
	p.buffer = append(append(p.buffer[:0], p.paint(name, text)...), '\n')
}

func (p *Printer) unreadable(item Item) {
	p.buffer = fmt.Appendf(p.buffer[:0], "cannot read the log of %q: ", item.Source.Name())
	p.text([]byte(item.Err.Error()))
	p.buffer = append(p.buffer, '\n')
}
