package parity

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

//go:embed all:testdata
var testdata embed.FS

// corpusFile is a Compose file that both tools bring up.
type corpusFile struct {
	Name string // "ports", of ports.yaml
	Text string
	Rows []string // the attributes that it uses, sorted
	Notes
}

// Notes are what a file says about itself under x-parity.
type Notes struct {
	// Do is the command: "up" (usual) or "create", for what this machine need not be able to start.
	Do string
	// API is the least version that what the file asks for needs; on an older engine Muster has to refuse it before anything is
	// made.
	API string
	// Store is "containerd" for what only engines can that keep images in containerd's store.
	Store string
	// Privileged is for what only engines can that may run privileged containers: an old one may not where its machine keeps a
	// capability to itself.
	Privileged bool
	// Refused says why the peer does not take the file: then Muster alone brings it up, unless Both says that it refuses it too.
	Refused string
	Both    bool
	// Declined are the words, place included, with which Muster alone refuses the file, which the peer takes. The list of what is
	// intended says why.
	Declined []string
	// Env is what the environment has, beside what every run has.
	Env map[string]string
	// Profiles are switched on.
	Profiles []string
	// Networks, Volumes and Containers are there before.
	Networks, Volumes, Containers []string
}

// readCorpus reads all files of the corpus, sorted by name.
func readCorpus() ([]corpusFile, error) {
	rows, err := readRows()
	if err != nil {
		return nil, err
	}
	names, err := fs.Glob(testdata, "testdata/*.yaml")
	if err != nil {
		return nil, err
	}
	var files []corpusFile
	for _, name := range names {
		text, err := testdata.ReadFile(name)
		if err != nil {
			return nil, err
		}
		file := corpusFile{Name: strings.TrimSuffix(path.Base(name), ".yaml"), Text: string(text)}
		if err := file.parse(rows); err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		files = append(files, file)
	}
	return files, nil
}

// parse reads the notes and looks which attributes are used.
func (f *corpusFile) parse(rows attributeRows) error {
	used := map[string]bool{}
	decoder := yaml.NewDecoder(strings.NewReader(f.Text))
	var document yaml.Node
	if err := decoder.Decode(&document); err != nil {
		return err
	}
	var own struct {
		Notes Notes `yaml:"x-parity"`
	}
	if err := document.Decode(&own); err != nil {
		return err
	}
	f.Notes = own.Notes
	if f.Do == "" {
		f.Do = "up"
	}
	if f.Do != "up" && f.Do != "create" {
		return fmt.Errorf("x-parity: do: %q is neither up nor create", f.Do)
	}
	rows.use(document.Content[0], "", used)
	for row := range used {
		f.Rows = append(f.Rows, row)
	}
	slices.Sort(f.Rows)
	return nil
}

// attributeRows are the attributes of the Compose Specification and the paths that lead to them.
type attributeRows struct {
	all   []string
	known map[string]bool // and all that they begin with
	rows  map[string]bool
}

// readRows reads the list of attributes, "services.*.ports[].target": "*" stands for any name, "[]" for any place in a list.
func readRows() (attributeRows, error) {
	text, err := testdata.ReadFile("testdata/attributes.txt")
	if err != nil {
		return attributeRows{}, err
	}
	rows := attributeRows{known: map[string]bool{}, rows: map[string]bool{}}
	for line := range bytes.Lines(text) {
		row := strings.TrimSpace(string(line))
		if row == "" || strings.HasPrefix(row, "#") {
			continue
		}
		rows.all = append(rows.all, row)
		rows.rows[row] = true
		for rest := row; rest != ""; rest = shorter(rest) {
			rows.known[rest] = true
		}
	}
	return rows, nil
}

// shorter is a path without its last part.
func shorter(row string) string {
	if list, ok := strings.CutSuffix(row, "[]"); ok {
		return list
	}
	return row[:max(strings.LastIndex(row, "."), 0)]
}

// use notes the attributes that a node has below a path.
func (r attributeRows) use(node *yaml.Node, at string, used map[string]bool) {
	if r.rows[at] {
		used[at] = true
	}
	switch node.Kind {
	case yaml.AliasNode:
		r.use(node.Alias, at, used)
	case yaml.SequenceNode:
		for _, item := range node.Content {
			r.use(item, at+"[]", used)
		}
	case yaml.MappingNode:
		for i := 0; i+1 < len(node.Content); i += 2 {
			r.use(node.Content[i+1], r.below(at, node.Content[i].Value), used)
		}
	}
}

// below is the path of a key: by its own name where the specification has one, else as any name.
func (r attributeRows) below(at, key string) string {
	own, free := strings.TrimPrefix(at+"."+key, "."), at+".*"
	if !r.known[own] && r.known[free] {
		return free
	}
	return own
}

// unpack writes the corpus and the files that it names into a folder.
func unpack(folder string) error {
	root, err := fs.Sub(testdata, "testdata")
	if err != nil {
		return err
	}
	if err := os.CopyFS(folder, root); err != nil {
		return fmt.Errorf("unpack corpus: %w", err)
	}
	programs, err := filepath.Glob(filepath.Join(folder, "files", "bin", "*"))
	problems := []error{err}
	for _, program := range programs {
		const executable = 0o755 // which an embedded file has no way to be
		problems = append(problems, os.Chmod(program, executable))
	}
	return errors.Join(problems...)
}

// choose narrows the corpus to the names that are given, all where none is.
func choose(files []corpusFile, names []string) ([]corpusFile, error) {
	if len(names) == 0 {
		return files, nil
	}
	var problems []error
	var chosen []corpusFile
	for _, name := range names {
		i := slices.IndexFunc(files, func(f corpusFile) bool { return f.Name == strings.TrimSuffix(filepath.Base(name), ".yaml") })
		if i < 0 {
			problems = append(problems, fmt.Errorf("the corpus has no file %q", name))
			continue
		}
		chosen = append(chosen, files[i])
	}
	return chosen, errors.Join(problems...)
}
