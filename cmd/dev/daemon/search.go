package daemon

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
)

// places of a container engine's things: what it has started can be told by them.
type places struct {
	run  string // the folder of its sockets and state
	data string // the folder of its containers
}

// ours finds the processes that an engine has started and that still run: those with an argument below its run folder, which
// are the engine itself, containerd and the shims, and those of its containers, which are told by their control group, because
// their shim may have been killed too.
func ours(proc fs.FS, of places) ([]Process, error) {
	return search(proc, func(pid int) bool {
		folder := strconv.Itoa(pid)
		line, err := fs.ReadFile(proc, folder+"/cmdline")
		if err != nil {
			return false // it has ended meanwhile
		}
		if bytes.Contains(line, []byte("\x00"+of.run+"/")) {
			return true
		}
		groups, err := fs.ReadFile(proc, folder+"/cgroup")
		return err == nil && of.hasContainer(containerID.FindString(string(groups)))
	})
}

// containerID is a container's ID in the path of a control group: "/docker/<id>", or "docker-<id>.scope" under systemd.
var containerID = regexp.MustCompile(`\b[0-9a-f]{64}\b`)

// hasContainer says whether the container is of this engine, and not of another one on the machine.
func (p places) hasContainer(id string) bool {
	if id == "" {
		return false
	}
	_, err := os.Stat(filepath.Join(p.data, "containers", id))
	return err == nil
}

// search finds the running processes that are meant.
func search(proc fs.FS, meant func(pid int) bool) ([]Process, error) {
	entries, err := fs.ReadDir(proc, ".")
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	var found []Process
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil || !meant(pid) {
			continue
		}
		if process, err := identify(proc, pid); err == nil && process.Alive(proc) {
			found = append(found, process)
		}
	}
	return found, nil
}
