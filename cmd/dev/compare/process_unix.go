//go:build unix

package compare

import (
	"errors"
	"os"
	"syscall"
)

// residentBytes is the most memory that a process that has ended held at once (getrusage, ru_maxrss: KB on Linux).
func residentBytes(state *os.ProcessState) (int64, error) {
	usage, ok := state.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0, errors.New("measure memory: the system does not tell")
	}
	const kilobyte = 1024
	return usage.Maxrss * kilobyte, nil
}
