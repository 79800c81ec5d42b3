package logs

import (
	"slices"
	"strings"

	"github.com/fatih/color"
)

// palette are the colours that services take in turn.
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

// painter gives every service a colour and keeps to it: the known ones in the order of their names, others as they come. So a service
// has the same one from run to run, and so have all its replicas.
type painter struct {
	colors [][]color.Attribute
	taken  map[string]*color.Color
	byName map[string]*color.Color
}

// newPainter returns a painter for services and for names of sources, of which either may be known.
func newPainter(services, names []string) *painter {
	p := &painter{colors: palette(), taken: map[string]*color.Color{}, byName: map[string]*color.Color{}}
	services = slices.Clone(services)
	slices.Sort(services)
	for _, service := range services {
		p.ofService(service)
	}
	names = slices.Clone(names)
	slices.Sort(names)
	for _, name := range names {
		p.of(name)
	}
	return p
}

// of is the colour of a source by its name, which for most begins with the service: "web-1", and for hooks "web-1 ->".
func (p *painter) of(name string) *color.Color {
	if taken, ok := p.byName[name]; ok {
		return taken
	}
	service, _, _ := strings.Cut(name, " ")
	if end := strings.LastIndexAny(service, "-_"); end > 0 && strings.Trim(service[end+1:], "0123456789") == "" {
		service = service[:end]
	}
	p.byName[name] = p.ofService(service)
	return p.byName[name]
}

func (p *painter) ofService(service string) *color.Color {
	if taken, ok := p.taken[service]; ok {
		return taken
	}
	taken := color.New(p.colors[len(p.taken)%len(p.colors)]...)
	taken.EnableColor() // whatever the package thinks of the process's own output
	p.taken[service] = taken
	return taken
}

// paint is the text in the name's colour.
func (p *painter) paint(name, text string) string { return p.of(name).Sprint(text) }
