package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/muster-dev/muster/cmd/display"
	"github.com/muster-dev/muster/graph"
	"github.com/muster-dev/muster/project"
)

type configOptions struct {
	*globals
	services                                          []string
	format, output, hash                              string
	quiet, names, volumes, networks, images, profiles bool
	environment, linted, explained, models, variables bool
	noInterpolate, noNormalize, noConsistency         bool
	noPathResolution, noEnvResolution                 bool
	digests, lock                                     bool
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
	flags.BoolVar(&o.explained, "explain", false, "With --lint: list all attributes that have no effect on one engine, and what happens instead")
	flags.BoolVar(&o.linted, "lint", false,
		`List what has no effect, is risky or is deprecated, with its place; the exit code is 2 when there is anything (--format "text"|"sarif")`)
	flags.BoolVar(&o.lock, "lock-image-digests", false, "Produces an override file with image digests")
	flags.BoolVar(&o.models, "models", false, "Print the model names, one per line.")
	flags.BoolVar(&o.networks, "networks", false, "Print the network names, one per line.")
	flags.BoolVar(&o.noConsistency, "no-consistency", false, "Don't check model consistency - warning: may produce invalid Compose output")
	flags.BoolVar(&o.noEnvResolution, "no-env-resolution", false, "Don't resolve service env files")
	flags.BoolVar(&o.noInterpolate, "no-interpolate", false, "Don't interpolate environment variables")
	flags.BoolVar(&o.noNormalize, "no-normalize", false, "Don't normalize compose model")
	flags.BoolVar(&o.noPathResolution, "no-path-resolution", false, "Don't resolve file paths")
	flags.StringVarP(&o.output, "output", "o", "", "Save to file (default to stdout)")
	flags.BoolVar(&o.profiles, "profiles", false, "Print the profile names, one per line.")
	flags.BoolVarP(&o.quiet, "quiet", "q", false, "Only validate the configuration, don't print anything")
	flags.BoolVar(&o.digests, "resolve-image-digests", false, "Pin image tags to digests")
	flags.BoolVar(&o.names, "services", false, "Print the service names, one per line.")
	flags.BoolVar(&o.variables, "variables", false, "Print model variables and default values.")
	flags.BoolVar(&o.volumes, "volumes", false, "Print the volume names, one per line.")
	return cmd
}

func (o *configOptions) loadOptions() project.Options {
	options := o.options(o.services, false)
	options.SkipInterpolation, options.SkipNormalization = o.noInterpolate, o.noNormalize || options.Compatibility
	options.SkipConsistency, options.SkipPathResolution = o.noConsistency, o.noPathResolution
	options.SkipEnvResolution = o.noEnvResolution
	return options
}

func runConfig(ctx context.Context, o *configOptions) error {
	switch {
	case o.explained && !o.linted:
		return errors.New("--explain goes with --lint")
	case o.explained:
		return o.explain()
	case o.linted:
		return o.lint(ctx)
	}
	if !slices.Contains([]string{"", "yaml", "json"}, o.format) {
		return fmt.Errorf("unsupported --format value %q: use yaml or json", o.format)
	}
	text, err := o.render(ctx)
	if err != nil || o.quiet {
		return err
	}
	return o.writeOutput(o.output, text)
}

func (o *configOptions) printEnvironment(ctx context.Context, w io.Writer) error {
	environment, err := project.Environment(o.loadOptions())
	if err != nil {
		return err
	}
	if name, err := project.Name(ctx, o.loadOptions()); err == nil {
		environment["COMPOSE_PROJECT_NAME"] = name
	}
	return o.lines(w, mapLines(environment, func(key string) string { return key + "=" + environment[key] }))
}

// render is what the flags ask for, the first of docker compose's order: a list of names, or the whole model.
func (o *configOptions) render(ctx context.Context) ([]byte, error) {
	var list bytes.Buffer
	switch {
	case o.ofProject() && (!o.noInterpolate || !o.ofTree()):
		p, err := o.loadChecked(ctx)
		if err != nil {
			return nil, err
		}
		err = o.list(&list, p)
		return list.Bytes(), err
	case o.variables && !o.ofProject():
		err := o.printVariables(ctx, &list)
		return list.Bytes(), err
	case o.environment && !o.ofProject():
		err := o.printEnvironment(ctx, &list)
		return list.Bytes(), err
	case o.noInterpolate:
		return o.renderTree(ctx)
	}
	p, err := o.loadChecked(ctx)
	if err != nil {
		return nil, err
	}
	if o.digests || o.lock {
		if p, err = o.withDigests(ctx, p); err != nil {
			return nil, err
		}
	}
	if o.lock {
		return o.renderLock(p)
	}
	return renderModel(p, o.format)
}

// ofTree says whether a list is asked for that needs no more than the files' text; ofProject says whether one is of the project.
func (o *configOptions) ofTree() bool { return o.names || o.volumes || o.networks }

func (o *configOptions) ofProject() bool {
	return o.ofTree() || o.models || o.hash != "" || o.profiles || o.images
}

func (o *configOptions) loadChecked(ctx context.Context) (*project.Project, error) {
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
	return p, nil
}

// list writes the first list that is asked for.
func (o *configOptions) list(w io.Writer, p *project.Project) error {
	switch {
	case o.names:
		return o.lines(w, p.ServiceNames())
	case o.volumes:
		return o.lines(w, p.VolumeNames())
	case o.networks:
		return o.lines(w, p.NetworkNames())
	case o.models:
		return o.lines(w, mapLines(p.Models, func(name string) string { return p.Models[name].Model }))
	case o.hash != "":
		return o.printHashes(w, p)
	case o.profiles:
		return o.lines(w, profiles(p))
	}
	return o.lines(w, mapLines(p.Services, func(name string) string { return p.ImageName(p.Services[name]) }))
}

// renderTree writes the files' text, merged, or the names of what it has.
func (o *configOptions) renderTree(ctx context.Context) ([]byte, error) {
	if len(o.services) > 0 {
		o.warn([]project.Warning{{Message: "--no-interpolate writes the whole model: the named services are not selected"}})
	}
	tree, err := project.Tree(ctx, o.loadOptions())
	if err != nil {
		return nil, err
	}
	if !o.ofTree() {
		return marshalTree(tree, o.format)
	}
	key := "networks"
	switch {
	case o.names:
		key = "services"
	case o.volumes:
		key = "volumes"
	}
	section, _ := tree[key].(map[string]any) // none where the files have none
	var list bytes.Buffer
	err = o.lines(&list, slices.Sorted(maps.Keys(section)))
	return list.Bytes(), err
}

// printVariables writes the variables of the files, as a table or in the --format.
func (o *configOptions) printVariables(ctx context.Context, w io.Writer) error {
	options := o.loadOptions()
	options.SkipInterpolation = true
	tree, err := project.Tree(ctx, options)
	if err != nil {
		return err
	}
	variables := project.Variables(tree)
	if o.format == "" {
		return display.Variables(w, variables)
	}
	byName := map[string]project.Variable{}
	for _, variable := range variables {
		byName[variable.Name] = variable
	}
	marshal := encodeYAML
	if o.format == formatJSON {
		marshal = encodeJSON
	}
	text, err := marshal(byName)
	if err == nil {
		_, err = w.Write(text)
	}
	return err
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
