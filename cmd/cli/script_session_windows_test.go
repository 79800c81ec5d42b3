package cli_test

import "syscall"

// ownTerminal is nothing that Windows has: scripts with terminals do not run there.
func ownTerminal() *syscall.SysProcAttr { return nil }
