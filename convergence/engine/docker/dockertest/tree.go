package dockertest

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/muster-dev/muster/convergence/engine/docker/testbox"
)

// node is a file, a folder or a symbolic link.
type node struct {
	name     string // absolute
	mode     fs.FileMode
	uid, gid int
	content  []byte
	link     string
}

// modified is when all files of this engine were.
func modified() time.Time { return time.Unix(1_000_000_000, 0).UTC() }

// resolve follows symbolic links, the last part of the path too.
func (v view) resolve(name string) string {
	const most = 16
	name = path.Clean(name)
	for range most {
		next := v.followOnce(name)
		if next == name {
			break
		}
		name = next
	}
	return name
}

// resolveParent follows those on the way to the last part.
func (v view) resolveParent(name string) string {
	return path.Join(v.resolve(path.Dir(name)), path.Base(name))
}

// followOnce puts what the first symbolic link in a path leads to in its place.
func (v view) followOnce(name string) string {
	for end := 1; end <= len(name); end++ {
		if end < len(name) && name[end] != '/' {
			continue
		}
		if link, ok := v.readLink(name[:end]); ok {
			if !path.IsAbs(link) {
				link = path.Join(path.Dir(name[:end]), link)
			}
			return path.Join(link, name[end:])
		}
	}
	return name
}

func (v view) readLink(name string) (string, bool) {
	m, inside := v.find(name)
	if m != nil && m.files == nil {
		return "", false
	}
	store := v.own
	if m != nil {
		store = m.files
	}
	store.mutex.Lock()
	defer store.mutex.Unlock()
	link, ok := store.links[inside]
	return link, ok
}

// look is what is at a path; links on the way to it are followed.
func (v view) look(name string) (node, bool) {
	name = v.resolveParent(name)
	for _, n := range v.tree(name) {
		if n.name == name {
			return n, true
		}
	}
	return node{}, false
}

// tree is what is at a path and all that is below, parents first. What else is mounted below is not seen.
func (v view) tree(name string) []node {
	m, inside := v.find(name)
	switch {
	case m != nil && m.files == nil:
		return hostTree(path.Join(m.point.Source, inside), name)
	case m != nil:
		return m.files.tree(inside, name, nil)
	}
	return v.own.tree(inside, name, v.image)
}

// tree is that of a store over an image's files; inside is the path in the store and name what the container calls it.
func (f *files) tree(inside, name string, image map[string][]byte) []node {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	const forAllFolders = 0o755
	g := grove{root: inside, nodes: map[string]node{}}
	if inside == "/" || image != nil && slices.Contains(usualFolders(), inside) {
		g.add(inside, node{mode: fs.ModeDir | forAllFolders})
	}
	for at, content := range image {
		g.add(at, node{mode: fs.FileMode(usualStat().Mode), content: content})
	}
	for at, stat := range f.folders {
		g.add(at, node{mode: fs.ModeDir | fs.FileMode(stat.Mode), uid: stat.UID, gid: stat.GID})
	}
	for at, content := range f.content {
		stat, ok := f.stats[at]
		if !ok {
			stat = usualStat()
		}
		g.add(at, node{mode: fs.FileMode(stat.Mode), uid: stat.UID, gid: stat.GID, content: content})
	}
	for at, link := range f.links {
		g.add(at, node{mode: fs.ModeSymlink | fs.ModePerm, link: link})
	}
	var nodes []node
	for _, at := range slices.Sorted(maps.Keys(g.nodes)) {
		n := g.nodes[at]
		n.name = path.Join(name, strings.TrimPrefix(at, inside))
		nodes = append(nodes, n)
	}
	return nodes
}

// grove collects what is at a path and below it.
type grove struct {
	root  string
	nodes map[string]node
}

// add takes what is there, with the folders on the way to it.
func (g grove) add(at string, n node) {
	const forAllFolders = 0o755
	if at != g.root && !strings.HasPrefix(at, strings.TrimSuffix(g.root, "/")+"/") {
		return
	}
	for g.nodes[at] = n; at != g.root; {
		at = path.Dir(at)
		if _, known := g.nodes[at]; !known {
			g.nodes[at] = node{mode: fs.ModeDir | forAllFolders}
		}
	}
}

// hostTree is that of a bind.
func hostTree(folder, name string) []node {
	var nodes []node
	_ = filepath.WalkDir(folder, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		n := node{name: path.Join(name, strings.TrimPrefix(file, folder)), mode: info.Mode()}
		switch {
		case n.mode.IsRegular():
			n.content, err = os.ReadFile(file)
		case n.mode&fs.ModeSymlink != 0:
			n.link, err = os.Readlink(file)
		}
		nodes = append(nodes, n)
		return err
	})
	return nodes
}

// place puts a node where it belongs. A folder and something else never take each other's place.
func (v view) place(n node) error {
	n.name = v.resolveParent(n.name)
	old, exists := v.look(n.name)
	switch {
	case exists && old.mode.IsDir() && !n.mode.IsDir():
		return fmt.Errorf("cannot overwrite directory %q with non-directory %q", n.name, path.Dir(n.name))
	case exists && !old.mode.IsDir() && n.mode.IsDir():
		return fmt.Errorf("cannot overwrite non-directory %q with directory %q", n.name, path.Dir(n.name))
	}
	stat := testbox.FileStat{UID: n.uid, GID: n.gid, Mode: uint32(n.mode.Perm())}
	if n.mode.IsRegular() {
		return v.put(n.name, n.content, stat)
	}
	m, inside := v.find(n.name)
	switch {
	case m == nil && !v.readOnly:
		v.own.placeOther(inside, n, stat)
	case m == nil || !m.point.RW:
		return fmt.Errorf("open %s: read-only file system", n.name)
	case m.files != nil:
		m.files.placeOther(inside, n, stat)
	case n.mode.IsDir():
		return os.MkdirAll(path.Join(m.point.Source, inside), n.mode.Perm())
	default:
		return os.Symlink(n.link, path.Join(m.point.Source, inside))
	}
	return nil
}

// placeOther puts a folder or a link.
func (f *files) placeOther(name string, n node, stat testbox.FileStat) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	if n.mode.IsDir() {
		f.folders[name] = stat
		return
	}
	delete(f.content, name)
	f.links[name] = n.link
}

func (v view) isFile(name string) bool {
	found, ok := v.look(v.resolve(name))
	return ok && !found.mode.IsDir()
}
