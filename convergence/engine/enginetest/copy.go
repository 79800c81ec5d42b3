package enginetest

import (
	"archive/tar"
	"bytes"
	"io"
	"strings"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/project"
)

func copyCases() []testCase {
	return []testCase{
		{"files have the archive's owners and modes, and survive a restart", filesKeepOwners},
		{"files go into an anonymous volume of a read-only container", filesGoIntoVolume},
		{"no files go into a read-only container", filesStayOut},
		{"no files go where nothing is", filesNeedPlace},
		{"a part of a volume is mounted once it is there", subpathIsMounted},
		{"a part of a volume needs API 1.45", subpathNeedsAPI},
	}
}

// archiveOf is a tar of one file of 103:103 with mode 0440, without the folders that it lies in.
func (f *fixture) archiveOf(name, content string) io.Reader {
	f.Helper()
	const owner, mode = 103, 0o440
	var buffer bytes.Buffer
	archive := tar.NewWriter(&buffer)
	f.must(archive.WriteHeader(&tar.Header{
		Typeflag: tar.TypeReg, Name: name, Uid: owner, Gid: owner, Mode: mode, Size: int64(len(content)),
	}), "write header")
	_, err := io.WriteString(archive, content)
	f.must(err, "write content")
	f.must(archive.Close(), "end archive")
	return &buffer
}

// reader is a request for a container whose process is 103:103 and tells of a file.
func (f *fixture) reader(file string) engine.CreateContainer {
	request := f.request("reader", "-stat", file, "-cat", file)
	request.Service.User = "103:103"
	return request
}

// runs starts a container and waits for its end, so many times.
func (f *fixture) runs(id string, times int) {
	f.Helper()
	w := f.watch(f.name)
	for range times {
		f.must(f.StartContainer(f.ctx, id), "start container")
		w.await(id, "die")
	}
}

func filesKeepOwners(f *fixture) {
	const file = "/run/secrets/deep/password"
	id := f.create(f.reader(file))
	f.must(f.PutArchive(f.ctx, id, "/", f.archiveOf("run/secrets/deep/password", "first\n"), engine.PutArchive{}), "put archive")
	f.must(f.PutArchive(f.ctx, f.own("reader"), "/", f.archiveOf("run/secrets/deep/password", "hunter2\n"), engine.PutArchive{}), "put archive again")
	f.runs(id, 2)
	equal(f, "output", f.output(id), strings.Repeat("103:103:0440\nhunter2\n", 2))
	f.must(f.PutArchive(f.ctx, id, "/run/secrets", f.archiveOf("deep/password", "later\n"), engine.PutArchive{}), "put archive after the end")
	f.runs(id, 1)
	equal(f, "output", f.output(id), strings.Repeat("103:103:0440\nhunter2\n", 2)+"103:103:0440\nlater\n")
}

func filesGoIntoVolume(f *fixture) {
	request := f.reader("/run/secrets/password")
	request.Service.ReadOnly = true
	request.Service.Tmpfs = []string{"/run"}
	volume := project.Mount{Type: project.MountVolume, Target: "/run/secrets"}
	fill(&volume.Volume)
	volume.Volume.NoCopy, volume.Volume.Labels = true, map[string]string{"x": "y"}
	request.Mounts = []project.Mount{volume}
	id := f.create(request)
	f.must(f.PutArchive(f.ctx, id, "/run/secrets", f.archiveOf("password", "hunter2\n"), engine.PutArchive{}), "put archive")
	f.runs(id, 2)
	equal(f, "output", f.output(id), strings.Repeat("103:103:0440\nhunter2\n", 2))
	name := f.inspect(id).Mounts[0].Name
	labels, _ := f.volumeLabels(name)
	_, anonymous := labels[project.LabelAnonymous]
	equal(f, "the volume is marked as anonymous", anonymous, true)
	equal(f, "label of the volume", labels["x"], "y")
	f.must(f.RemoveContainer(f.ctx, id, engine.RemoveContainer{Volumes: true}), "remove container")
	_, left := f.volumeLabels(name)
	equal(f, "the volume is left", left, false)
}

func filesStayOut(f *fixture) {
	request := f.request("web")
	request.Service.ReadOnly = true
	id := f.create(request)
	f.wants(f.PutArchive(f.ctx, id, "/", f.archiveOf("password", "hunter2"), engine.PutArchive{}), engine.ErrInvalid, "put archive into what is read-only")
}

func filesNeedPlace(f *fixture) {
	f.wants(f.PutArchive(f.ctx, f.own("nobody"), "/", f.archiveOf("x", ""), engine.PutArchive{}), engine.ErrNotFound, "put archive into nothing")
	id := f.create(f.request("web"))
	f.wants(f.PutArchive(f.ctx, id, "/nowhere", f.archiveOf("x", ""), engine.PutArchive{}), engine.ErrNotFound, "put archive into no folder")
}

// part mounts a file of the test's volume.
func (f *fixture) part(request *engine.CreateContainer, target string) {
	mount := project.Mount{Type: project.MountVolume, Source: f.own("files"), Target: target, ReadOnly: true}
	fill(&mount.Volume)
	mount.Volume.NoCopy, mount.Volume.Subpath, mount.Volume.Labels = true, "password", map[string]string{"x": "y"}
	request.Mounts = []project.Mount{mount}
}

func subpathIsMounted(f *fixture) {
	if f.olderThan("1.45") {
		return
	}
	request := f.reader("/etc/password")
	request.Service.ReadOnly = true
	f.part(&request, "/etc/password")
	id := f.create(request)
	labels, there := f.volumeLabels(f.own("files"))
	equal(f, "the volume is there", there, true)
	equal(f, "label of the volume", labels["x"], "y")
	f.wants(f.StartContainer(f.ctx, id), engine.ErrNotFound, "start without the part")
	equal(f, "state", f.inspect(id).State, engine.StateCreated)
	if err := f.PutArchive(f.ctx, id, "/", f.archiveOf("x", ""), engine.PutArchive{}); err == nil {
		f.Errorf("put archive without the part: no error")
	}
	filler := f.request("filler")
	filler.Mounts = []project.Mount{{Type: project.MountVolume, Source: f.own("files"), Target: "/files"}}
	fillerID := f.create(filler)
	f.must(f.PutArchive(f.ctx, fillerID, "/files", f.archiveOf("password", "hunter2\n"), engine.PutArchive{}), "fill")
	f.must(f.RemoveContainer(f.ctx, fillerID, engine.RemoveContainer{Volumes: true}), "remove the filler")
	f.runs(id, 2)
	equal(f, "output", f.output(id), strings.Repeat("103:103:0440\nhunter2\n", 2))
}

func subpathNeedsAPI(f *fixture) {
	if !f.olderThan("1.45") {
		return
	}
	request := f.reader("/etc/password")
	f.part(&request, "/etc/password")
	_, err := f.CreateContainer(f.ctx, request)
	f.wants(err, engine.ErrInvalid, "create with a part of a volume")
}
