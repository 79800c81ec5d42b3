package buildkit

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"regexp"
)

// layoutFile are the files of an OCI layout; whatever else an archive has is left alone.
var layoutFile = regexp.MustCompile(`^(index\.json|oci-layout|blobs/sha256/[0-9a-f]{64})$`)

// unpackLayout writes the OCI layout in an archive of an image into a folder.
func unpackLayout(archive io.Reader, folder string) error {
	const private = 0o700
	if err := os.MkdirAll(filepath.Join(folder, "blobs", "sha256"), private); err != nil {
		return err
	}
	for reader := tar.NewReader(archive); ; {
		header, err := reader.Next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("read image: %w", err)
		}
		name := path.Clean(header.Name)
		if header.Typeflag != tar.TypeReg || !layoutFile.MatchString(name) {
			continue
		}
		if err := writeFile(filepath.Join(folder, filepath.FromSlash(name)), reader); err != nil {
			return err
		}
	}
}

func writeFile(path string, from io.Reader) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, from)
	return errors.Join(err, file.Close())
}
