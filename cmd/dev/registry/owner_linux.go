package registry

import "syscall"

// withOwner makes the kernel end a process when the thread ends that started it.
func withOwner() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
