package dockertest

import (
	"archive/tar"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"path"
	"strings"

	apicontainer "github.com/docker/docker/api/types/container"
)

// putArchive is PUT /containers/{id}/archive: files into a container, running or not.
func (e *Engine) putArchive(x *exchange) error {
	folder := path.Join("/", x.query("path"))
	archived, err := readNodes(x.Body, folder)
	if err != nil {
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
	case view.isFile(folder):
		return fail(http.StatusBadRequest, "extraction point is not a directory")
	case !view.hasFolder(view.resolve(folder)):
		return fail(http.StatusNotFound, "Could not find the file %s in container %s", folder, x.params["id"])
	case m == nil && view.readOnly:
		return fail(http.StatusBadRequest, "container rootfs is marked read-only")
	}
	user := c.config.User
	for _, n := range archived {
		if x.flag("copyUIDGID") && user != "" {
			_, _ = fmt.Sscanf(userOf(user), "%d:%d", &n.uid, &n.gid)
		}
		if err := view.place(n); err != nil {
			return fail(http.StatusInternalServerError, "%v", err)
		}
	}
	return x.done(http.StatusOK)
}

// readNodes is what a tar has, in a folder. Hard links are files of their own.
func readNodes(r io.Reader, folder string) ([]node, error) {
	var nodes []node
	content := map[string][]byte{}
	for archive := tar.NewReader(r); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return nodes, nil
		} else if err != nil {
			return nil, err
		}
		n := node{name: path.Join(folder, path.Join("/", header.Name)), uid: header.Uid, gid: header.Gid, mode: header.FileInfo().Mode()}
		switch header.Typeflag {
		case tar.TypeReg:
			if n.content, err = readKept(header, archive); err != nil {
				return nil, err
			}
			content[path.Clean(header.Name)] = n.content
		case tar.TypeLink:
			n.content = content[path.Clean(header.Linkname)]
		case tar.TypeSymlink:
			n.link = header.Linkname
		case tar.TypeDir:
			if path.Clean(header.Name) == "." {
				continue
			}
		default:
			continue
		}
		nodes = append(nodes, n)
	}
}

// statArchive is HEAD /containers/{id}/archive.
func (e *Engine) statArchive(x *exchange) error {
	if _, err := e.openArchive(x); err != nil {
		return err
	}
	return x.done(http.StatusOK)
}

// getArchive is GET /containers/{id}/archive.
func (e *Engine) getArchive(x *exchange) error {
	nodes, err := e.openArchive(x)
	if err != nil {
		return err
	}
	x.w.Header().Set("Content-Type", "application/x-tar")
	writeNodes(x.w, nodes, path.Base(x.query("path")))
	return nil
}

// openArchive finds what is at the path that a call asks for, and says what it is in the answer's header.
func (e *Engine) openArchive(x *exchange) ([]node, error) {
	asked := x.query("path")
	e.mutex.Lock()
	defer e.mutex.Unlock()
	c, err := e.findContainer(x.params["id"])
	if err != nil {
		return nil, err
	}
	view := c.view()
	name := view.resolveParent(path.Join("/", asked))
	if strings.HasSuffix(asked, "/") || strings.HasSuffix(asked, "/.") {
		name = view.resolve(name)
	}
	found, ok := view.look(name)
	if !ok {
		return nil, fail(http.StatusNotFound, "Could not find the file %s in container %s", asked, x.params["id"])
	}
	stat := apicontainer.PathStat{Name: path.Base(asked), Size: int64(len(found.content)), Mode: found.mode, Mtime: modified()}
	if found.mode&fs.ModeSymlink != 0 {
		stat.LinkTarget = view.resolve(name)
	}
	header, err := json.Marshal(stat)
	if err != nil {
		return nil, err
	}
	x.w.Header().Set("X-Docker-Container-Path-Stat", base64.StdEncoding.EncodeToString(header))
	return view.tree(name), nil
}

// writeNodes writes a tar, in which the first node is called as is said. Whoever asked may go away.
func writeNodes(w io.Writer, nodes []node, root string) {
	archive := tar.NewWriter(w)
	first := nodes[0].name
	for _, n := range nodes {
		header := &tar.Header{
			Typeflag: tar.TypeReg, Name: nameIn(root, strings.TrimPrefix(n.name, first)), Mode: int64(n.mode.Perm()),
			Uid: n.uid, Gid: n.gid, Size: int64(len(n.content)), ModTime: modified(), Linkname: n.link,
		}
		switch {
		case n.mode.IsDir():
			header.Typeflag, header.Name = tar.TypeDir, header.Name+"/"
		case n.mode&fs.ModeSymlink != 0:
			header.Typeflag = tar.TypeSymlink
		}
		if archive.WriteHeader(header) != nil {
			return
		}
		if _, err := archive.Write(n.content); err != nil {
			return
		}
	}
	_ = archive.Close()
}

// nameIn is a path in an archive: that of a folder's content begins with "./".
func nameIn(root, below string) string {
	name := path.Join(root, below)
	if root == "." && name != "." {
		name = "./" + name
	}
	return name
}

// exportContainer is GET /containers/{id}/export.
func (e *Engine) exportContainer(x *exchange) error {
	e.mutex.Lock()
	c, err := e.findContainer(x.params["id"])
	if err != nil {
		e.mutex.Unlock()
		return err
	}
	nodes := c.files.tree("/", "/", c.image.Files)
	e.mutex.Unlock()
	x.w.Header().Set("Content-Type", "application/octet-stream")
	writeNodes(x.w, nodes, "")
	return nil
}
