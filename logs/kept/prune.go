package kept

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"
)

// file is one of a project's folder.
type file struct {
	name    string
	replica string
	at      time.Time
	size    int64
}

// list returns the files of a project's folder, the newest first. remains are what was not finished, and nobody finishes any more.
func list(folder *os.Root, now time.Time) (files []file, remains []string, err error) {
	entries, err := fs.ReadDir(folder.FS(), ".")
	if err != nil {
		return nil, nil, err
	}
	for _, one := range entries {
		info, err := one.Info()
		switch {
		case err != nil || !info.Mode().IsRegular():
			continue
		case strings.HasSuffix(one.Name(), partEnding):
			if now.Sub(info.ModTime()) > unfinished {
				remains = append(remains, one.Name())
			}
			continue
		}
		if replica, at, ok := splitName(one.Name()); ok {
			files = append(files, file{one.Name(), replica, at, info.Size()})
		}
	}
	slices.SortFunc(files, func(a, b file) int { return cmp.Or(b.at.Compare(a.at), strings.Compare(a.name, b.name)) })
	return files, remains, nil
}

// prune drops what the policy has no room for: of each replica all but the newest, of all what is old, and of what then is too much
// the oldest.
func (s *Store) prune(folder *os.Root) error {
	now := time.Now()
	files, remains, err := list(folder, now)
	if err != nil {
		return err
	}
	drop := remains
	kept := map[string]int{}
	var size int64
	for _, f := range files {
		kept[f.replica]++
		if size += f.size; kept[f.replica] > s.policy.Containers || size > s.policy.project() || now.Sub(f.at) > oldest {
			size -= f.size
			drop = append(drop, f.name)
		}
	}
	return remove(folder, drop)
}

func remove(folder *os.Root, names []string) error {
	var problems []error
	for _, name := range names {
		if err := folder.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) { // another process may have been faster
			problems = append(problems, err)
		}
	}
	return errors.Join(problems...)
}

// Sweep drops what is old of all engines and projects, and the folders that are empty then. What does not work is left.
func (s *Store) Sweep() {
	root, err := os.OpenRoot(s.root)
	if err != nil {
		return
	}
	defer root.Close() //nolint:errcheck // nothing was written through it
	for _, engine := range folders(root) {
		of, err := root.OpenRoot(engine)
		if err != nil {
			continue
		}
		for _, project := range folders(of) {
			sweepProject(of, project)
		}
		_ = of.Close()
		_ = root.Remove(engine) // fails while there is something in it
	}
}

func sweepProject(of *os.Root, project string) {
	folder, err := of.OpenRoot(project)
	if err != nil {
		return
	}
	defer folder.Close() //nolint:errcheck // nothing was written through it
	now := time.Now()
	files, drop, err := list(folder, now)
	if err != nil {
		return
	}
	for _, f := range files {
		if now.Sub(f.at) > oldest {
			drop = append(drop, f.name)
		}
	}
	_ = remove(folder, drop)
	_ = of.Remove(project) // fails while there is something in it
}

func folders(root *os.Root) (names []string) {
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return nil
	}
	for _, one := range entries {
		if one.IsDir() {
			names = append(names, one.Name())
		}
	}
	return names
}
