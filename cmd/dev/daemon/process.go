package daemon

import (
	"bytes"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
)

// Process is one process of one boot of the machine. A process ID alone comes back for another process sooner or later; with
// the moment it was started at it does not.
type Process struct {
	PID     int    `json:"pid"`
	Started uint64 `json:"started"` // in ticks since the boot
	Boot    string `json:"boot"`
}

// stat is what matters of proc_pid_stat(5).
type stat struct {
	state   byte
	parent  int
	started uint64
}

// identify looks at the process that has the ID now.
func identify(proc fs.FS, pid int) (Process, error) {
	found, err := readStat(proc, pid)
	if err != nil {
		return Process{}, err
	}
	boot, err := fs.ReadFile(proc, "sys/kernel/random/boot_id")
	if err != nil {
		return Process{}, fmt.Errorf("read boot id: %w", err)
	}
	return Process{PID: pid, Started: found.started, Boot: strings.TrimSpace(string(boot))}, nil
}

// Alive says whether the process still runs. proc is the file system /proc. A process that has ended but was not waited for
// does not run: where nothing adopts orphans, a killed engine stays like that for ever.
func (p Process) Alive(proc fs.FS) bool {
	now, err := identify(proc, p.PID)
	if err != nil || now != p {
		return false
	}
	found, err := readStat(proc, p.PID)
	return err == nil && found.state != 'Z' && found.state != 'X'
}

// readStat reads a process's status. Its second field is a name in parentheses, which may itself hold some.
func readStat(proc fs.FS, pid int) (stat, error) {
	data, err := fs.ReadFile(proc, strconv.Itoa(pid)+"/stat")
	if err != nil {
		return stat{}, fmt.Errorf("look at process %d: %w", pid, err)
	}
	const state, parent, started = 0, 1, 19 // counted from the field after the name
	fields := strings.Fields(string(data[bytes.LastIndexByte(data, ')')+1:]))
	if len(fields) <= started {
		return stat{}, fmt.Errorf("look at process %d: its status is cut off", pid)
	}
	found := stat{state: fields[state][0]}
	if found.parent, err = strconv.Atoi(fields[parent]); err != nil {
		return stat{}, fmt.Errorf("look at process %d: %w", pid, err)
	}
	if found.started, err = strconv.ParseUint(fields[started], 10, 64); err != nil {
		return stat{}, fmt.Errorf("look at process %d: %w", pid, err)
	}
	return found, nil
}
