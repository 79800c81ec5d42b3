package project_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/muster-dev/muster/project"
)

// FuzzLoad loads any text. It must not panic or hang; errors have a text without control characters; and what loads must also
// pass compose-go's own checks, dependency cycles excepted.
func FuzzLoad(f *testing.F) {
	archives, err := filepath.Glob("testdata/load/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range archives {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range archive.Files {
			if strings.HasSuffix(file.Name, ".yaml") {
				f.Add(file.Data)
			}
		}
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, content []byte) {
		options := project.Options{
			Dir: dir, Name: "fuzz", Files: []string{"-"}, Stdin: strings.NewReader(string(content)), Env: []string{"SET=1"},
		}
		loaded, err := project.Load(t.Context(), options)
		if err != nil {
			checkErrorText(t, err)
			return
		}
		for _, warning := range loaded.Warnings {
			checkErrorText(t, errors.New(warning.String()))
		}
		if err := composeLoads(t.Context(), dir, content); err != nil && !strings.Contains(err.Error(), "dependency cycle") {
			t.Errorf("compose-go refuses what Load takes: %v", err)
		}
	})
}

func checkErrorText(t *testing.T, err error) {
	t.Helper()
	text := strings.ReplaceAll(err.Error(), "\n", "")
	if text == "" {
		t.Error("an error without text")
	}
	for _, r := range text {
		if !unicode.IsPrint(r) {
			t.Errorf("%q has %q in it", text, r)
		}
	}
}

func composeLoads(ctx context.Context, dir string, content []byte) error {
	_, err := loader.LoadWithContext(ctx, types.ConfigDetails{
		WorkingDir:  dir,
		ConfigFiles: []types.ConfigFile{{Filename: "-", Content: content}},
		Environment: types.Mapping{"SET": "1", "PWD": dir},
	}, func(options *loader.Options) { options.SetProjectName("fuzz", true) })
	return err
}
