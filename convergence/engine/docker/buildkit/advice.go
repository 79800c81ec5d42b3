package buildkit

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/muster-dev/muster/convergence/engine"
)

// missingFile is how BuildKit says that the context does not have what is to be copied.
var missingFile = regexp.MustCompile(`"(/[^"]*)": not found$`)

// advise says what to try, from what is known on this side.
func (j *job) advise(cause error) string {
	text := cause.Error()
	switch {
	case strings.Contains(text, "unknown cache exporter"), strings.Contains(text, "unknown scheme oci-layout"):
		return "turn on the engine's containerd image store, or build with a builder of the driver docker-container: --builder NAME"
	case strings.Contains(text, "read credentials for"):
		return "make the credential helper work that the docker CLI's configuration names, or take it out there"
	case strings.Contains(text, "429 Too Many Requests"):
		return "wait a little, or log in with `docker login`: who is known may pull more often"
	case errors.Is(cause, engine.ErrDenied):
		return "log in with `docker login`, and check the name: a registry also denies what does not exist"
	case errors.Is(cause, engine.ErrNotFound):
		return "check the name, tag and platform of the base image"
	case strings.Contains(text, "error from sender"):
		return "list what the build does not need in .dockerignore"
	case strings.Contains(text, "no space left on device"):
		return "see what takes the engine's room: docker system df"
	case strings.Contains(text, "failed to do request"), strings.Contains(text, "unexpected status from"):
		return "check that the base image's registry can be reached from the engine's host"
	}
	if match := missingFile.FindStringSubmatch(text); match != nil && j.from.folder != "" {
		return j.adviseFile(strings.TrimPrefix(match[1], "/"))
	}
	return ""
}

// adviseFile says why a file was not found in the context.
func (j *job) adviseFile(name string) string {
	path := filepath.Join(j.from.folder, filepath.FromSlash(name))
	info, err := os.Lstat(path)
	if ignored, matchErr := j.from.ignore.MatchesOrParentMatches(name); err == nil && matchErr == nil && ignored {
		return fmt.Sprintf("%s excludes it: %q is in the context, but is not sent", j.from.ignoreFile, name)
	}
	switch {
	case err == nil && info.Mode()&os.ModeSymlink != 0:
		target, _ := os.Readlink(path) // only for the words
		return fmt.Sprintf("%q is a symbolic link to %q, and links do not lead out of the context %s", name, target, j.from.folder)
	case err == nil:
		return ""
	}
	entries, _ := os.ReadDir(filepath.Dir(path)) // one that cannot be read has no suggestions
	for _, entry := range entries {
		if strings.EqualFold(entry.Name(), filepath.Base(path)) {
			return fmt.Sprintf("did you mean %q?", filepath.ToSlash(filepath.Join(filepath.Dir(name), entry.Name())))
		}
	}
	return "files are looked for in the context " + j.from.folder + "; what is outside of it cannot be copied"
}
