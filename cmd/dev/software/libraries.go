package software

import (
	"archive/tar"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
)

// takeLibraries takes what the programs and libraries in the file system are linked with, and what these are, and so on.
func (r rootfs) takeLibraries() error {
	seen := map[string]bool{}
	for {
		added := false
		for _, name := range slices.Sorted(maps.Keys(r.entries)) {
			one := r.entries[name]
			if seen[name] || one.Typeflag != tar.TypeReg || one.from == "" {
				continue
			}
			seen[name], added = true, true
			if err := r.takeNeeded(name, one.from); err != nil {
				return err
			}
		}
		if !added {
			return nil
		}
	}
}

func (r rootfs) takeNeeded(name, file string) error {
	needed, err := r.linkedWith(file)
	if err != nil {
		return fmt.Errorf("read what %s is linked with: %w", name, err)
	}
	for _, library := range needed {
		found, err := r.library(library)
		if err != nil {
			return fmt.Errorf("%s needs %s: %w", name, library, err)
		}
		if err := r.take(found, nil); err != nil {
			return err
		}
	}
	return nil
}

// library finds a library where the dynamic linker looks for it. The linker itself has a path.
func (r rootfs) library(name string) (string, error) {
	patterns := []string{"lib/*-linux-gnu*/" + name, "usr/lib/*-linux-gnu*/" + name}
	if path.IsAbs(name) {
		patterns = []string{name[1:], merged(name[1:])}
	}
	for _, pattern := range patterns {
		found, err := r.find(pattern)
		if err == nil {
			return found[0], nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
	}
	return "", fmt.Errorf("no package that was fetched has it: %w", fs.ErrNotExist)
}

// linkedWith are the libraries that a file names, its dynamic linker among them; none where it is no program or library.
func linkedWith(file string) ([]string, error) {
	binary, err := elf.Open(file)
	var format *elf.FormatError
	if errors.As(err, &format) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer binary.Close() //nolint:errcheck // it is only read
	needed, err := binary.ImportedLibraries()
	if err != nil {
		return nil, err
	}
	for _, segment := range binary.Progs {
		if segment.Type != elf.PT_INTERP {
			continue
		}
		linker, err := io.ReadAll(segment.Open())
		if err != nil {
			return nil, err
		}
		needed = append(needed, strings.TrimRight(string(linker), "\x00"))
	}
	return needed, nil
}
