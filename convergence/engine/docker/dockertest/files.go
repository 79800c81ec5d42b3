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

	"github.com/muster-dev/muster/convergence/engine/docker/testbox"
)

// files is a small store of files by absolute path.
type files struct {
	mutex   sync.Mutex
	content map[string][]byte
	stats   map[string]testbox.FileStat // of those that came in an archive
	folders map[string]testbox.FileStat // that came in an archive
	links   map[string]string           // symbolic ones
}

func newFiles() *files {
	return &files{
		content: map[string][]byte{}, stats: map[string]testbox.FileStat{}, folders: map[string]testbox.FileStat{}, links: map[string]string{},
	}
}

// usualStat is what a file has of which nobody said more.
func usualStat() testbox.FileStat {
	const mode = 0o644
	return testbox.FileStat{Mode: mode}
}

func (f *files) stat(name string) (testbox.FileStat, bool) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	if stat, ok := f.stats[name]; ok {
		return stat, true
	}
	_, ok := f.content[name]
	return usualStat(), ok
}

// own says whose a file is that was just written.
func (f *files) own(name string, stat testbox.FileStat) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.stats[name] = stat
}

// has says whether there is a file, or a folder with one in it.
func (f *files) has(name string) bool {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	return holds(f.content, name) || holds(f.folders, name)
}

// holds says whether a path is a file or a folder.
func holds[T any](content map[string]T, name string) bool {
	if name == "/" {
		return true
	}
	for file := range content {
		if file == name || strings.HasPrefix(file, name+"/") {
			return true
		}
	}
	return false
}

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
	delete(f.links, name)
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
	m, inside := v.find(v.resolve(name))
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

// Stat is testbox's. What is bound from the host has the owners that the engine sees there; here nobody looks.
func (v view) Stat(name string) (testbox.FileStat, error) {
	m, inside := v.find(v.resolve(name))
	store := v.own
	if m != nil {
		store = m.files
	}
	if store != nil {
		if stat, ok := store.stat(inside); ok {
			return stat, nil
		}
	}
	_, err := v.ReadFile(name)
	return usualStat(), err
}

// hasFolder says whether there is a folder in the container, as far as this engine knows folders: by what is in them, or because
// every image has them.
func (v view) hasFolder(name string) bool {
	m, inside := v.find(name)
	switch {
	case m == nil:
		return v.own.has(inside) || holds(v.image, inside) || slices.Contains(usualFolders(), inside)
	case m.files == nil:
		info, err := os.Stat(path.Join(m.point.Source, inside))
		return err == nil && info.IsDir()
	}
	return m.files.has(inside)
}

// usualFolders are in every image.
func usualFolders() []string { return []string{"/etc", "/home", "/run", "/tmp", "/usr", "/var"} }

// put writes a file with an owner.
func (v view) put(name string, content []byte, stat testbox.FileStat) error {
	if err := v.WriteFile(name, content); err != nil {
		return err
	}
	m, inside := v.find(name)
	switch {
	case m == nil:
		v.own.own(inside, stat)
	case m.files != nil:
		m.files.own(inside, stat)
	}
	return nil
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
