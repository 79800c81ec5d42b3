package buildkit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tonistiigi/fsutil"
	"github.com/tonistiigi/fsutil/types"

	"github.com/muster-dev/muster/convergence/engine"
)

const (
	// defaultDockerfile is what a Dockerfile is called where nobody says otherwise.
	defaultDockerfile = "Dockerfile"
	// inlineName is what messages call one that is written in the Compose file.
	inlineName = "dockerfile_inline"
	// maxDockerfile keeps out what is no Dockerfile.
	maxDockerfile = 4 << 20
)

// openDockerfile reads the Dockerfile, so that BuildKit sees what was checked, wherever it is: only it and its ignore file are
// shown, under the name that it has.
func (s *source) openDockerfile(request engine.BuildImage) error {
	name := cmp.Or(request.Dockerfile, defaultDockerfile)
	switch {
	case request.DockerfileInline != "":
		s.dockerfile = inlineName
		s.showDockerfile(request.Service, defaultDockerfile, []byte(request.DockerfileInline), nil)
		return s.readIgnore(nil, "")
	case s.folder == "" && !filepath.IsAbs(name):
		s.dockerfile, s.attributes["filename"] = name, name
		return nil
	}
	path := name
	if !filepath.IsAbs(name) {
		path = filepath.Join(s.folder, filepath.FromSlash(name))
	}
	content, err := readDockerfile(path)
	if errors.Is(err, fs.ErrNotExist) && name == defaultDockerfile {
		path = filepath.Join(s.folder, strings.ToLower(defaultDockerfile)) // as BuildKit has it
		content, err = readDockerfile(path)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return advised{fmt.Errorf("there is no Dockerfile %s", shown(s.folder, name)), s.suggest(name)}
	case err != nil:
		return fmt.Errorf("read Dockerfile %s: %w", shown(s.folder, name), err)
	}
	ignore, err := os.ReadFile(path + ".dockerignore")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	s.dockerfile = name
	s.showDockerfile(request.Service, filepath.Base(path), content, ignore)
	return s.readIgnore(ignore, filepath.Base(path)+".dockerignore")
}

func shown(folder, name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return fmt.Sprintf("%s in %s", name, folder)
}

func readDockerfile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, errors.New("it is a folder")
	case !info.Mode().IsRegular():
		return nil, errors.New("it is not a regular file")
	case info.Size() > maxDockerfile:
		return nil, fmt.Errorf("it has %d MB, which no Dockerfile has", info.Size()>>20)
	}
	return os.ReadFile(path)
}

func (s *source) showDockerfile(service, name string, content, ignore []byte) {
	files := memoryFS{name: content}
	if ignore != nil {
		files[name+".dockerignore"] = ignore
	}
	// Builds that share a session have a name each for their Dockerfiles, the same one at every build.
	local := dockerfileName + "-" + digest(service, s.dockerfile)[:12]
	s.offer(local, files, digest(string(content), string(ignore)))
	s.content, s.attributes["filename"], s.attributes["dockerfilekey"] = content, name, local
}

// suggest says what may have been meant by the name of a Dockerfile that is not there.
func (s *source) suggest(name string) string {
	path := name
	if !filepath.IsAbs(name) {
		if rest := s.meantFromAbove(name); rest != "" {
			return fmt.Sprintf("the path is relative to the context: did you mean %q?", rest)
		}
		path = filepath.Join(s.folder, name)
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return fmt.Sprintf("there is no folder %s", filepath.Dir(path))
	}
	var near []string
	const enough = 5
	for _, entry := range entries {
		if !entry.IsDir() && isLikeDockerfile(entry.Name()) && len(near) < enough {
			near = append(near, fmt.Sprintf("%q", filepath.ToSlash(filepath.Join(filepath.Dir(name), entry.Name()))))
		}
	}
	if len(near) == 0 {
		return "write one, or name it with dockerfile"
	}
	return "did you mean " + strings.Join(near, " or ") + "?"
}

// meantFromAbove is the end of a path that names a file in the context, where the whole path was meant from somewhere above it.
func (s *source) meantFromAbove(name string) string {
	for rest := filepath.ToSlash(name); strings.Contains(rest, "/"); {
		_, rest, _ = strings.Cut(rest, "/")
		if info, err := os.Stat(filepath.Join(s.folder, filepath.FromSlash(rest))); err == nil && info.Mode().IsRegular() {
			return rest
		}
	}
	return ""
}

func isLikeDockerfile(name string) bool {
	name = strings.ToLower(name)
	return (strings.Contains(name, "dockerfile") || strings.Contains(name, "containerfile")) && !strings.HasSuffix(name, ".dockerignore")
}

// memoryFS is a folder of a few files.
type memoryFS map[string][]byte

// Walk implements fsutil.FS.
func (m memoryFS) Walk(_ context.Context, target string, visit fs.WalkDirFunc) error {
	target = m.clean(target)
	for _, name := range slices.Sorted(maps.Keys(m)) {
		if target != "" && target != name {
			continue
		}
		const readable = 0o644
		err := visit(name, &fsutil.DirEntryInfo{Stat: &types.Stat{
			Path: name, Mode: readable, Size: int64(len(m[name])), ModTime: contentTime(m[name]),
		}}, nil)
		if err != nil && !errors.Is(err, fs.SkipDir) {
			return err
		}
	}
	return nil
}

// contentTime is a time of change that differs where the content does: BuildKit takes files of the same name, size and time for
// the same, and builds of several Dockerfiles share what it remembers of a context.
func contentTime(content []byte) int64 {
	const inSomeYear = 1_000_000_000 * int64(time.Second)
	sum := fnv.New64a()
	_, _ = sum.Write(content)
	return inSomeYear + int64(sum.Sum64()%uint64(inSomeYear)) //nolint:gosec // it is smaller
}

// clean is the name that a path means; empty for the folder.
func (memoryFS) clean(path string) string {
	return strings.TrimPrefix(filepath.ToSlash(filepath.Clean("/"+path)), "/")
}

// Open implements fsutil.FS.
func (m memoryFS) Open(name string) (io.ReadCloser, error) {
	content, ok := m[m.clean(name)]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return io.NopCloser(strings.NewReader(string(content))), nil
}
