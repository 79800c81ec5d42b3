package cli

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/moby/sys/atomicwriter"
	"github.com/spf13/cobra"

	"github.com/muster-dev/muster/cmd/display"
	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/graph"
	"github.com/muster-dev/muster/project"
)

type graphOptions struct {
	*globals
	services       []string
	format, output string
	with           []string
	noDeps, state  bool
}

func newGraph(g *globals) *cobra.Command {
	o := &graphOptions{globals: g}
	cmd := &cobra.Command{
		Use:   "graph [OPTIONS] [SERVICE...]",
		Short: "Draw which service needs which",
		Long: `Draw which service needs which, and what it waits for: that the other is started, healthy or completed.

Named services are drawn with all that they need. What many need is drawn where it is first needed; the arrow behind
its name elsewhere says whether that is above or below.`,
		Example: `  muster graph                          as trees, in the terminal
  muster graph --state api              how api and what it needs are now
  muster graph --with all -o shop.svg   a picture for the browser, with networks, volumes, configs and secrets
  muster graph --format mermaid         for Markdown`,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.services = args
			return runGraph(cmd.Context(), o)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.format, formatFlag, "", `Format ("text"|"dot"|"mermaid"|"svg"); by default that of the --output file's name, else text`)
	flags.BoolVar(&o.noDeps, "no-deps", false, "Leave out the services that the named ones depend on")
	flags.StringVarP(&o.output, "output", "o", "", "Save to file (default to stdout)")
	flags.BoolVar(&o.state, "state", false, "Ask the engine how the services are, and show it")
	flags.StringSliceVar(&o.with, "with", nil, `Draw these, too ("networks"|"volumes"|"configs"|"secrets"|"all")`)
	return cmd
}

// graphFormats are the formats, and the endings of file names that mean them.
func graphFormats() map[string][]string {
	return map[string][]string{
		"text": {".txt"}, "dot": {".dot", ".gv"}, "mermaid": {".mmd", ".mermaid"}, "svg": {".svg"},
	}
}

// formatOf is the format that is asked for, by name or by the name of the file.
func (o *graphOptions) formatOf() (string, error) {
	const usual = "text"
	if o.format != "" {
		if _, ok := graphFormats()[o.format]; !ok {
			return "", fmt.Errorf("unsupported --format value %q: use text, dot, mermaid or svg", o.format)
		}
		return o.format, nil
	}
	ending := strings.ToLower(filepath.Ext(o.output))
	for format, endings := range graphFormats() {
		if slices.Contains(endings, ending) {
			return format, nil
		}
	}
	return usual, nil
}

// kinds are those that --with names, in the singular or the plural.
func (o *graphOptions) kinds() ([]graph.Kind, error) {
	var kinds []graph.Kind
	for _, name := range o.with {
		kind := graph.Kind(strings.TrimSuffix(name, "s"))
		switch {
		case name == "all":
			kinds = append(kinds, graph.Kinds()...)
		case slices.Contains(graph.Kinds(), kind):
			kinds = append(kinds, kind)
		default:
			return nil, fmt.Errorf("unsupported --with value %q: use networks, volumes, configs, secrets or all", name)
		}
	}
	return kinds, nil
}

func runGraph(ctx context.Context, o *graphOptions) error {
	format, err := o.formatOf()
	if err != nil {
		return err
	}
	kinds, err := o.kinds()
	if err != nil {
		return err
	}
	p, err := o.load(ctx, o.services, o.noDeps)
	if err != nil {
		return err
	}
	made, err := graph.From(p)
	if err != nil {
		return err
	}
	var states map[graph.Ref]graph.State
	if o.state {
		if states, err = o.states(ctx, p); err != nil {
			return err
		}
	}
	return o.writeDiagram(graph.Draw(p, made, kinds, states), format)
}

// states are how the services are now, as one call to the engine tells.
func (o *graphOptions) states(ctx context.Context, p *project.Project) (map[graph.Ref]graph.State, error) {
	eng, err := o.dial(ctx, p.Name)
	if err != nil {
		return nil, err
	}
	defer eng.Close() //nolint:errcheck // nothing is left to be said to the engine
	containers, err := eng.ListContainers(ctx, engine.ContainerFilter{Project: p.Name})
	if err != nil {
		return nil, fmt.Errorf("list containers of project %q: %w", p.Name, err)
	}
	return display.ServiceStates(p, containers), nil
}

func (o *graphOptions) writeDiagram(diagram *graph.Diagram, format string) error {
	if format == "text" && o.output == "" {
		return display.Graph(o.app.Streams, diagram, o.colorOut())
	}
	var drawing []byte
	switch format {
	case "dot":
		drawing = diagram.DOT()
	case "mermaid":
		drawing = diagram.Mermaid()
	case "svg":
		drawing = diagram.SVG()
	default:
		drawing = diagram.Text(graph.TextOptions{})
	}
	return o.writeOutput(o.output, drawing)
}

// writeOutput writes what a command made to the file of --output, whole or not at all, or to the output where none is given.
func (g *globals) writeOutput(file string, text []byte) error {
	if file == "" {
		_, err := g.app.Out.Write(text)
		return err
	}
	path := file
	if !filepath.IsAbs(path) {
		path = filepath.Join(g.app.Dir, path)
	}
	const readable = 0o644
	if err := atomicwriter.WriteFile(path, text, readable); err != nil {
		return fmt.Errorf("write --output file %q: %w", file, err)
	}
	return nil
}
