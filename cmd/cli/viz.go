package cli

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/muster-dev/muster/graph"
	"github.com/muster-dev/muster/project"
)

type vizOptions struct {
	*globals
	services               []string
	image, networks, ports bool
	indentation            int
	spaces                 bool
}

func newViz(g *globals) *cobra.Command {
	o := &vizOptions{globals: g}
	cmd := &cobra.Command{
		Use:   "viz [OPTIONS] [SERVICE...]",
		Short: "Visualize which service needs which, in graphviz's language",
		Long: `Visualize which service needs which, in graphviz's language: ` + "`muster graph --format dot`" + ` with docker compose's flags.

` + "`muster graph`" + ` draws more: networks, volumes, live states, in the terminal too.`,
		Example: "  muster viz --image | dot -Tsvg > shop.svg",
		RunE: func(cmd *cobra.Command, args []string) error {
			o.services = args
			return runViz(cmd.Context(), o)
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&o.image, "image", false, "Include service's image name in output graph")
	flags.IntVar(&o.indentation, "indentation-size", 1, "Number of tabs or spaces to use for indentation")
	flags.BoolVar(&o.networks, "networks", false, "Include service's attached networks in output graph")
	flags.BoolVar(&o.ports, "ports", false, "Include service's exposed ports in output graph")
	flags.BoolVar(&o.spaces, "spaces", false, "If given, space character ' ' will be used to indent, otherwise tab character '\\t' will be used")
	return cmd
}

// newAlpha has what docker compose calls experimental.
func newAlpha(g *globals) *cobra.Command {
	cmd := &cobra.Command{
		Use: "alpha COMMAND", Short: "Experimental commands of docker compose", Hidden: true, Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownCommand(cmd, args[0])
			}
			return cmd.Help()
		},
	}
	cmd.AddCommand(newViz(g), newLaterPublish(), laterCommand("generate", "write the file by hand; `muster config` checks it"))
	return cmd
}

func runViz(ctx context.Context, o *vizOptions) error {
	const most = 100
	if o.indentation < 0 || o.indentation > most {
		return fmt.Errorf("invalid value for --indentation-size: %d is not a number from 0 to %d", o.indentation, most)
	}
	p, err := o.load(ctx, o.services, false)
	if err != nil {
		return err
	}
	made, err := graph.From(p)
	if err != nil {
		return err
	}
	diagram := graph.Draw(p, made, nil, nil)
	for i := range diagram.Nodes {
		node := &diagram.Nodes[i]
		node.Notes = o.notes(p, p.Services[node.Ref.Name])
	}
	return o.writeOutput("", bytes.ReplaceAll(diagram.DOT(), []byte("\n  "), []byte("\n"+o.indent())))
}

func (o *vizOptions) indent() string {
	if o.spaces {
		return strings.Repeat(" ", o.indentation)
	}
	return strings.Repeat("\t", o.indentation)
}

// notes are what the flags ask for about a service.
func (o *vizOptions) notes(p *project.Project, service project.Service) []string {
	var notes []string
	if o.networks {
		for _, name := range service.NetworksByPriority() {
			notes = append(notes, "network "+name)
		}
	}
	if o.ports {
		for _, port := range service.Ports {
			note := fmt.Sprintf("%d/%s", port.Target, port.Protocol)
			if port.Published != "" {
				note = cmp.Or(port.HostIP, "0.0.0.0") + ":" + port.Published + " -> " + note
			}
			notes = append(notes, "port "+note)
		}
	}
	if o.image {
		notes = append(notes, "image "+p.ImageName(service))
	}
	return notes
}
