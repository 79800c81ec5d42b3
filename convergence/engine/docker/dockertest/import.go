package dockertest

import (
	"archive/tar"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path"
)

// maxKept is the size from which on a file of an archive is known by name only.
const maxKept = 1 << 20

// importImage is POST /images/create with fromSrc=-: an image out of a tar and a few instructions.
func (e *Engine) importImage(x *exchange) error {
	archive, err := io.ReadAll(x.Body)
	if err != nil {
		return fail(http.StatusBadRequest, "%v", err)
	}
	files, err := readArchive(bytes.NewReader(archive))
	if err != nil {
		return fail(http.StatusInternalServerError, "%v", err)
	}
	imported := Image{Files: files, OnlyItsFiles: true, Platform: x.query("platform"), Created: e.clock.now()}
	for _, content := range files {
		imported.Size += int64(len(content))
	}
	changes := x.URL.Query()["changes"]
	for _, change := range changes {
		if err := apply(&imported, change); err != nil {
			return fail(http.StatusBadRequest, "%v", err)
		}
	}
	imported.Version = hexDigest("import", string(archive), fmt.Sprint(changes), imported.Created.String())
	tag := ""
	if repo := x.query("repo"); repo != "" {
		name := repo
		if t := x.query("tag"); t != "" {
			name += ":" + t
		}
		if tag, err = normalize(name); err != nil {
			return fail(http.StatusBadRequest, "%v", err)
		}
	}
	imported.Ref = cmp.Or(tag, "imported")
	e.mutex.Lock()
	stored := e.store(imported, tag)
	if tag != "" {
		e.imageEvent("tag", stored.id, tag)
	}
	e.imageEvent("import", stored.id, stored.id)
	e.mutex.Unlock()
	return x.answer(http.StatusOK, progress{Status: stored.id})
}

// readArchive is the regular files of a tar by absolute path. Big ones have no content.
func readArchive(r io.Reader) (map[string][]byte, error) {
	files := map[string][]byte{}
	err := eachInArchive(r, func(header *tar.Header, content []byte) error {
		files[path.Join("/", header.Name)] = content
		return nil
	})
	return files, err
}

// eachInArchive goes through the regular files of a tar. Big ones have no content.
func eachInArchive(r io.Reader, do func(header *tar.Header, content []byte) error) error {
	for archive := tar.NewReader(r); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if header.Typeflag != tar.TypeReg {
			continue
		}
		content, err := readKept(header, archive)
		if err != nil {
			return err
		}
		if err := do(header, content); err != nil {
			return err
		}
	}
}

// readKept is a file's content, unless it is big.
func readKept(header *tar.Header, archive io.Reader) ([]byte, error) {
	if header.Size > maxKept {
		return nil, nil
	}
	return io.ReadAll(archive)
}
