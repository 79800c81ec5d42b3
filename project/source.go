package project

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"
	"go.yaml.in/yaml/v4"
)

// What files may be at most. The limits are far above what people write; they keep a hostile file from costing more than a
// moment. The size counts before anything is parsed, depth and values before anything walks the tree.
const (
	maxFileSize = 4 << 20
	maxDepth    = 100
	maxValues   = 300_000 // keys included, aliases followed
	maxSquares  = 400_000_000
	maxFiles    = 1000
)

const (
	tooLarge      = "file is larger than 4 MB"
	tooDeep       = "nested deeper than 100 levels"
	tooManyValues = "holds more than 300000 values, aliases followed"
	tooManyKeys   = "has too many keys"
)

// stdin is the file name that stands for standard input.
const stdin = "-"

// source is one Compose file: its text, its nodes, and what it leads to.
type source struct {
	name        string // as messages have it
	path        string // absolute, or [stdin]
	identity    string // the path without symbolic links, to recognise the file by
	dir         string // what paths of include and extends in it are relative to
	environment *scope
	content     []byte
	documents   []*yaml.Node
	services    map[string]pair
	main        bool // named by options, environment or discovery; not included or extended
	extended    bool // read for a service that another file extends
	broken      bool // not all of it could be read
	includes    []*source
	bases       map[string]base // what each service extends
}

// scope is the variables that a file sees. Files that see the same share one.
type scope struct{ variables types.Mapping }

// base is what a service extends.
type base struct {
	source  *source
	service string
	node    *yaml.Node // where the service says so
}

// newSource parses a file. Documents that must not be walked are left out; the problems say why.
func newSource(name, path string, content []byte) (*source, []Problem) {
	read := &source{
		name: name, path: path, identity: realPath(path), content: content,
		services: map[string]pair{}, bases: map[string]base{},
	}
	documents, err := parse(content)
	var problems []Problem
	if err != nil {
		problems = append(problems, syntaxProblem(name, content, err))
	}
	values := 0
	measurer := measurer{sizes: map[*yaml.Node]size{}, open: map[*yaml.Node]bool{}}
	for _, document := range documents {
		total, wrong := measurer.measure(document, 0)
		if values += total.values; wrong == nil && values > maxValues {
			wrong = &fault{document, tooManyValues}
		}
		if wrong != nil {
			problems = append(problems, spot{source: read, value: wrong.node}.problem("", wrong.message, ""))
			continue
		}
		read.documents = append(read.documents, document)
		for _, service := range pairs(entry(document, "services").value) {
			read.services[service.key.Value] = service
		}
	}
	read.broken = len(problems) > 0
	return read, problems
}

// parse reads all documents of a file; those before an error are returned with it.
func parse(content []byte) ([]*yaml.Node, error) {
	var documents []*yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	for {
		var document yaml.Node
		err := decoder.Decode(&document)
		if errors.Is(err, io.EOF) {
			return documents, nil
		}
		if err != nil {
			return documents, err
		}
		documents = append(documents, document.Content...)
	}
}

// spot is a node and, where it is a mapping's value, its key.
type spot struct {
	source     *source
	key, value *yaml.Node
}

// position is where the thing itself begins: the key of an entry, the value of a list item.
func (s spot) position() (Position, int) {
	if s.key != nil {
		return s.of(s.key)
	}
	return s.valuePosition()
}

// valuePosition is where the value begins.
func (s spot) valuePosition() (Position, int) {
	if s.value == nil || s.key != nil && s.value.Line == 0 {
		return s.of(s.key)
	}
	return s.of(s.value)
}

func (s spot) of(node *yaml.Node) (Position, int) {
	if s.source == nil || node == nil {
		return Position{}, 0
	}
	length := 0
	if node.Kind == yaml.ScalarNode && !strings.Contains(node.Value, "\n") {
		length = len([]rune(node.Value))
		if node.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0 {
			length += len(`""`)
		}
	}
	return Position{File: s.source.name, Line: node.Line, Column: node.Column}, length
}

// problem is a problem with the thing at the spot.
func (s spot) problem(path, message, hint string) Problem {
	position, length := s.position()
	return Problem{Position: position, Path: path, Message: message, Hint: hint, Length: length}
}

// valueProblem is a problem with the value at the spot.
func (s spot) valueProblem(path, message, hint string) Problem {
	position, length := s.valuePosition()
	return Problem{Position: position, Path: path, Message: message, Hint: hint, Length: length}
}

// readFile reads a regular file, or as much of anything else as may be, up to the limit.
func readFile(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	return readLimited(file)
}

// errTooLarge is what [readLimited] returns for more than [maxFileSize].
var errTooLarge = errors.New(tooLarge)

func readLimited(reader io.Reader) ([]byte, error) {
	content, err := io.ReadAll(io.LimitReader(reader, maxFileSize+1))
	if err != nil {
		return nil, err
	}
	if len(content) > maxFileSize {
		return nil, errTooLarge
	}
	return content, nil
}

// readRegular reads a file that must be one: others could block or never end, and the library reads them a second time.
func readRegular(path string) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, fmt.Errorf("%s is a directory", path)
	case !info.Mode().IsRegular() && path != os.DevNull:
		return nil, fmt.Errorf("%s is not a regular file", path)
	case info.Size() > maxFileSize:
		return nil, errTooLarge
	}
	return readFile(path)
}

// realPath is a path without symbolic links, or as it is where nothing is there.
func realPath(path string) string {
	if resolved, err := filepath.EvalSymlinks(path); err == nil && path != stdin {
		return resolved
	}
	return path
}

// displayName is what messages call a file: relative to the folder where it is below it, else absolute.
func displayName(folder, path string) string {
	if path == stdin {
		return "<stdin>"
	}
	name, err := filepath.Rel(folder, path)
	if err != nil || name == ".." || strings.HasPrefix(name, ".."+string(filepath.Separator)) {
		name = path
	}
	return clean(name)
}
