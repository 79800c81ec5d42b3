//go:build !linux

package registry

import "syscall"

func withOwner() *syscall.SysProcAttr { return nil }
