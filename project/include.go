package project

import (
	"os"
	"path/filepath"

	"github.com/compose-spec/compose-go/v2/dotenv"
	"go.yaml.in/yaml/v4"
)

// inclusion is one entry of `include`, its paths absolute.
type inclusion struct {
	paths []*yaml.Node
	files []string
	dir   string
	scope *scope
}

func (r *reader) include(from *source, node *yaml.Node, chain []*source) {
	wanted, ok := r.inclusion(from, node)
	if !ok {
		return
	}
	for i, path := range wanted.files {
		place := spot{source: from, value: wanted.paths[i]}
		key := sourceKey{path: path, dir: wanted.dir, scope: wanted.scope}
		included, fresh := r.read(place, "include", key, chain)
		if included == nil {
			continue
		}
		if fresh {
			r.follow(included, chain)
		}
		from.includes = append(from.includes, included)
	}
}

// inclusion reads an entry as the library does: its folder is that of the first file unless it names one, and the folder's
// `.env` counts unless it names env files. What cannot be read is reported.
func (r *reader) inclusion(from *source, node *yaml.Node) (inclusion, bool) {
	wanted := inclusion{paths: texts(node)}
	if target(node).Kind == yaml.MappingNode {
		wanted.paths = texts(entry(node, "path").value)
	}
	for _, path := range wanted.paths {
		text, ok := r.text(from, path)
		if !ok {
			return inclusion{}, false
		}
		if isRemote(text) {
			r.problems = append(r.problems, spot{source: from, value: path}.problem("include", refuseRemote(text).Error(), ""))
			return inclusion{}, false
		}
		wanted.files = append(wanted.files, absoluteIn(from.dir, text))
	}
	if len(wanted.files) == 0 {
		return inclusion{}, false
	}
	wanted.dir = filepath.Dir(wanted.files[0])
	if dir := entry(node, "project_directory").value; dir != nil {
		text, ok := r.text(from, dir)
		if !ok {
			return inclusion{}, false
		}
		wanted.dir = absoluteIn(from.dir, text)
	}
	return wanted, r.addScope(from, node, &wanted)
}

// addScope gives an inclusion the variables that its files see. Where no env file adds any they are the including file's.
func (r *reader) addScope(from *source, node *yaml.Node, wanted *inclusion) bool {
	wanted.scope = from.environment
	named := entry(node, "env_file").value
	place := spot{source: from, value: named}
	var files []string
	for _, file := range texts(named) {
		text, ok := r.text(from, file)
		if !ok {
			return false
		}
		if text != os.DevNull {
			files = append(files, absoluteIn(from.dir, text))
		}
	}
	if named == nil {
		place.value = node
		standard := filepath.Join(wanted.dir, dotenv.DotEnv)
		if info, err := os.Stat(standard); err != nil || info.IsDir() {
			return true
		}
		files = []string{standard}
	}
	variables := from.environment.variables.Clone()
	for _, file := range files {
		if _, err := readRegular(file); err != nil {
			r.problems = append(r.problems, place.problem("include", fileMessage("env file", file, err), ""))
			return false
		}
	}
	added, err := readEnvFiles(variables, files, r.folder)
	if err != nil {
		r.problems = append(r.problems, problemsOf(err)...)
		return false
	}
	if len(added) > 0 {
		wanted.scope = &scope{variables.Merge(added)}
	}
	return true
}
