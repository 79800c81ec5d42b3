package software

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
)

// addSystem adds what every system has: folders, accounts, and the small programs, all of which are busybox.
func (r rootfs) addSystem(ctx context.Context, own user) error {
	accounts, groups := "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n", "root:x:0:\nnogroup:x:65534:\n"
	if own.Name != "" {
		accounts += fmt.Sprintf("%[1]s:x:%[2]d:%[2]d:%[1]s:%[3]s:/bin/sh\n", own.Name, own.ID, own.Home)
		groups += fmt.Sprintf("%s:x:%d:\n", own.Name, own.ID)
	}
	r.file("etc/passwd", readable, []byte(accounts))
	r.file("etc/group", readable, []byte(groups))
	r.file("etc/nsswitch.conf", readable, []byte("passwd: files\ngroup: files\nhosts: files dns\n"))
	const private = 0o700
	r.folder("tmp", anybody, 0)
	r.folder("root", private, 0)
	r.folder("run", program, 0)
	r.link("var/run", "/run")
	for _, name := range mergedFolders() {
		r.folder("usr/"+name, program, 0)
		r.link(name, "usr/"+name)
	}
	return r.addBusybox(ctx)
}

// addBusybox adds busybox and a link to it for each of its programs that is not there as one of its own.
func (r rootfs) addBusybox(ctx context.Context) error {
	found, err := r.find("*bin/busybox")
	if errors.Is(err, fs.ErrNotExist) {
		found, err = r.find("usr/*bin/busybox")
	}
	if err != nil {
		return err
	}
	if err := r.take(found[0], nil); err != nil {
		return err
	}
	// It is linked statically and for this machine, so that it can be asked here.
	listed, err := exec.CommandContext(ctx, filepath.Join(r.packages, found[0]), "--list-full").Output()
	if err != nil {
		return fmt.Errorf("ask busybox for its programs: %w", err)
	}
	for applet := range strings.Lines(string(listed)) {
		name := merged(strings.TrimSpace(applet))
		if _, taken := r.entries[name]; !taken && path.Base(name) != name {
			r.link(name, "/"+merged(found[0]))
		}
	}
	return nil
}
