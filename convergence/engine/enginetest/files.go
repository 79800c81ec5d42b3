package enginetest

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/muster-dev/muster/convergence/engine"
)

func fileCases() []testCase {
	return []testCase{
		{"a file comes as an archive of itself", fileComesOut},
		{"a folder comes with all that is in it", folderComesOut},
		{"a path that ends in /. comes without the folder's name", contentComesOut},
		{"symbolic links are told with what they lead to", linksAreTold},
		{"what is not there cannot be had", nothingComesOut},
		{"folders, links and empty files go in", everythingGoesIn},
		{"a file never takes a folder's place, nor the other way", placesAreKept},
		{"files can be given to the container's user", filesGoToUser},
		{"an error of the reader is passed on", readerEnds},
		{"an export is all of a container's files", exportHasFiles},
	}
}

// entry is one of an archive of a test.
type entry struct {
	name, content, link string
	mode                int64
}

// archive is a tar of entries of 103:104: a name that ends in a slash is a folder's.
func (f *fixture) archive(entries ...entry) io.Reader {
	f.Helper()
	const uid, gid, usual = 103, 104, 0o644
	var buffer bytes.Buffer
	archive := tar.NewWriter(&buffer)
	for _, e := range entries {
		header := &tar.Header{Typeflag: tar.TypeReg, Name: e.name, Uid: uid, Gid: gid, Mode: max(e.mode, usual), Size: int64(len(e.content))}
		switch {
		case e.link != "":
			header.Typeflag, header.Linkname = tar.TypeSymlink, e.link
		case strings.HasSuffix(e.name, "/"):
			const forAll = 0o755
			header.Typeflag, header.Mode = tar.TypeDir, max(e.mode, forAll)
		}
		f.must(archive.WriteHeader(header), "write header")
		_, err := io.WriteString(archive, e.content)
		f.must(err, "write content")
	}
	f.must(archive.Close(), "end archive")
	return &buffer
}

// put puts entries into a folder of a container.
func (f *fixture) put(id, folder string, entries ...entry) {
	f.Helper()
	f.must(f.PutArchive(f.ctx, id, folder, f.archive(entries...), engine.PutArchive{}), "put archive")
}

// get is what is at a path, and the archive of it: "name=content", "name/", "name -> link", one after the other.
func (f *fixture) get(id, path string) (engine.PathStat, string) {
	f.Helper()
	var stat engine.PathStat
	var words []string
	f.must(f.GetArchive(f.ctx, id, path, func(found engine.PathStat, archive io.Reader) error {
		stat = found
		return eachEntry(archive, func(header *tar.Header, content string) {
			switch header.Typeflag {
			case tar.TypeDir:
				words = append(words, strings.TrimSuffix(header.Name, "/")+"/")
			case tar.TypeSymlink:
				words = append(words, header.Name+" -> "+header.Linkname)
			default:
				words = append(words, header.Name+"="+content)
			}
		})
	}), "get archive of "+path)
	return stat, strings.Join(words, ", ")
}

func eachEntry(r io.Reader, do func(header *tar.Header, content string)) error {
	for archive := tar.NewReader(r); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		content, err := io.ReadAll(archive)
		if err != nil {
			return err
		}
		do(header, string(content))
	}
}

// stocked is a container with a few files, which does not run.
func (f *fixture) stocked() string {
	f.Helper()
	id := f.create(f.request("web"))
	f.put(id, "/",
		entry{name: "data/"}, entry{name: "data/a.txt", content: "one"}, entry{name: "data/deep/"}, entry{name: "data/deep/b.txt", content: "two"},
		entry{name: "data/empty/"}, entry{name: "data/near", link: "a.txt"}, entry{name: "folder", link: "/data/deep"})
	return id
}

func fileComesOut(f *fixture) {
	id := f.stocked()
	stat, archive := f.get(id, "/data/a.txt")
	equal(f, "archive", archive, "a.txt=one")
	equal(f, "name", stat.Name, "a.txt")
	equal(f, "size", stat.Size, 3)
	equal(f, "mode", stat.Mode, 0o644)
	found, err := f.StatPath(f.ctx, f.own("web"), "/data/a.txt")
	f.must(err, "stat")
	equal(f, "stat", found.Size, 3)
	_, archive = f.get(id, "/folder/b.txt")
	equal(f, "archive through a link", archive, "b.txt=two")
}

func folderComesOut(f *fixture) {
	id := f.stocked()
	stat, archive := f.get(id, "/data")
	equal(f, "archive", archive, "data/, data/a.txt=one, data/deep/, data/deep/b.txt=two, data/empty/, data/near -> a.txt")
	equal(f, "is a folder", stat.Mode.IsDir(), true)
}

