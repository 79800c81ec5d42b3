package transfer

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// end is what is known of one end of a copy.
type end struct {
	path string // as the engine or the system is asked for it
	name string // its last part, as the user has typed it

	exists, folder bool
	asFolder       bool // it ends in a slash: it has to be one
	content        bool // it ends in "/.": what is in the folder
}

func endOf(typed string, base func(string) string) end {
	e := end{path: typed, name: base(strings.TrimSuffix(typed, "/."))}
	e.content = strings.HasSuffix(typed, "/.") || typed == "."
	e.asFolder = e.content || strings.HasSuffix(typed, "/")
	if e.name == "/" || e.name == "." {
		e.content = true
	}
	return e
}

// rooted is a path in a container from its root, with what it ends in.
func rooted(typed string) string {
	clean := path.Join("/", typed)
	switch {
	case clean == "/":
	case strings.HasSuffix(typed, "/."):
		clean += "/."
	case strings.HasSuffix(typed, "/"):
		clean += "/"
	}
	return clean
}

// settle says where a source goes: within the destination, which is a folder then, or in its place; and under which name, "." for the
// content of a folder.
func settle(from, to end) (within bool, name string, err error) {
	switch {
	case to.exists && to.folder && from.folder && from.content:
		return true, ".", nil
	case to.exists && to.folder:
		return true, from.name, nil
	case to.exists && from.folder:
		return false, "", fmt.Errorf("cannot copy a folder to %q, which is a file", to.path)
	case to.exists && to.asFolder:
		return false, "", fmt.Errorf("%q is no folder", to.path)
	case to.asFolder && !from.folder:
		return false, "", fmt.Errorf("there is no folder %q", to.path)
	}
	return false, to.name, nil
}

// localSource looks at what is to be copied from here.
func localSource(place Place, follow bool) (end, error) {
	from := endOf(filepath.ToSlash(place.Path), path.Base)
	from.path = filepath.Clean(place.Local)
	if from.name == ".." {
		from.name = filepath.Base(from.path)
	}
	info, err := os.Lstat(from.path)
	if err == nil && info.Mode()&fs.ModeSymlink != 0 && (follow || from.asFolder) {
		if from.path, err = filepath.EvalSymlinks(from.path); err == nil {
			info, err = os.Stat(from.path)
		}
	}
	switch {
	case err != nil:
		return from, err
	case info.Mode()&fs.ModeSocket != 0:
		return from, fmt.Errorf("%q is a socket, which is nothing without its process", place.Path)
	case !info.IsDir() && from.asFolder:
		return from, fmt.Errorf("%q is no folder", place.Path)
	}
	from.exists, from.folder = true, info.IsDir()
	return from, nil
}

// localDestination looks at where something is to go here. A symbolic link stands for what it leads to.
func localDestination(place Place) (end, error) {
	to := endOf(filepath.ToSlash(place.Path), path.Base)
	to.path = filepath.Clean(place.Local)
	for range maxLinks {
		info, err := os.Lstat(to.path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			to.name = filepath.Base(to.path)
			return to, nil
		case err != nil:
			return to, err
		case info.Mode()&fs.ModeSymlink == 0:
			to.name, to.exists, to.folder = filepath.Base(to.path), true, info.IsDir()
			if !info.IsDir() && !info.Mode().IsRegular() {
				return to, fmt.Errorf("%q is neither a folder nor a file; - stands for the output", place.Path)
			}
			return to, nil
		}
		link, err := os.Readlink(to.path)
		if err != nil {
			return to, err
		}
		if !filepath.IsAbs(link) {
			link = filepath.Join(filepath.Dir(to.path), link)
		}
		to.path = link
	}
	return to, fmt.Errorf("%q: too many symbolic links", place.Path)
}
