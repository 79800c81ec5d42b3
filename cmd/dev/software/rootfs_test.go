package software

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// unpack makes a folder of packages: paths with their content, "-> target" for a link. All are programs.
func unpack(t *testing.T, packages map[string]string) string {
	t.Helper()
	folder := t.TempDir()
	packages["bin/busybox"] = "#!/bin/sh\necho bin/sh; echo usr/bin/wget; echo usr/bin/own\n"
	for name, content := range packages {
		file := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		var err error
		if target, isLink := strings.CutPrefix(content, "-> "); isLink {
			err = os.Symlink(target, file)
		} else {
			err = os.WriteFile(file, []byte(content), 0o755)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// listing is what an archive has, a line each, without what every image has.
func listing(t *testing.T, content []byte) (lines []string) {
	t.Helper()
	var seen []string
	for archive := tar.NewReader(bytes.NewReader(content)); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return lines
		} else if err != nil {
			t.Fatal(err)
		}
		if above := filepath.Dir(filepath.Clean(header.Name)); above != "." && !slices.Contains(seen, above) {
			t.Errorf("%s comes before the folder that it is in", header.Name)
		}
		seen = append(seen, filepath.Clean(header.Name))
		line := fmt.Sprintf("%s %o", header.Name, header.Mode)
		if header.Uid != 0 || header.Gid != 0 {
			line += fmt.Sprintf(" %d:%d", header.Uid, header.Gid)
		}
		if header.Linkname != "" {
			line = header.Name + " -> " + header.Linkname
		}
		lines = append(lines, line)
	}
}

func TestRootfs(t *testing.T) {
	t.Parallel()
	packages := unpack(t, map[string]string{
		"usr/bin/own":                         "-> ownd",
		"usr/bin/ownd":                        "a program",
		"usr/bin/other":                       "not taken",
		"usr/lib/own/1/lib/module.so":         "a module",
		"usr/lib/own/1/lib/bitcode/module.bc": "left",
		"usr/share/own/made-later":            "-> /etc/own/settings",
		"lib/x86_64-linux-gnu/libone.so.1":    "-> libone.so.1.2",
		"lib/x86_64-linux-gnu/libone.so.1.2":  "a library",
		"usr/lib/x86_64-linux-gnu/libtwo.so":  "another",
		"lib64/ld.so":                         "-> /lib/x86_64-linux-gnu/ld.so",
		"usr/lib/x86_64-linux-gnu/ld.so":      "the linker",
	})
	wanted := recipe{
		Name:    "redis", // whose files of our own are there
		Take:    []string{"usr/bin/own", "usr/lib/own/*/lib", "usr/share/own"},
		Leave:   []string{"lib/bitcode"},
		Link:    []string{"usr/lib/own/*/lib/*.so"},
		Own:     map[string]own{entry: {"docker-entrypoint.sh", program}},
		Folders: map[string]folder{"data": {Mode: 0o700, Own: true}, "run/own": {Mode: 0o3777}},
		User:    user{Name: "own", ID: 99, Home: "/data"},
	}
	linked := map[string][]string{
		"ownd":          {"libone.so.1", "/lib64/ld.so"},
		"module.so":     {"libtwo.so"},
		"libone.so.1.2": {"libtwo.so"},
	}
	root := newRootfs(packages)
	root.linkedWith = func(file string) ([]string, error) { return linked[filepath.Base(file)], nil }
	content, err := root.fill(t.Context(), wanted)
	if err != nil {
		t.Fatal(err)
	}
	got := listing(t, content)
	const want = `bin -> usr/bin
data/ 700 99:99
etc/ 755
etc/group 644
etc/nsswitch.conf 644
etc/passwd 644
lib -> usr/lib
lib64 -> usr/lib64
root/ 700
run/ 755
run/own/ 3777
sbin -> usr/sbin
tmp/ 1777
usr/ 755
usr/bin/ 755
usr/bin/busybox 755
usr/bin/own -> ownd
usr/bin/ownd 755
usr/bin/sh -> /usr/bin/busybox
usr/bin/wget -> /usr/bin/busybox
usr/lib/ 755
usr/lib/own/ 755
usr/lib/own/1/ 755
usr/lib/own/1/lib/ 755
usr/lib/own/1/lib/module.so 755
usr/lib/x86_64-linux-gnu/ 755
usr/lib/x86_64-linux-gnu/ld.so 755
usr/lib/x86_64-linux-gnu/libone.so.1 -> libone.so.1.2
usr/lib/x86_64-linux-gnu/libone.so.1.2 755
usr/lib/x86_64-linux-gnu/libtwo.so 755
usr/lib64/ 755
usr/lib64/ld.so -> /lib/x86_64-linux-gnu/ld.so
usr/local/ 755
usr/local/bin/ 755
usr/local/bin/docker-entrypoint.sh 755
usr/local/bin/module.so -> /usr/lib/own/1/lib/module.so
usr/sbin/ 755
usr/share/ 755
usr/share/own/ 755
usr/share/own/made-later -> /etc/own/settings
var/ 755
var/run -> /run`
	if text := strings.Join(got, "\n"); text != want {
		t.Errorf("files:\n%s", text)
	}
	again := newRootfs(packages)
	again.linkedWith = root.linkedWith
	if second, err := again.fill(t.Context(), wanted); err != nil || !bytes.Equal(second, content) {
		t.Errorf("other bytes the second time, %v", err)
	}
}

func TestRootfsLacksSomething(t *testing.T) {
	t.Parallel()
	packages := unpack(t, map[string]string{"usr/bin/own": "a program"})
	root := newRootfs(packages)
	root.linkedWith = func(string) ([]string, error) { return []string{"libnone.so.1"}, nil }
	if _, err := root.fill(t.Context(), recipe{Take: []string{"usr/bin/own"}}); err == nil || !strings.Contains(err.Error(), "usr/bin/own needs libnone.so.1") {
		t.Errorf("a library that is in no package: %v", err)
	}
	if _, err := newRootfs(packages).fill(t.Context(), recipe{Take: []string{"usr/bin/none"}}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a program that is in no package: %v", err)
	}
}

func TestLinkedWithNothing(t *testing.T) {
	t.Parallel()
	for name, content := range map[string]string{"script": "#!/bin/sh\n", "short": "x", "empty": ""} {
		file := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := linkedWith(file); err != nil || len(got) != 0 {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}
