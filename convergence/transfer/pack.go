package transfer

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// pack writes a tar of what is at a path here, a folder with all that is in it, under another name. Sockets are left out and told of, as
// they are nothing without their process.
func pack(w io.Writer, root, name string, warn func(string)) error {
	archive := tar.NewWriter(w)
	err := filepath.WalkDir(root, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		below, err := filepath.Rel(root, file)
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		if info.Mode()&fs.ModeSocket != 0 {
			warn(file + " is left out: it is a socket")
			return nil
		}
		return packOne(archive, file, path.Join(name, filepath.ToSlash(below)), info)
	})
	return errors.Join(err, archive.Close())
}

func packOne(archive *tar.Writer, file, name string, info fs.FileInfo) error {
	link := ""
	if info.Mode()&fs.ModeSymlink != 0 {
		var err error
		if link, err = os.Readlink(file); err != nil {
			return err
		}
	}
	header, err := tar.FileInfoHeader(info, link)
	if err != nil {
		return err
	}
	header.Name, header.Uname, header.Gname = name, "", ""
	if info.IsDir() {
		header.Name += "/"
	}
	if err := archive.WriteHeader(header); err != nil || !info.Mode().IsRegular() {
		return err
	}
	content, err := os.Open(file)
	if err != nil {
		return err
	}
	defer content.Close() //nolint:errcheck // only read
	if _, err := io.CopyN(archive, content, header.Size); errors.Is(err, io.EOF) {
		return fmt.Errorf("%q has become shorter while it was read", file)
	} else if err != nil {
		return err
	}
	return nil
}

// rename copies an archive; root, which all names in it begin with, becomes another name.
func rename(w io.Writer, r io.Reader, root, name string) error {
	out := tar.NewWriter(w)
	for in := tar.NewReader(r); ; {
		header, err := in.Next()
		if errors.Is(err, io.EOF) {
			return out.Close()
		} else if err != nil {
			return fmt.Errorf("read archive: %w", err)
		}
		if err := renameHeader(header, root, name); err != nil {
			return err
		}
		if err := out.WriteHeader(header); err != nil {
			return err
		}
		if _, err := io.Copy(out, in); err != nil {
			return err
		}
	}
}

// renameHeader gives an entry its new name, and one that is a hard link the new name of what it is linked to.
func renameHeader(header *tar.Header, root, name string) error {
	isFolder := header.Typeflag == tar.TypeDir
	below, err := belowRoot(header.Name, root)
	if err != nil {
		return err
	}
	if header.Name = path.Join(name, below); isFolder {
		header.Name += "/"
	}
	if header.Typeflag == tar.TypeLink {
		if below, err = belowRoot(header.Linkname, root); err != nil {
			return err
		}
		header.Linkname = path.Join(name, below)
	}
	header.Format = tar.FormatUnknown // the longer name may need another one
	return nil
}

// rootOf is what the names in an archive of a source begin with.
func rootOf(from end) string {
	root := path.Base(from.path)
	if strings.HasSuffix(from.path, "/.") || root == "/" {
		return "."
	}
	return root
}

// belowRoot is the rest of a name in an archive, "." for the root itself. Names that lead elsewhere are refused.
func belowRoot(name, root string) (string, error) {
	clean := path.Clean(strings.TrimLeft(name, "/"))
	if clean == "" {
		clean = "."
	}
	rest, isBelow := strings.CutPrefix(clean, root+"/")
	switch {
	case clean == root:
		return ".", nil
	case root == ".":
		rest, isBelow = clean, true
	}
	if !isBelow || !filepath.IsLocal(rest) || strings.Contains(name, "\\") && filepath.Separator == '\\' {
		return "", &EscapeError{Name: name}
	}
	return rest, nil
}

// EscapeError says that an entry of an archive would be written outside of where the copy goes.
type EscapeError struct{ Name string }

func (e *EscapeError) Error() string {
	return fmt.Sprintf("entry %q of the archive leads out of where the copy goes", e.Name)
}
