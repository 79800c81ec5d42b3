package software

import (
	"archive/tar"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// rootfs is the file system of an image in the making: paths without a slash in front, as they are in the image.
type rootfs struct {
	packages   string // the folder of the unpacked packages
	entries    map[string]item
	linkedWith func(file string) ([]string, error)
}

func newRootfs(packages string) rootfs {
	return rootfs{packages: packages, entries: map[string]item{}, linkedWith: linkedWith}
}

// item is a file, folder or link. A file's content is either here or in a file of a package.
type item struct {
	tar.Header
	content []byte
	from    string
}

// fill makes a recipe's file system and returns it as a tar: the same bytes for the same packages.
func (r rootfs) fill(ctx context.Context, wanted recipe) ([]byte, error) {
	if err := r.takeAll(wanted); err != nil {
		return nil, err
	}
	if err := r.addOwn(wanted); err != nil {
		return nil, err
	}
	if err := r.addSystem(ctx, wanted.User); err != nil {
		return nil, err
	}
	return r.archive()
}

// takeAll takes what the recipe wants of packages, with the libraries that it is linked with.
func (r rootfs) takeAll(wanted recipe) error {
	for _, pattern := range wanted.Take {
		found, err := r.find(pattern)
		if err != nil {
			return err
		}
		for _, file := range found {
			if err := r.take(file, wanted.Leave); err != nil {
				return err
			}
		}
	}
	for _, pattern := range wanted.Link {
		found, err := r.find(pattern)
		if err != nil {
			return err
		}
		for _, file := range found {
			r.link("usr/local/bin/"+path.Base(file), "/"+file)
		}
	}
	return r.takeLibraries()
}

// find returns what packages have under a pattern, which must be something.
func (r rootfs) find(pattern string) ([]string, error) {
	found, err := filepath.Glob(filepath.Join(r.packages, pattern))
	if err == nil && len(found) == 0 {
		err = fs.ErrNotExist
	}
	if err != nil {
		return nil, fmt.Errorf("look for %s in packages: %w", pattern, err)
	}
	for i, file := range found {
		found[i] = strings.TrimPrefix(filepath.ToSlash(file), filepath.ToSlash(r.packages)+"/")
	}
	return found, nil
}

// take takes a file, a link with what it points to, or a folder with all that is in it.
func (r rootfs) take(name string, leave []string) error {
	err := filepath.WalkDir(filepath.Join(r.packages, name), func(file string, found fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		inside := strings.TrimPrefix(file, r.packages+"/")
		if slices.ContainsFunc(leave, func(end string) bool { return strings.HasSuffix(inside, "/"+end) }) {
			if found.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		return r.takeOne(inside, found, leave)
	})
	if err != nil {
		return fmt.Errorf("take %s of packages: %w", name, err)
	}
	return nil
}

func (r rootfs) takeOne(name string, found fs.DirEntry, leave []string) error {
	info, err := found.Info()
	if err != nil {
		return err
	}
	target := merged(name)
	if _, taken := r.entries[target]; taken {
		return nil
	}
	switch source := filepath.Join(r.packages, name); {
	case info.IsDir():
		r.folder(target, info.Mode().Perm(), 0)
	case info.Mode().IsRegular():
		r.entries[target] = item{
			Header: tar.Header{Typeflag: tar.TypeReg, Mode: int64(info.Mode().Perm()), Size: info.Size()}, from: source,
		}
	case info.Mode().Type() == fs.ModeSymlink:
		to, err := os.Readlink(source)
		if err != nil {
			return err
		}
		r.link(target, to)
		return r.takeLinked(name, to, leave)
	}
	return nil
}

// takeLinked takes what a link points to, where a package has it: some point to what is made when a package is installed.
func (r rootfs) takeLinked(link, to string, leave []string) error {
	if !path.IsAbs(to) {
		to = path.Join("/", path.Dir(link), to)
	}
	for _, candidate := range []string{to[1:], merged(to[1:]), strings.TrimPrefix(to, "/usr/")} {
		if _, err := os.Lstat(filepath.Join(r.packages, candidate)); err == nil {
			return r.take(candidate, leave)
		}
	}
	return nil
}

// mergedFolders are links to those of the same name in /usr, as in every Debian since 12, though packages still have some.
func mergedFolders() []string { return []string{"bin", "lib", "lib64", "sbin"} }

func merged(name string) string {
	first, _, _ := strings.Cut(name, "/")
	if slices.Contains(mergedFolders(), first) {
		return "usr/" + name
	}
	return name
}

// addOwn adds what no package has.
func (r rootfs) addOwn(wanted recipe) error {
	for name, file := range wanted.Own {
		content, err := wanted.ownFile(file.From)
		if err != nil {
			return fmt.Errorf("read file of our own: %w", err)
		}
		r.file(name, file.Mode, content)
	}
	for name, to := range wanted.Links {
		r.link(name, to)
	}
	for name, folder := range wanted.Folders {
		owner := 0
		if folder.Own {
			owner = wanted.User.ID
		}
		r.folder(name, folder.Mode, owner)
	}
	return nil
}

func (r rootfs) file(name string, mode fs.FileMode, content []byte) {
	r.entries[name] = item{Header: tar.Header{Typeflag: tar.TypeReg, Mode: int64(mode), Size: int64(len(content))}, content: content}
}

func (r rootfs) folder(name string, mode fs.FileMode, owner int) {
	r.entries[name] = item{Header: tar.Header{Typeflag: tar.TypeDir, Mode: int64(mode), Uid: owner, Gid: owner}}
}

func (r rootfs) link(name, to string) {
	const all = 0o777
	r.entries[name] = item{Header: tar.Header{Typeflag: tar.TypeSymlink, Mode: all, Linkname: to}}
}
