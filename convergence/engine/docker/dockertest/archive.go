package dockertest

import (
	"archive/tar"
	"encoding/base64"
	"encoding/json"
	"io/fs"
	"net/http"
	"path"
	"time"

	apicontainer "github.com/docker/docker/api/types/container"

	"github.com/muster-dev/muster/convergence/engine/docker/testbox"
)

// putArchive is PUT /containers/{id}/archive: files into a container, running or not.
func (e *Engine) putArchive(x *exchange) error {
	type file struct {
		name    string
		content []byte
		stat    testbox.FileStat
	}
	var archived []file
	folder := path.Join("/", x.query("path"))
	if err := eachInArchive(x.Body, func(header *tar.Header, content []byte) error {
		stat := testbox.FileStat{UID: header.Uid, GID: header.Gid, Mode: uint32(header.FileInfo().Mode().Perm())}
		archived = append(archived, file{path.Join(folder, header.Name), content, stat})
		return nil
	}); err != nil {
		return fail(http.StatusInternalServerError, "%v", err)
	}
	e.mutex.Lock()
	defer e.mutex.Unlock()
	c, err := e.findContainer(x.params["id"])
	if err != nil {
		return err
	}
	view := c.view()
	switch m, _ := view.find(folder); {
	case c.brokenSubpath() != "":
		return fail(http.StatusInternalServerError, "%s", c.brokenSubpath())
	case !view.hasFolder(folder):
		return fail(http.StatusNotFound, "Could not find the file %s in container %s", folder, x.params["id"])
	case m == nil && view.readOnly:
		return fail(http.StatusBadRequest, "container rootfs is marked read-only")
	}
	for _, f := range archived {
		if err := view.put(f.name, f.content, f.stat); err != nil {
			return fail(http.StatusInternalServerError, "%v", err)
		}
	}
	return x.done(http.StatusOK)
}

// getArchive is GET /containers/{id}/archive, for single files.
func (e *Engine) getArchive(x *exchange) error {
	name := path.Join("/", x.query("path"))
	content, err := e.fileOf(x.params["id"], name)
	if err != nil {
		return err
	}
	const readable = 0o644
	stat, err := json.Marshal(apicontainer.PathStat{Name: path.Base(name), Size: int64(len(content)), Mode: fs.FileMode(readable), Mtime: time.Now()})
	if err != nil {
		return err
	}
	x.w.Header().Set("X-Docker-Container-Path-Stat", base64.StdEncoding.EncodeToString(stat))
	x.w.Header().Set("Content-Type", "application/x-tar")
	archive := tar.NewWriter(x.w)
	if err := archive.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: path.Base(name), Mode: readable, Size: int64(len(content))}); err != nil {
		return nil // whoever asked has gone away
	}
	_, _ = archive.Write(content)
	_ = archive.Close()
	return nil
}

func (e *Engine) fileOf(id, name string) ([]byte, error) {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	c, err := e.findContainer(id)
	if err != nil {
		return nil, err
	}
	content, err := c.view().ReadFile(name)
	if err != nil {
		return nil, fail(http.StatusNotFound, "Could not find the file %s in container %s", name, id)
	}
	return content, nil
}
