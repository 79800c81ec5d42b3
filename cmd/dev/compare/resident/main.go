//go:build unix

// Command resident runs a command and prints how many bytes of memory it held at most. It is a program of its own because the
// kernel counts a process's memory from before its exec, when it still is its parent's: so the parent must be small. After -pass
// the command's output goes to the standard output, and the number to the standard error.
package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
)

func main() {
	arguments, told := os.Args[1:], io.Writer(os.Stdout)
	pass := arguments[0] == "-pass"
	if pass {
		arguments, told = arguments[1:], os.Stderr
	}
	command := exec.Command(arguments[0], arguments[1:]...) //nolint:gosec // it is what it is for
	if pass {
		command.Stdout = os.Stdout
	}
	err := command.Run()
	usage, ok := command.ProcessState.SysUsage().(*syscall.Rusage)
	if err != nil || !ok {
		fmt.Fprintln(os.Stderr, "resident:", err)
		os.Exit(1)
	}
	const kilobyte = 1024 // ru_maxrss is in KB (getrusage, Linux)
	fmt.Fprintln(told, usage.Maxrss*kilobyte)
}
