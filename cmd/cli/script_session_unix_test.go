//go:build unix

package cli_test

import "syscall"

// ownTerminal has a process begin a session of its own, with its input as the terminal.
func ownTerminal() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true, Setctty: true} }
