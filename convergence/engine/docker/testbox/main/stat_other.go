//go:build !unix

package main

import (
	"fmt"

	"github.com/muster-dev/muster/convergence/engine/docker/testbox"
)

func stat(path string) (testbox.FileStat, error) {
	return testbox.FileStat{}, fmt.Errorf("stat %s: only containers of Linux have owners", path)
}
