package logs

import (
	"slices"

	"github.com/fatih/color"
)

// palette are the colours that sources take in turn.
func palette() [][]color.Attribute {
	plain := []color.Attribute{color.FgCyan, color.FgYellow, color.FgGreen, color.FgMagenta, color.FgBlue}
	colors := make([][]color.Attribute, 0, 2*len(plain))
	for _, foreground := range plain {
		colors = append(colors, []color.Attribute{foreground})
	}
	for _, foreground := range plain {
		colors = append(colors, []color.Attribute{foreground, color.Bold})
	}
	return colors
}

// painter gives every name a colour and keeps to it: the known names in their order, others as they come.
type painter struct {
	colors [][]color.Attribute
	taken  map[string]*color.Color
}

func newPainter(names []string) *painter {
	p := &painter{colors: palette(), taken: map[string]*color.Color{}}
	names = slices.Clone(names)
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		p.of(name)
	}
	return p
}

func (p *painter) of(name string) *color.Color {
	if taken, ok := p.taken[name]; ok {
		return taken
	}
	taken := color.New(p.colors[len(p.taken)%len(p.colors)]...)
	taken.EnableColor() // whatever the package thinks of the process's own output
	p.taken[name] = taken
	return taken
}

// paint is the text in the name's colour.
func (p *painter) paint(name, text string) string { return p.of(name).Sprint(text) }
