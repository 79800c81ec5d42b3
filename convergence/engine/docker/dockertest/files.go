package dockertest

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
)

// files is a small store of files by absolute path.
type files struct {
	mutex   sync.Mutex
	content map[string][]byte
}

func newFiles() *files { return &files{content: map[string][]byte{}} }

func (f *files) read(name string) ([]byte, bool) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	content, ok := f.content[name]
	return slices.Clone(content), ok
}

func (f *files) write(name string, content []byte) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.content[name] = slices.Clone(content)
}

// fill puts files into an empty store, as the engine fills an empty volume with what the image has in its place.
func (f *files) fill(content map[string][]byte) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	if len(f.content) == 0 {
		maps.Copy(f.content, content)
	}
}

// view is a container's file system: its mounts, over what was written into it, over the image's files.
type view struct {
	mounts   []*mount
	own      *files
	image    map[string][]byte
	readOnly bool // outside of mounts
}

// find is the mount that a path is in, nil for the container's own files, and the path within it.
func (v view) find(name string) (*mount, string) {
	name = path.Clean(name)
	var best *mount
	for _, m := range v.mounts {
		target := path.Clean(m.point.Destination)
		if (name == target || strings.HasPrefix(name, strings.TrimSuffix(target, "/")+"/")) &&
			(best == nil || len(target) > len(best.point.Destination)) {
			best = m
		}
	}
	if best == nil {
		return nil, name
	}
	return best, path.Join("/", best.subpath, strings.TrimPrefix(name, path.Clean(best.point.Destination)))
}

// ReadFile implements testbox.Files.
func (v view) ReadFile(name string) ([]byte, error) {
	m, inside := v.find(name)
	if m != nil && m.files == nil {
		return os.ReadFile(path.Join(m.point.Source, inside))
	}
	store := v.own
	if m != nil {
		store = m.files
	}
	if content, ok := store.read(inside); ok {
		return content, nil
	}
	if content, ok := v.image[inside]; ok && m == nil {
		return content, nil
	}
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

// WriteFile implements testbox.Files. Binds are real files.
func (v view) WriteFile(name string, content []byte) error {
	const forAll, forAllFolders = 0o644, 0o755
	m, inside := v.find(name)
	switch {
	case m == nil && !v.readOnly:
		v.own.write(inside, content)
	case m == nil || !m.point.RW:
		return fmt.Errorf("open %s: read-only file system", name)
	case m.files == nil:
		if err := os.MkdirAll(m.point.Source, forAllFolders); err != nil { // where it was missing, the engine has made it
			return err
		}
		return os.WriteFile(path.Join(m.point.Source, inside), content, forAll)
	default:
		m.files.write(inside, content)
	}
	return nil
}
