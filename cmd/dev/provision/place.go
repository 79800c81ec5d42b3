package provision

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Repository is the folder above the current one, or that one, that has the module's go.mod.
func Repository() (string, error) {
	here, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find repository: %w", err)
	}
	for folder := here; ; folder = filepath.Dir(folder) {
		_, err := os.Stat(filepath.Join(folder, "go.mod"))
		if err == nil {
			return folder, nil
		}
		if !errors.Is(err, fs.ErrNotExist) || folder == filepath.Dir(folder) {
			return "", fmt.Errorf("find repository: no go.mod in %s or above", here)
		}
	}
}

// Cache is the folder that keeps what is fetched and made, an absolute path: what MUSTER_CACHE says, or .cache in the repository.
func Cache(repository string, env func(string) string) (string, error) {
	given := env("MUSTER_CACHE")
	if given == "" {
		return filepath.Join(repository, ".cache"), nil
	}
	folder, err := filepath.Abs(given)
	if err != nil {
		return "", fmt.Errorf("find cache folder: %w", err)
	}
	return folder, nil
}
