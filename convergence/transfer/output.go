package transfer

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Output is where something is written: a file, or a stream where there is no path.
type Output struct {
	Path   string
	Stream io.Writer
}

// Write lets write write to the output. A file gets its name when it is whole, and what was there before stays until then; devices
// and pipes are written to as they are. A new file is the user's alone: a container's files may hold secrets.
func (o Output) Write(write func(io.Writer) error) error {
	if o.Path == "" {
		return write(o.Stream)
	}
	target := o.Path
	if resolved, err := filepath.EvalSymlinks(target); err == nil {
		target = resolved
	}
	info, err := os.Stat(target)
	switch {
	case err == nil && info.IsDir():
		return fmt.Errorf("%q is a folder: name a file", o.Path)
	case err == nil && !info.Mode().IsRegular():
		return writeTo(target, os.O_WRONLY, write)
	}
	if folder := filepath.Dir(target); err != nil {
		if _, err := os.Stat(folder); errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("there is no folder %q", folder)
		}
	}
	mode := fs.FileMode(private)
	if err == nil {
		mode = info.Mode().Perm()
	}
	beside := filepath.Join(filepath.Dir(target), ".muster-"+rand.Text())
	err = writeTo(beside, os.O_WRONLY|os.O_CREATE|os.O_EXCL, write)
	if err == nil {
		err = os.Chmod(beside, mode)
	}
	if err == nil {
		err = os.Rename(beside, target)
	}
	if err != nil {
		_ = os.Remove(beside)
	}
	return err
}

// private is the mode of a file that only its owner may read.
const private = 0o600

func writeTo(path string, flags int, write func(io.Writer) error) error {
	file, err := os.OpenFile(path, flags, private)
	if err != nil {
		return err
	}
	return errors.Join(write(file), file.Close())
}
