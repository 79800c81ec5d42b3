package transfer_test

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/transfer"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// container is one that answers with an archive, and keeps what it is given.
type container struct {
	engine.Copies
	archive []byte
	mode    fs.FileMode // of what is asked for
	put     []byte
	folder  string
	refuses error
}

func (c *container) StatPath(context.Context, string, string) (engine.PathStat, error) {
	return engine.PathStat{Mode: fs.ModeDir}, nil
}

func (c *container) GetArchive(_ context.Context, _, _ string, read func(engine.PathStat, io.Reader) error) error {
	return read(engine.PathStat{Mode: c.mode}, bytes.NewReader(c.archive))
}

func (c *container) PutArchive(_ context.Context, _, folder string, archive io.Reader, _ engine.PutArchive) error {
	if c.refuses != nil {
		return c.refuses
	}
	c.folder = folder
	var err error
	c.put, err = io.ReadAll(archive)
	return err
}

// archiveOf is a tar of headers, with the content "evil" in files.
func archiveOf(t *testing.T, headers ...tar.Header) []byte {
	t.Helper()
	var buffer bytes.Buffer
	archive := tar.NewWriter(&buffer)
	for _, header := range headers {
		if header.Mode == 0 {
			header.Mode = 0o755
		}
		content := ""
		if header.Typeflag == tar.TypeReg {
			content = "evil"
			header.Size = int64(len(content))
		}
		if err := archive.WriteHeader(&header); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(archive, content); err != nil {
			t.Fatal(err)
		}
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	return buffer.Bytes()
}

func folder(name string) tar.Header { return tar.Header{Typeflag: tar.TypeDir, Name: name + "/"} }

func file(name string) tar.Header { return tar.Header{Typeflag: tar.TypeReg, Name: name} }

func link(name, to string) tar.Header {
	return tar.Header{Typeflag: tar.TypeSymlink, Name: name, Linkname: to}
}

func hardLink(name, to string) tar.Header {
	return tar.Header{Typeflag: tar.TypeLink, Name: name, Linkname: to}
}

// outOf copies the folder x out of a container, into a folder that is there.
func outOf(t *testing.T, c *container, to string) (warnings []string, err error) {
	t.Helper()
	c.mode = fs.ModeDir
	files := transfer.Copy{
		From: transfer.Place{Container: "id", Name: "web", Path: "/x"}, To: transfer.Place{Path: to, Local: to},
		Warn: func(message string) { warnings = append(warnings, message) },
	}
	return warnings, files.Run(t.Context(), c)
}

// TestHostileArchives lets nothing be written or linked outside of where a copy goes.
func TestHostileArchives(t *testing.T) {
	t.Parallel()
	for name, headers := range map[string][]tar.Header{
		"dots":                     {folder("x"), file("x/../../outside/evil")},
		"an absolute name":         {file("/outside/evil")},
		"another root":             {folder("x"), file("y/evil")},
		"the parent":               {file("..")},
		"through a link":           {folder("x"), link("x/link", "../../outside"), file("x/link/evil")},
		"through an absolute link": {folder("x"), link("x/link", "OUTSIDE"), file("x/link/evil")},
		"through two links":        {folder("x"), link("x/a", ".."), link("x/b", "a/../../outside"), file("x/b/evil")},
		"a folder through a link":  {folder("x"), link("x/link", "../../outside"), folder("x/link/evil")},
		"a hard link":              {folder("x"), hardLink("x/a", "x/../../outside/kept")},
		"a hard link by a link":    {folder("x"), link("x/link", "../../outside"), hardLink("x/a", "x/link/kept"), file("x/a")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			base := t.TempDir()
			outside, here := filepath.Join(base, "outside"), filepath.Join(base, "here")
			for _, err := range []error{
				os.Mkdir(outside, 0o755), os.Mkdir(here, 0o755), os.WriteFile(filepath.Join(outside, "kept"), []byte("kept"), 0o644),
			} {
				if err != nil {
					t.Fatal(err)
				}
			}
			for i := range headers {
				headers[i].Linkname = strings.Replace(headers[i].Linkname, "OUTSIDE", outside, 1)
			}
			_, err := outOf(t, &container{archive: archiveOf(t, headers...)}, here)
			if err == nil {
				t.Error("no error")
			}
			entries, readErr := os.ReadDir(outside)
			content, keptErr := os.ReadFile(filepath.Join(outside, "kept"))
			if readErr != nil || keptErr != nil || len(entries) != 1 || string(content) != "kept" {
				t.Errorf("outside: %v, %q", entries, content)
			}
			noneBeside(t, here)
		})
	}
}

// noneBeside says that no half of a file is left.
func noneBeside(t *testing.T, folder string) {
	t.Helper()
	_ = filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && strings.HasPrefix(entry.Name(), ".muster-") {
			t.Errorf("left: %s", path)
		}
		return nil
	})
}

// TestBrokenArchive leaves what was there, and no half of a file.
func TestBrokenArchive(t *testing.T) {
	t.Parallel()
	here := t.TempDir()
	old := filepath.Join(here, "x", "old")
	for _, err := range []error{os.Mkdir(filepath.Join(here, "x"), 0o755), os.WriteFile(old, []byte("old"), 0o640)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	whole := archiveOf(t, folder("x"), file("x/old"))
	const header = 512
	if _, err := outOf(t, &container{archive: whole[:2*header+2]}, here); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("error: %v", err)
	}
	if content, err := os.ReadFile(old); err != nil || string(content) != "old" {
		t.Errorf("old file: %q, %v", content, err)
	}
	noneBeside(t, here)
	if _, err := outOf(t, &container{archive: whole}, here); err != nil {
		t.Error(err)
	}
	if content, err := os.ReadFile(old); err != nil || string(content) != "evil" {
		t.Errorf("new file: %q, %v", content, err)
	}
}

