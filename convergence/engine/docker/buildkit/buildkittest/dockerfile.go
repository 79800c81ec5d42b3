package buildkittest

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerfile/shell"
	solver "github.com/moby/buildkit/solver/errdefs"
	"github.com/moby/buildkit/solver/pb"
)

// dockerfile is one that was read.
type dockerfile struct {
	name      string
	content   []byte
	lex       *shell.Lex
	stages    []*stage
	arguments variables // what ARG before the first FROM says
}

// stage is a part of a Dockerfile that begins with FROM.
type stage struct {
	instructions.Stage
	index int
	base  string // what it is made from, with variables replaced
	from  *stage // where that is a stage
}

// parseDockerfile reads a Dockerfile. Errors have their place.
func parseDockerfile(name string, content []byte, o *options) (*dockerfile, error) {
	d := &dockerfile{name: name, content: content, arguments: variables{}}
	parsed, err := parser.Parse(bytes.NewReader(content))
	if err != nil {
		return nil, d.located(err)
	}
	d.lex = shell.NewLex(parsed.EscapeToken)
	stages, global, err := instructions.Parse(parsed.AST, nil)
	if err != nil {
		return nil, d.located(err)
	}
	if len(stages) == 0 {
		return nil, errors.New("dockerfile contains no stages to build")
	}
	for i := range global {
		if err := d.declare(&global[i], d.arguments, d.arguments, o); err != nil {
			return nil, d.at(err, global[i].Location())
		}
	}
	for i := range stages {
		if err := d.addStage(stages[i]); err != nil {
			return nil, d.at(err, stages[i].Location)
		}
	}
	return d, nil
}

func (d *dockerfile) addStage(found instructions.Stage) error {
	if found.Platform != "" {
		return unknown("FROM --platform")
	}
	base, err := d.expand(found.BaseName, d.arguments)
	if err != nil {
		return err
	}
	if base == "" {
		return fmt.Errorf("base name (%s) should not be blank", found.BaseName)
	}
	s := &stage{Stage: found, index: len(d.stages), base: base}
	s.from = d.stage(base)
	d.stages = append(d.stages, s)
	return nil
}

// stage finds one by name, nil where there is none.
func (d *dockerfile) stage(name string) *stage {
	i := slices.IndexFunc(d.stages, func(s *stage) bool { return s.Name != "" && strings.EqualFold(s.Name, name) })
	if i < 0 {
		return nil
	}
	return d.stages[i]
}

// source finds the stage that COPY --from means, by name or number; nil for none.
func (d *dockerfile) source(name string) *stage {
	if i, err := strconv.Atoi(name); err == nil && i >= 0 && i < len(d.stages) {
		return d.stages[i]
	}
	return d.stage(name)
}

// final is the stage to stop at.
func (d *dockerfile) final(target string) (*stage, error) {
	if target == "" {
		return d.stages[len(d.stages)-1], nil
	}
	if found := d.source(target); found != nil {
		return found, nil
	}
	return nil, fmt.Errorf("target stage %q could not be found", target)
}

// declare is ARG: a value of the request's counts before the Dockerfile's.
func (d *dockerfile) declare(command *instructions.ArgCommand, into, known variables, o *options) error {
	if err := command.Expand(func(word string) (string, error) { return d.expand(word, known) }); err != nil {
		return err
	}
	for _, argument := range command.Args {
		given, isGiven := o.arguments[argument.Key]
		outer, isOuter := d.arguments[argument.Key]
		switch {
		case isGiven:
			into[argument.Key] = given
		case argument.Value != nil:
			into[argument.Key] = *argument.Value
		case isOuter:
			into[argument.Key] = outer
		}
	}
	return nil
}

func (d *dockerfile) expand(word string, known variables) (string, error) {
	result, _, err := d.lex.ProcessWord(word, known)
	return result, err
}

// located gives an error of the parser its places.
func (d *dockerfile) located(err error) error {
	var location *parser.LocationError
	if !errors.As(err, &location) {
		return err
	}
	for _, place := range location.Locations {
		err = d.at(err, place)
	}
	return err
}

// at gives an error a place in the Dockerfile.
func (d *dockerfile) at(err error, place []parser.Range) error {
	if err == nil {
		return nil
	}
	source := &solver.Source{Info: &pb.SourceInfo{Filename: d.name, Data: d.content, Language: "Dockerfile"}}
	for _, part := range place {
		source.Ranges = append(source.Ranges, &pb.Range{
			Start: &pb.Position{Line: int32(part.Start.Line), Character: int32(part.Start.Character)}, //nolint:gosec // lines of a file
			End:   &pb.Position{Line: int32(part.End.Line), Character: int32(part.End.Character)},     //nolint:gosec // lines of a file
		})
	}
	return solver.WithSource(err, source)
}

// variables are what words of a Dockerfile can refer to.
type variables map[string]string

// Get implements shell.EnvGetter.
func (v variables) Get(name string) (string, bool) {
	value, ok := v[name]
	return value, ok
}

// Keys implements shell.EnvGetter.
func (v variables) Keys() []string {
	keys := make([]string, 0, len(v))
	for key := range v {
		keys = append(keys, key)
	}
	return keys
}
