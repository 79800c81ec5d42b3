package display

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"text/template"
	"unicode/utf8"
)

// Form is how a list is written: as its own table, as JSON, or by a Go template of the user's.
type Form struct {
	// JSON asks for what machines read.
	JSON bool

	template *template.Template // nil for the list's own table, and for JSON
	headed   bool               // the template's columns line up under a header
}

// Table says whether the list's own table is asked for.
func (f Form) Table() bool { return !f.JSON && f.template == nil }

// ParseForm reads what --format takes of a list: table or nothing, json, a template with the docker CLI's functions, or "table "
// and a template.
func ParseForm(text string) (Form, error) {
	const table = "table"
	switch strings.ToLower(text) {
	case "", table, "pretty":
		return Form{}, nil
	case "json":
		return Form{JSON: true}, nil
	}
	written, headed := strings.CutPrefix(text, table+" ")
	if !strings.Contains(written, "{{") {
		return Form{}, fmt.Errorf("unsupported --format value %q: use table, json or a Go template such as '{{.Name}}'", text)
	}
	parsed, err := ParseTemplate(written)
	return Form{template: parsed, headed: headed}, err
}

// ParseTemplate reads a Go template of the user's, with the docker CLI's functions and its ways to write tabs and ends of lines.
func ParseTemplate(written string) (*template.Template, error) {
	written = strings.NewReplacer(`\t`, "\t", `\n`, "\n").Replace(strings.TrimSpace(written))
	parsed, err := template.New("").Funcs(templateFunctions()).Parse(written)
	if err != nil {
		return nil, fmt.Errorf("template parsing error: %w", err)
	}
	return parsed, nil
}

// headers are what a template's columns are called, by the field that is in them.
type headers map[string]string

// Label is the header of a column with a label: the last part of its name.
func (headers) Label(name string) string {
	return strings.NewReplacer("-", " ", "_", " ").Replace(name[strings.LastIndex(name, ".")+1:])
}

// labelled are the labels of something in a list, which a template asks for by name.
type labelled map[string]string

// Label is the value of a label; empty where there is none.
func (l labelled) Label(name string) string { return l[name] }

// writeForm writes the objects of a list by a template. What they say of others is made harmless.
func writeForm[T any](w io.Writer, form Form, names headers, objects []T) error {
	const narrowest, tab, gap = 10, 1, 3 // the docker CLI's
	out := tabwriter.NewWriter(w, narrowest, tab, gap, ' ', 0)
	if form.headed {
		header, err := form.template.Clone()
		if err == nil {
			err = header.Funcs(headerFunctions()).Execute(out, names)
		}
		if err != nil {
			return fmt.Errorf("write header by --format: %w", err)
		}
		_, _ = fmt.Fprintln(out)
	}
	for _, object := range objects {
		var line bytes.Buffer
		if err := form.template.Execute(&line, object); err != nil {
			return fmt.Errorf("write by --format: %w", err)
		}
		_, _ = fmt.Fprintln(out, harmlessLayout(line.String()))
	}
	return out.Flush()
}

// harmlessLayout makes text harmless but for the tabs and ends of lines that lay it out.
func harmlessLayout(text string) string {
	var b strings.Builder
	for rest := text; rest != ""; {
		end := strings.IndexAny(rest, "\t\n")
		if end < 0 {
			end = len(rest)
		}
		b.WriteString(harmless(rest[:end]))
		if end < len(rest) {
			b.WriteByte(rest[end])
			end++
		}
		rest = rest[end:]
	}
	return b.String()
}

// templateFunctions are the docker CLI's.
func templateFunctions() template.FuncMap {
	return template.FuncMap{
		"json": func(value any) (string, error) {
			var text bytes.Buffer
			encoder := json.NewEncoder(&text)
			encoder.SetEscapeHTML(false)
			err := encoder.Encode(value)
			return strings.TrimSpace(text.String()), err
		},
		"split": strings.Split, "join": strings.Join, "lower": strings.ToLower, "upper": strings.ToUpper,
		"title": func(text string) string {
			_, first := utf8.DecodeRuneInString(text)
			return strings.ToUpper(text[:first]) + text[first:]
		},
		"pad": func(text string, before, after int) string {
			if text == "" {
				return ""
			}
			return strings.Repeat(" ", before) + text + strings.Repeat(" ", after)
		},
		"truncate": func(text string, length int) string {
			runes := []rune(text)
			return string(runes[:max(0, min(length, len(runes)))])
		},
	}
}

// headerFunctions take the place of those: a column's name is not changed as its values are.
func headerFunctions() template.FuncMap {
	return template.FuncMap{
		"json":  func(name string) string { return name },
		"split": func(name, _ string) string { return name }, "join": func(name, _ string) string { return name },
		"title": func(name string) string { return name }, "lower": func(name string) string { return name },
		"upper":    func(name string) string { return name },
		"pad":      func(name string, _, _ int) string { return name },
		"truncate": func(name string, _ int) string { return name },
	}
}
