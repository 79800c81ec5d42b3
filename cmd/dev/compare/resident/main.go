//go:build unix

// Command resident runs a command and prints how many bytes of memory it held at most. It is a program of its own because the
// kernel counts a process's memory from before its exec, when it still is its parent's: so the parent must be small.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
)

func main() {
	command := exec.Command(os.Args[1], os.Args[2:]...) //nolint:gosec // it is what it is for
	err := command.Run()
	usage, ok := command.ProcessState.SysUsage().(*syscall.Rusage)
	if err != nil || !ok {
		fmt.Fprintln(os.Stderr, "resident:", err)
		os.Exit(1)
	}
	const kilobyte = 1024 // ru_maxrss is in KB (getrusage, Linux)
	fmt.Println(usage.Maxrss * kilobyte)
}