// TestModes keeps modes, of folders that may not be written to either, and leaves out what cannot be made.
func TestModes(t *testing.T) {
	t.Parallel()
	here := t.TempDir()
	closed, secret := folder("x"), file("x/secret")
	closed.Mode, secret.Mode = 0o1555, 0o4600
	warnings, err := outOf(t, &container{archive: archiveOf(t, closed, secret, tar.Header{Typeflag: tar.TypeFifo, Name: "x/pipe"})}, here)
	if err != nil {
		t.Fatal(err)
	}
	for name, mode := range map[string]fs.FileMode{"x": fs.ModeDir | fs.ModeSticky | 0o555, "x/secret": 0o600} {
		if info, err := os.Stat(filepath.Join(here, name)); err != nil || info.Mode() != mode {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
	if len(warnings) != 1 || !strings.Contains(warnings[0], "pipe") {
		t.Errorf("warnings: %q", warnings)
	}
	if err := os.Chmod(filepath.Join(here, "x"), 0o755); err != nil { // so that it can be removed
		t.Fatal(err)
	}
}

// TestAcross gives entries their new names on the way, those that are hard links too, and passes on what goes wrong at either end.
func TestAcross(t *testing.T) {
	t.Parallel()
	from, to := transfer.Place{Container: "a", Name: "web", Path: "/x"}, transfer.Place{Container: "b", Name: "db", Path: "/data"}
	files := transfer.Copy{From: from, To: to}
	c := &container{archive: archiveOf(t, folder("x"), file("x/one"), hardLink("x/two", "x/one")), mode: fs.ModeDir}
	if err := files.Run(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	var names []string
	for archive := tar.NewReader(bytes.NewReader(c.put)); ; {
		header, err := archive.Next()
		if err != nil {
			break
		}
		names = append(names, header.Name+header.Linkname)
	}
	if got := c.folder + ": " + strings.Join(names, " "); got != "/data: x/ x/one x/twox/one" {
		t.Errorf("put %s", got)
	}
	errOwn := errors.New("refused")
	c.refuses = errOwn
	if err := files.Run(t.Context(), c); !errors.Is(err, errOwn) {
		t.Errorf("error of the taker: %v", err)
	}
	var escapes *transfer.EscapeError
	hostile := &container{archive: archiveOf(t, file("../evil")), mode: fs.ModeDir}
	if err := files.Run(t.Context(), hostile); !errors.As(err, &escapes) {
		t.Errorf("error of the giver: %v", err)
	}
}

// TestOutput puts a file where it belongs only when it is whole.
func TestOutput(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	path := filepath.Join(folder, "out.tar")
	if err := os.WriteFile(path, []byte("before"), 0o600); err != nil {
		t.Fatal(err)
	}
	errOwn := errors.New("lost")
	err := transfer.Output{Path: path}.Write(func(w io.Writer) error {
		_, _ = io.WriteString(w, "half")
		return errOwn
	})
	if content, _ := os.ReadFile(path); !errors.Is(err, errOwn) || string(content) != "before" {
		t.Errorf("after a failure: %q, %v", content, err)
	}
	noneBeside(t, folder)
	err = transfer.Output{Path: path}.Write(func(w io.Writer) error {
		_, err := io.WriteString(w, "whole")
		return err
	})
	info, _ := os.Stat(path)
	if content, _ := os.ReadFile(path); err != nil || string(content) != "whole" || info.Mode().Perm() != 0o600 {
		t.Errorf("after a success: %q, %v, %v", content, info.Mode(), err)
	}
}

// TestOutputNew gives a file that was not there to nobody but its user: what is written may hold secrets.
func TestOutputNew(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "out.tar")
	if err := (transfer.Output{Path: path}).Write(func(io.Writer) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

// TestSockets tells of what is left out on the way into a container, and fails where that is all there was.
func TestSockets(t *testing.T) {
	t.Parallel()
	here, err := os.MkdirTemp("", "t") //nolint:usetesting // a path of a socket has to be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(here) })
	listener, err := net.Listen("unix", filepath.Join(here, "s"))
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	var warnings []string
	files := transfer.Copy{
		From: transfer.Place{Path: here, Local: here}, To: transfer.Place{Container: "1", Name: "shop-web-1", Path: "/srv"},
		Warn: func(message string) { warnings = append(warnings, message) },
	}
	if err := files.Run(t.Context(), &container{mode: fs.ModeDir}); err != nil {
		t.Fatal(err)
	}
	if len(warnings) != 1 || !strings.Contains(warnings[0], filepath.Join(here, "s")) {
		t.Errorf("warnings: %q", warnings)
	}
	files.From = transfer.Place{Path: listener.Addr().String(), Local: listener.Addr().String()}
	if err := files.Run(t.Context(), &container{mode: fs.ModeDir}); err == nil || !strings.Contains(err.Error(), "socket") {
		t.Errorf("error of a socket alone: %v", err)
	}
}
