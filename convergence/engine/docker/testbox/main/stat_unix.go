//go:build unix

package main

import (
	"fmt"
	"os"
	"syscall"

	"github.com/muster-dev/muster/convergence/engine/docker/testbox"
)

func stat(path string) (testbox.FileStat, error) {
	info, err := os.Stat(path)
	if err != nil {
		return testbox.FileStat{}, err
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return testbox.FileStat{}, fmt.Errorf("stat %s: no owner", path)
	}
	return testbox.FileStat{UID: int(owner.Uid), GID: int(owner.Gid), Mode: uint32(info.Mode().Perm())}, nil
}
