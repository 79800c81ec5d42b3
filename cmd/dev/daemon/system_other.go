//go:build !linux

package daemon

import (
	"context"
	"errors"
	"syscall"
)

var errLinuxOnly = errors.New("an engine can be started on Linux only")

func ownSession() *syscall.SysProcAttr { return nil }

func terminate(int) error { return errLinuxOnly }

func kill(int) error { return errLinuxOnly }

func unmount(string) error { return errLinuxOnly }

// Lock lets nobody: an engine can be started on Linux only.
func Lock(context.Context, string) (release func(), err error) { return nil, errLinuxOnly }
