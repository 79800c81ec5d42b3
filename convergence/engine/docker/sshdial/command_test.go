//go:build unix

package sshdial

import (
	"os"
	"path/filepath"
	"testing"
)

// TestSocketFolder is the first place where nobody else can open a control socket.
func TestSocketFolder(t *testing.T) {
	t.Parallel()
	top, err := os.MkdirTemp("", "m") //nolint:usetesting // the test's own folder can be too long for sockets
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(top) })
	const name = "muster-ssh-"
	folder := func(name string, mode os.FileMode) string {
		path := filepath.Join(top, name)
		if err := os.Mkdir(path, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil { // whatever the umask
			t.Fatal(err)
		}
		return path
	}
	good := folder("good", 0o755)
	usual := filepath.Join(good, filepath.Base(socketFolder(only(good))))
	shared := folder("shared", 0o777)
	sticky := folder("sticky", 0o777|os.ModeSticky)
	opened, linked := folder("opened", 0o700), folder("linked", 0o700)
	if err := os.Mkdir(filepath.Join(opened, filepath.Base(usual)), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(usual, filepath.Join(linked, filepath.Base(usual))); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, runtime, temporary, want string
	}{
		{"the runtime folder", good, sticky, good},
		{"again", good, sticky, good},
		{"the temporary folder", "", good, good},
		{"anybody can change it", shared, good, good},
		{"anybody can add to it", sticky, good, sticky},
		{"ours is open to others", opened, good, good},
		{"ours is a link", linked, good, good},
		{"a relative path", "good", good, good},
		{"no folder", filepath.Join(top, "none"), good, good},
		{"what ssh expands", folder("%h", 0o700), good, good},
		{"too long", folder("a-path-that-leaves-no-room-for-the-name-of-a-socket-in-it-on-some-systems", 0o700), good, good},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := socketFolder(func(variable string) string {
				return map[string]string{"XDG_RUNTIME_DIR": test.runtime, "TMPDIR": test.temporary}[variable]
			})
			if filepath.Dir(got) != test.want || filepath.Base(got)[:len(name)] != name {
				t.Errorf("folder %s, want one in %s", got, test.want)
			}
			if info, err := os.Lstat(got); err != nil || info.Mode() != os.ModeDir|0o700 {
				t.Errorf("folder: %v, %v", info, err)
			}
		})
	}
}

func only(runtime string) func(string) string {
	return func(variable string) string {
		return map[string]string{"XDG_RUNTIME_DIR": runtime}[variable]
	}
}
