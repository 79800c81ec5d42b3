package transfer

import (
	"archive/tar"
	"io/fs"
	"testing"
)

// TestSetuid lets a file run as its owner only where it has got that owner: else it would run as whoever copies it.
func TestSetuid(t *testing.T) {
	t.Parallel()
	header := &tar.Header{Typeflag: tar.TypeReg, Name: "su", Mode: 0o6755}
	for denied, want := range map[bool]fs.FileMode{false: 0o755 | fs.ModeSetuid | fs.ModeSetgid, true: 0o755} {
		u := &unpacker{keepOwners: true, denied: denied}
		if got := u.mode(header); got != want {
			t.Errorf("denied %v: %v, want %v", denied, got, want)
		}
	}
}
