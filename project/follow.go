package project

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"go.yaml.in/yaml/v4"
)

// reader reads the files of a project and those that they include and extend, before the library does: it keeps the limits
// and finds the cycles that the library would not come back from.
type reader struct {
	folder   string // the current one, for names
	raw      bool   // without interpolation
	main     []*source
	all      []*source
	problems []Problem
	known    map[sourceKey]*source
}

// sourceKey is what makes reading a file again give the same.
type sourceKey struct {
	path, dir string
	scope     *scope
	extended  bool
}

// newReader reads the files that make the project, and nothing that they lead to. The error is for files that cannot be read;
// what is wrong in them is in problems.
func newReader(chosen *setting) (*reader, error) {
	r := &reader{
		folder: chosen.options.Dir, raw: chosen.options.SkipInterpolation, known: map[sourceKey]*source{},
	}
	return r, r.readMain(chosen)
}

// followAll reads what the project's files include and extend.
func (r *reader) followAll() {
	for _, source := range r.main {
		r.follow(source, nil)
	}
}

func (r *reader) readMain(chosen *setting) error {
	scope := &scope{chosen.environment}
	var failures []error
	for _, path := range chosen.files {
		content, err := chosen.read(path)
		if errors.Is(err, errTooLarge) {
			r.problems = append(r.problems, Problem{Position: Position{File: displayName(r.folder, path)}, Message: tooLarge})
			continue
		}
		if err != nil {
			failures = append(failures, err)
			continue
		}
		source := r.add(path, content, sourceKey{path: path, dir: chosen.workingDir, scope: scope})
		source.main = true
		r.main = append(r.main, source)
	}
	return errors.Join(failures...)
}

// read reads one of the project's own files. It may be a pipe.
func (s *setting) read(path string) ([]byte, error) {
	if path == stdin {
		if s.options.Stdin == nil {
			return nil, errors.New("read standard input: there is none")
		}
		return readLimited(s.options.Stdin)
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return nil, &fs.PathError{Op: "read", Path: path, Err: syscall.EISDIR}
	}
	content, err := readFile(path)
	if err != nil && s.origin != "" {
		return nil, fmt.Errorf("compose file %s: %w", s.origin, err)
	}
	return content, err
}

func (r *reader) add(path string, content []byte, key sourceKey) *source {
	read, problems := newSource(displayName(r.folder, path), path, content)
	read.dir, read.environment, read.extended = key.dir, key.scope, key.extended
	r.problems = append(r.problems, problems...)
	r.all = append(r.all, read)
	r.known[key] = read
	return read
}

// follow reads what a file includes, and then what its services extend. The chain is the files that led here.
func (r *reader) follow(from *source, chain []*source) {
	chain = append(chain[:len(chain):len(chain)], from)
	for _, document := range from.documents {
		for _, node := range items(entry(document, "include").value) {
			r.include(from, node, chain)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(from.services)) {
		r.extend(from, name, nil)
	}
	r.followJobs(from)
}

// read reads a file that another one leads to, once. It reports what cannot be read and what comes back to itself.
func (r *reader) read(place spot, path string, key sourceKey, chain []*source) (read *source, fresh bool) {
	report := func(message string) (*source, bool) {
		r.problems = append(r.problems, place.problem(path, message, ""))
		return nil, false
	}
	identity := realPath(key.path)
	for i, earlier := range chain {
		if earlier.identity == identity {
			return report("cycle: " + fileChain(chain[i:]))
		}
	}
	if known := r.known[key]; known != nil {
		return known, false
	}
	switch {
	case len(chain) > maxDepth:
		return report(fmt.Sprintf("includes are nested deeper than %d files", maxDepth))
	case len(r.all) >= maxFiles:
		return report(fmt.Sprintf("more than %d files", maxFiles))
	}
	content, err := readRegular(key.path)
	if err != nil {
		return report(fileMessage("file", key.path, err))
	}
	return r.add(key.path, content, key), true
}

func fileChain(files []*source) string {
	names := make([]string, 0, len(files)+1)
	for _, file := range files {
		names = append(names, file.name)
	}
	return strings.Join(append(names, files[0].name), " -> ")
}

// fileMessage says why a file cannot be read.
func fileMessage(kind, path string, err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Sprintf(`%s "%s" does not exist`, kind, clean(path))
	case errors.Is(err, errTooLarge):
		return fmt.Sprintf(`%s "%s" is larger than 4 MB`, kind, clean(path))
	}
	return fmt.Sprintf(`%s "%s" cannot be read: %s`, kind, clean(path), clean(err.Error()))
}

// problemsOf are the problems that an error consists of.
func problemsOf(err error) []Problem {
	if loading := (*LoadError)(nil); errors.As(err, &loading) {
		return loading.Problems
	}
	return []Problem{{Message: err.Error()}}
}

// text is a scalar's text with its variables replaced; not ok where it is none, or they cannot be.
func (r *reader) text(from *source, node *yaml.Node) (text string, ok bool) {
	node = target(node)
	if !isText(node) {
		return "", false
	}
	if r.raw {
		return node.Value, true
	}
	text, err := newSubstitution().replace(node.Value, from.environment.variables.Resolve)
	return text, err == nil
}

func absoluteIn(dir, path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(dir, path)
}
