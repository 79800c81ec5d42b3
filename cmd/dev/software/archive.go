package software

import (
	"archive/tar"
	"bytes"
	"fmt"
	"maps"
	"os"
	"path"
	"slices"
)

// archive writes everything in order, the folders that something lies in first.
func (r rootfs) archive() ([]byte, error) {
	r.addFolders()
	var buffer bytes.Buffer
	archive := tar.NewWriter(&buffer)
	for _, name := range slices.Sorted(maps.Keys(r.entries)) {
		if err := r.entries[name].write(archive, name); err != nil {
			return nil, fmt.Errorf("write %s: %w", name, err)
		}
	}
	if err := archive.Close(); err != nil {
		return nil, fmt.Errorf("write archive: %w", err)
	}
	return buffer.Bytes(), nil
}

// addFolders adds the folders that something lies in and nobody asked for.
func (r rootfs) addFolders() {
	for name := range maps.Clone(r.entries) {
		for above := path.Dir(name); above != "."; above = path.Dir(above) {
			if _, there := r.entries[above]; !there {
				r.folder(above, program, 0)
			}
		}
	}
}

func (i item) write(archive *tar.Writer, name string) (err error) {
	header, content := i.Header, i.content
	header.Name = name
	if header.Typeflag == tar.TypeDir {
		header.Name += "/"
	}
	if i.from != "" {
		if content, err = os.ReadFile(i.from); err != nil {
			return err
		}
	}
	if err := archive.WriteHeader(&header); err != nil {
		return err
	}
	_, err = archive.Write(content)
	return err
}
