package project

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strconv"
	"strings"

	"github.com/compose-spec/compose-go/v2/dotenv"
	"github.com/compose-spec/compose-go/v2/template"
	"github.com/compose-spec/compose-go/v2/types"
)

// readEnvFiles reads env files one after the other: later ones win, and may use the variables of earlier ones; the
// environment wins over all of them.
func readEnvFiles(environment types.Mapping, files []string, folder string) (types.Mapping, error) {
	variables := types.Mapping{}
	for _, file := range files {
		content, err := readFile(file)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("couldn't find env file: %s", file)
		}
		if err != nil {
			return nil, fmt.Errorf("read env file %s: %w", file, err)
		}
		lookup := func(name string) (string, bool) {
			if value, ok := environment[name]; ok {
				return value, true
			}
			value, ok := variables[name]
			return value, ok
		}
		if err := parseEnv(content, variables, lookup, ""); err != nil {
			name := displayName(folder, file)
			return nil, loadError([]Problem{envProblem(name, content, err)}, nil)
		}
	}
	return variables, nil
}

// parseEnv adds the variables of an env file. The format is the env_file attribute's: empty, or "raw" for a file whose values
// are taken as they stand, which the library leaves to its users.
func parseEnv(content []byte, variables map[string]string, lookup dotenv.LookupFn, format string) error {
	if format == "raw" {
		return parseRawEnv(content, variables, lookup)
	}
	if growsTooLarge(content) {
		return errGrowth
	}
	return dotenv.ParseWithFormat(bytes.NewReader(content), "", variables, lookup, format)
}

func parseRawEnv(content []byte, variables map[string]string, lookup dotenv.LookupFn) error {
	number := 0
	for line := range bytes.Lines(content) {
		number++
		text := strings.TrimRight(string(line), "\r\n")
		if text = strings.TrimLeft(text, " \t"); text == "" || text[0] == '#' {
			continue
		}
		name, value, found := strings.Cut(text, "=")
		if name == "" || strings.ContainsAny(name, " \t") {
			return fmt.Errorf("line %d: not a variable's name before the =", number)
		}
		if !found {
			if value, found = lookup(name); !found {
				continue
			}
		}
		variables[name] = value
	}
	return nil
}

var (
	envLine      = regexp.MustCompile(`^\s*(?:export\s+)?([\w.\-\[\]]+)\s*[=:]`)
	envReference = regexp.MustCompile(`\$\{?(\w+)`)
)

// errGrowth is what [parseEnv] returns for variables that add up to more than [maxFileSize], or are too many in one place.
var errGrowth = errors.New("its variables use each other too much")

// growsTooLarge says whether variables that use each other add up to more than a file may have, because a few lines that each
// double the one before would fill any memory; or are too many for the library, see [maxCrowd].
func growsTooLarge(content []byte) bool {
	sizes := map[string]int{}
	name, crowd := "", 0
	for line := range bytes.Lines(content) {
		count := bytes.Count(line, []byte("${"))
		if crowd += count * count; crowd > maxCrowd {
			return true
		}
		if match := envLine.FindSubmatch(line); match != nil {
			name = string(match[1])
			sizes[name] = 0
		}
		grown := sizes[name] + len(line)
		for _, reference := range envReference.FindAllSubmatch(line, -1) {
			if grown += sizes[string(reference[1])]; grown > maxFileSize {
				return true
			}
		}
		sizes[name] = grown
	}
	return false
}

var envErrorLine = regexp.MustCompile(`line (\d+): (.*)`)

// envProblem places an error of the env file parser. The parser quotes what it stumbles over, which may be a password: only
// what it says about it is kept.
func envProblem(name string, content []byte, err error) Problem {
	problem := Problem{Position: Position{File: name}, Message: "bad env file: " + envMessage(err.Error())}
	var invalid *template.InvalidTemplateError
	if errors.As(err, &invalid) {
		problem.Message, problem.Hint = "bad env file: a $ is followed by no variable", "write $$ for a $ as it is"
		return problem
	}
	match := envErrorLine.FindStringSubmatch(err.Error())
	if match == nil {
		return problem
	}
	problem.Message = "bad env file: " + envMessage(match[2])
	problem.Position.Line, _ = strconv.Atoi(match[1])
	problem.Position.Column = 1
	// The line is where the file ends; the value began where its quote is.
	if value, ok := strings.CutPrefix(match[2], unterminated+" "); ok {
		if start := bytes.LastIndex(content, []byte(value)); start >= 0 {
			at := markAt(content, start)
			problem.Position.Line, problem.Position.Column = at.line, at.column
		}
	}
	return problem
}

const unterminated = "unterminated quoted value"

// envMessage is the parser's text without what it quotes.
func envMessage(text string) string {
	switch {
	case strings.HasPrefix(text, unterminated):
		return unterminated
	case strings.HasPrefix(text, "unexpected character"):
		return "unexpected character in a variable's name"
	}
	return strings.TrimPrefix(text, "failed to read : ")
}
