package project

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/compose-spec/compose-go/v2/consts"
	"github.com/compose-spec/compose-go/v2/loader"
)

// Name is the name of the project that the options mean, by the same rules as [Load]'s, without loading its files: they are read
// only as far as the name may stand in them, and not at all where the options or the environment give one.
//
// The error is [ErrNoFile] where a file would have to be read and there is none, a [*LoadError] where one is no YAML.
func Name(ctx context.Context, options Options) (string, error) {
	chosen, err := settle(options)
	if err != nil {
		return "", err
	}
	if name, err := chosen.givenName(); name != "" || err != nil {
		return name, err
	}
	if len(chosen.files) == 0 {
		return "", ErrNoFile
	}
	reader, err := newReader(chosen)
	if err != nil {
		return "", err
	}
	if err := errors.Join(ctx.Err(), loadError(reader.problems, reader.all)); err != nil {
		return "", err
	}
	loading := &loading{setting: chosen, reader: reader}
	return loading.projectName()
}

// givenName is the name that -p or COMPOSE_PROJECT_NAME gives; empty where none does.
func (s *setting) givenName() (string, error) {
	name := s.options.Name
	if name == "" {
		name = s.environment[consts.ComposeProjectName]
	}
	if name != "" && loader.NormalizeProjectName(name) != name {
		return "", loader.InvalidProjectNameErr(name)
	}
	return name, nil
}

// projectName is the given name, or the last `name` in the files, or the name of the project's folder.
func (l *loading) projectName() (string, error) {
	if name, err := l.givenName(); name != "" || err != nil {
		return name, err
	}
	name, place := l.nameInFiles()
	if place.value == nil {
		name = filepath.Base(l.workingDir)
		if filepath.Base(realPath(l.workingDir)) != name {
			l.warn(fmt.Sprintf("project has been loaded without an explicit name from a symlink. Using name %q", name))
		}
	}
	normalized := loader.NormalizeProjectName(name)
	if normalized != "" {
		return normalized, nil
	}
	const empty = "project name must not be empty"
	if place.value == nil {
		return "", errors.New(empty)
	}
	return "", loadError([]Problem{place.valueProblem("name", empty, `begin it with a letter or a digit`)}, l.reader.all)
}

// nameInFiles is the last name that the files give. One whose variables cannot be replaced counts as it is: loading tells.
func (l *loading) nameInFiles() (name string, place spot) {
	for _, source := range l.reader.main {
		for _, document := range source.documents {
			found := entry(document, "name")
			if found.value == nil || target(found.value).Value == "" {
				continue
			}
			name, place = target(found.value).Value, spot{source, found.key, found.value}
			if text, ok := l.reader.text(source, found.value); ok {
				name = text
			}
		}
	}
	return name, place
}
