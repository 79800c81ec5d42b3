package display

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// schemas are the published forms of what is written as JSON, by the name that the documents carry: "muster.plan/1" is plan.json.
//
//go:embed schemas/*.json
var schemas embed.FS

// Schema is the JSON Schema of that name.
func Schema(name string) ([]byte, error) {
	file, _, _ := strings.Cut(strings.TrimPrefix(name, "muster."), "/")
	return schemas.ReadFile("schemas/" + file + ".json")
}

// WriteSchema writes the JSON Schema of that name.
func WriteSchema(w io.Writer, name string) error {
	text, err := Schema(name)
	if err == nil {
		_, err = w.Write(text)
	}
	return err
}

// Validate says whether a document is as the schema of that name has it. The error names one place where it is not.
func Validate(name string, document []byte) error {
	text, err := Schema(name)
	if err != nil {
		return err
	}
	schema, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return fmt.Errorf("read schema %s: %w", name, err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource(name, schema); err != nil {
		return fmt.Errorf("read schema %s: %w", name, err)
	}
	compiled, err := compiler.Compile(name)
	if err != nil {
		return fmt.Errorf("read schema %s: %w", name, err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(document))
	if err != nil {
		return err
	}
	if err := compiled.Validate(value); err != nil {
		return firstInvalid(err)
	}
	return nil
}

// firstInvalid is the first place at which a document is wrong, of which the library lists all below each other.
func firstInvalid(err error) error {
	const most = 200
	_, places, _ := strings.Cut(err.Error(), "\n")
	place, _, _ := strings.Cut(strings.TrimLeft(places, "- "), "\n")
	return errors.New(cut(place, most))
}
