package cli

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/muster-dev/muster/graph"
	"github.com/muster-dev/muster/project"
)

type configOptions struct {
	*globals
	services                                          []string
	format, output, hash                              string
	quiet, names, volumes, networks, images, profiles bool
	environment, linted                               bool
	noInterpolate, noNormalize, noConsistency         bool
	noPathResolution, noEnvResolution                 bool
}

func newConfig(g *globals) *cobra.Command {
	o := &configOptions{globals: g}
	cmd := &cobra.Command{
		Use:   "config [OPTIONS] [SERVICE...]",
		Short: "Parse, resolve and render compose file in canonical format",
		RunE: func(cmd *cobra.Command, args []string) error {
			o.services = args
			return runConfig(cmd.Context(), o)
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&o.environment, "environment", false, "Print environment used for interpolation.")
	flags.StringVar(&o.format, "format", "", `Format the output. Values: [yaml | json]`)
	flags.StringVar(&o.hash, "hash", "", "Print the service config hash, one per line.")
	flags.BoolVar(&o.images, "images", false, "Print the image names, one per line.")
	flags.BoolVar(&o.linted, "lint", false,
		`List what has no effect, is risky or is deprecated, with its place; the exit code is 2 when there is anything (--format "text"|"sarif")`)
	flags.BoolVar(&o.networks, "networks", false, "Print the network names, one per line.")
	flags.BoolVar(&o.noConsistency, "no-consistency", false, "Don't check model consistency - warning: may produce invalid Compose output")
	flags.BoolVar(&o.noEnvResolution, "no-env-resolution", false, "Don't resolve service env files")
	flags.BoolVar(&o.noInterpolate, "no-interpolate", false, "Don't interpolate environment variables")
	flags.BoolVar(&o.noNormalize, "no-normalize", false, "Don't normalize compose model")
	flags.BoolVar(&o.noPathResolution, "no-path-resolution", false, "Don't resolve file paths")
	flags.StringVarP(&o.output, "output", "o", "", "Save to file (default to stdout)")
	flags.BoolVar(&o.profiles, "profiles", false, "Print the profile names, one per line.")
	flags.BoolVarP(&o.quiet, "quiet", "q", false, "Only validate the configuration, don't print anything")
	flags.BoolVar(&o.names, "services", false, "Print the service names, one per line.")
	flags.BoolVar(&o.volumes, "volumes", false, "Print the volume names, one per line.")
	return cmd
}

func (o *configOptions) loadOptions() project.Options {
	options := o.options(o.services, false)
	options.SkipInterpolation, options.SkipNormalization = o.noInterpolate, o.noNormalize
	options.SkipConsistency, options.SkipPathResolution = o.noConsistency, o.noPathResolution
	options.SkipEnvResolution = o.noEnvResolution
	return options
}

func runConfig(ctx context.Context, o *configOptions) error {
	if o.linted {
		return o.lint(ctx)
	}
	if !slices.Contains([]string{"", "yaml", "json"}, o.format) {
		return fmt.Errorf("unsupported --format value %q: use yaml or json", o.format)
	}
	if o.environment {
		return o.printEnvironment(ctx)
	}
	text, err := o.render(ctx)
	if err != nil || o.quiet {
		return err
	}
	return o.writeOutput(o.output, text)
}

func (o *configOptions) printEnvironment(ctx context.Context) error {
	environment, err := project.Environment(o.loadOptions())
	if err != nil {
		return err
	}
	if name, err := project.Name(ctx, o.loadOptions()); err == nil {
		environment["COMPOSE_PROJECT_NAME"] = name
	}
	return o.lines(o.app.Out, mapLines(environment, func(key string) string { return key + "=" + environment[key] }))
}

// render is what the flags ask for: a list of names, or the whole model.
func (o *configOptions) render(ctx context.Context) ([]byte, error) {
	if o.noInterpolate {
		tree, err := project.Tree(ctx, o.loadOptions())
		if err != nil {
			return nil, err
		}
		return marshalTree(tree, o.format)
	}
	p, err := project.Load(ctx, o.loadOptions())
	if err != nil {
		return nil, err
	}
	o.warn(p.Warnings)
	if !o.noConsistency {
		if _, err := graph.From(p); err != nil {
			return nil, err
		}
	}
	var list bytes.Buffer
	switch {
	case o.names:
		err = o.lines(&list, p.ServiceNames())
	case o.volumes:
		err = o.lines(&list, p.VolumeNames())
	case o.networks:
		err = o.lines(&list, p.NetworkNames())
	case o.hash != "":
		err = o.printHashes(&list, p)
	case o.profiles:
		err = o.lines(&list, profiles(p))
	case o.images:
		err = o.lines(&list, mapLines(p.Services, func(name string) string { return p.ImageName(p.Services[name]) }))
	default:
		return renderModel(p, o.format)
	}
	return list.Bytes(), err
}

func (o *configOptions) printHashes(w io.Writer, p *project.Project) error {
	names := strings.Split(o.hash, ",")
	if o.hash == "*" {
		names = p.ServiceNames()
	}
	if err := checkServices(p, nil, names); err != nil {
		return err
	}
	for _, name := range names {
		hash, err := project.ServiceHash(p.Services[name])
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(w, "%s %s\n", name, hash); err != nil {
			return err
		}
	}
	return nil
}

func profiles(p *project.Project) []string {
	var names []string
	for _, service := range p.AllServices() {
		names = append(names, service.Profiles...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func mapLines[V any](m map[string]V, line func(key string) string) []string {
	lines := make([]string, 0, len(m))
	for key := range m {
		lines = append(lines, line(key))
	}
	slices.Sort(lines)
	return slices.Compact(lines)
}

func (o *configOptions) lines(w io.Writer, lines []string) error {
	for _, line := range lines {
		if _, err := fmt.Fprintln(w, line); err != nil {
			return err
		}
	}
	return nil
}