func contentComesOut(f *fixture) {
	id := f.stocked()
	_, archive := f.get(id, "/data/deep/.")
	equal(f, "archive", archive, "./, ./b.txt=two")
	_, archive = f.get(id, "/folder/.")
	equal(f, "archive of what a link leads to", archive, "./, ./b.txt=two")
}

func linksAreTold(f *fixture) {
	id := f.stocked()
	stat, archive := f.get(id, "/data/near")
	equal(f, "archive", archive, "near -> a.txt")
	equal(f, "is a link", stat.Mode&fs.ModeSymlink != 0, true)
	equal(f, "leads to", stat.Link, "/data/a.txt")
	stat, _ = f.get(id, "/folder")
	equal(f, "leads to", stat.Link, "/data/deep")
}

func nothingComesOut(f *fixture) {
	id := f.stocked()
	never := func(engine.PathStat, io.Reader) error { return errors.New("there is nothing to read") }
	f.wants(f.GetArchive(f.ctx, id, "/data/c.txt", never), engine.ErrNotFound, "get what is not there")
	f.wants(f.GetArchive(f.ctx, f.own("nobody"), "/data", never), engine.ErrNotFound, "get from nobody")
	_, err := f.StatPath(f.ctx, id, "/data/c.txt")
	f.wants(err, engine.ErrNotFound, "stat what is not there")
	_, err = f.StatPath(f.ctx, f.own("nobody"), "/")
	f.wants(err, engine.ErrNotFound, "stat of nobody")
}

func everythingGoesIn(f *fixture) {
	id := f.stocked()
	f.put(id, "/data", entry{name: "a.txt", content: "again"}, entry{name: "near", link: "deep/b.txt"}, entry{name: "none"})
	_, archive := f.get(id, "/data")
	equal(f, "archive", archive, "data/, data/a.txt=again, data/deep/, data/deep/b.txt=two, data/empty/, data/near -> deep/b.txt, data/none=")
	f.put(id, "/folder", entry{name: "b.txt", content: "through a link"})
	_, archive = f.get(id, "/data/deep/b.txt")
	equal(f, "archive", archive, "b.txt=through a link")
	err := f.PutArchive(f.ctx, id, "/data/a.txt", f.archive(entry{name: "x"}), engine.PutArchive{})
	f.wants(err, engine.ErrInvalid, "put into a file")
}

func placesAreKept(f *fixture) {
	id := f.stocked()
	for name, e := range map[string]entry{"a file": {name: "data", content: "x"}, "a folder": {name: "data/a.txt/"}} {
		err := f.PutArchive(f.ctx, id, "/", f.archive(e), engine.PutArchive{})
		if err == nil || !strings.Contains(err.Error(), "cannot overwrite") {
			f.Errorf("put %s in place of the other: got error %v", name, err)
		}
	}
}

func filesGoToUser(f *fixture) {
	request := f.request("web")
	request.Service.User = "7:8"
	id := f.create(request)
	owner := func(path string) (owner string) {
		f.must(f.GetArchive(f.ctx, id, path, func(_ engine.PathStat, archive io.Reader) error {
			return eachEntry(archive, func(header *tar.Header, _ string) { owner = fmt.Sprintf("%d:%d", header.Uid, header.Gid) })
		}), "get archive")
		return owner
	}
	f.put(id, "/", entry{name: "theirs"})
	equal(f, "owner in the archive", owner("/theirs"), "103:104")
	f.must(f.PutArchive(f.ctx, id, "/", f.archive(entry{name: "own"}), engine.PutArchive{ToUser: true}), "put archive")
	equal(f, "owner", owner("/own"), "7:8")
}

func readerEnds(f *fixture) {
	id := f.stocked()
	errOwn := errors.New("enough")
	f.wants(f.GetArchive(f.ctx, id, "/data", func(engine.PathStat, io.Reader) error { return errOwn }), errOwn, "get archive")
}

func exportHasFiles(f *fixture) {
	id := f.stocked()
	var exported bytes.Buffer
	f.must(f.ExportContainer(f.ctx, id, &exported), "export")
	found := map[string]string{}
	f.must(eachEntry(&exported, func(header *tar.Header, content string) { found[header.Name] = content }), "read export")
	equal(f, "a file", found["data/deep/b.txt"], "two")
	_, hasFolder := found["data/empty/"]
	equal(f, "an empty folder", hasFolder, true)
	f.wants(f.ExportContainer(f.ctx, f.own("nobody"), &exported), engine.ErrNotFound, "export nothing")
}
