package transfer

import (
	"archive/tar"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"time"
)

func (c Copy) toHere(from end, archive io.Reader) error {
	to, err := localDestination(c.To)
	if err != nil {
		return err
	}
	within, name, err := settle(from, to)
	if err != nil {
		return err
	}
	folder := to.path
	if !within {
		folder = filepath.Dir(to.path)
	}
	// A Root holds everything that is done below it to the folder, whatever symbolic links there are or come with the archive.
	root, err := os.OpenRoot(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no folder %q", folder)
	} else if err != nil {
		return err
	}
	defer root.Close() //nolint:errcheck // nothing was written through it
	u := &unpacker{root: root, keepOwners: c.KeepOwners, warn: c.warn()}
	return u.unpack(archive, rootOf(from), name)
}

// unpacker extracts an archive in a folder.
type unpacker struct {
	root       *os.Root
	keepOwners bool
	warn       func(string)
	denied     bool // owners cannot be kept, which was told
	folders    []folderEnd
}

// folderEnd is what a folder gets when all that is in it has been written: it may not be writable then.
type folderEnd struct {
	name     string
	mode     fs.FileMode
	modified time.Time
}

func (u *unpacker) unpack(r io.Reader, root, name string) error {
	for archive := tar.NewReader(r); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return u.finishFolders()
		} else if err != nil {
			return fmt.Errorf("read archive: %w", err)
		}
		if err := renameHeader(header, root, name); err != nil {
			return err
		}
		if header.Name = path.Clean(header.Name); header.Name == "." {
			continue // it is there, and stays as it is
		}
		if err := u.one(header, archive); err != nil {
			return err
		}
	}
}

// one writes an entry. A folder and something else never take each other's place.
func (u *unpacker) one(header *tar.Header, content io.Reader) error {
	old, err := u.root.Lstat(header.Name)
	isFolder := header.Typeflag == tar.TypeDir
	switch {
	case errors.Is(err, fs.ErrNotExist):
		const forAll = 0o755
		if err := u.root.MkdirAll(path.Dir(header.Name), forAll); err != nil {
			return err
		}
	case err != nil:
		return err
	case old.IsDir() && !isFolder:
		return fmt.Errorf("cannot put a file in place of the folder %q", u.path(header.Name))
	case !old.IsDir() && isFolder:
		return fmt.Errorf("cannot put a folder in place of the file %q", u.path(header.Name))
	}
	switch header.Typeflag {
	case tar.TypeDir:
		return u.folder(header)
	case tar.TypeReg:
		return u.replace(header, func(name string) error { return u.write(name, content) })
	case tar.TypeSymlink:
		return u.replace(header, func(name string) error { return u.root.Symlink(header.Linkname, name) })
	case tar.TypeLink:
		return u.replace(header, func(name string) error { return u.root.Link(header.Linkname, name) })
	}
	u.warn(fmt.Sprintf("%s is left out: it is a device or a pipe", u.path(header.Name)))
	return nil
}

func (u *unpacker) path(name string) string { return filepath.Join(u.root.Name(), name) }

func (u *unpacker) folder(header *tar.Header) error {
	const whileFilled = 0o700
	if err := u.root.MkdirAll(header.Name, header.FileInfo().Mode().Perm()|whileFilled); err != nil {
		return err
	}
	if err := u.own(header.Name, header); err != nil {
		return err
	}
	u.folders = append(u.folders, folderEnd{header.Name, u.mode(header), header.ModTime})
	return nil
}

// replace puts something under a name of its own, beside where it belongs, and moves it there when it is whole.
func (u *unpacker) replace(header *tar.Header, put func(name string) error) error {
	beside := path.Join(path.Dir(header.Name), ".muster-"+rand.Text())
	err := put(beside)
	if err == nil && header.Typeflag != tar.TypeLink {
		err = u.own(beside, header)
	}
	if err == nil && header.Typeflag == tar.TypeReg {
		err = errors.Join(u.root.Chmod(beside, u.mode(header)), u.root.Chtimes(beside, time.Time{}, header.ModTime))
	}
	if err == nil {
		err = u.root.Rename(beside, header.Name)
	}
	if err != nil {
		_ = u.root.Remove(beside)
	}
	return err
}

// mode is what a file may be. That it runs as its owner is kept only with the owner: else it would be another one.
func (u *unpacker) mode(header *tar.Header) fs.FileMode {
	bits := fs.ModePerm | fs.ModeSticky
	if u.keepOwners && !u.denied {
		bits |= fs.ModeSetuid | fs.ModeSetgid
	}
	return header.FileInfo().Mode() & bits
}

func (u *unpacker) write(name string, content io.Reader) error {
	file, err := u.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, private)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, content)
	return errors.Join(err, file.Close())
}

// own gives a file to whom the archive says, where that is wanted and allowed.
func (u *unpacker) own(name string, header *tar.Header) error {
	if !u.keepOwners {
		return nil
	}
	err := u.root.Lchown(name, header.Uid, header.Gid)
	if !errors.Is(err, fs.ErrPermission) {
		return err
	}
	if !u.denied {
		u.denied = true
		u.warn("owners are not kept: only root may give files away")
	}
	return nil
}

// finishFolders gives folders their modes and times, those that are deepest first.
func (u *unpacker) finishFolders() error {
	for _, folder := range slices.Backward(u.folders) {
		if err := u.root.Chmod(folder.name, folder.mode); err != nil {
			return err
		}
		if err := u.root.Chtimes(folder.name, time.Time{}, folder.modified); err != nil {
			return err
		}
	}
	return nil
}
