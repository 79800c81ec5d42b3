//go:build unix

package sshdial

import (
	"io/fs"
	"slices"
	"syscall"
)

// canShare says whether OpenSSH can share connections here.
const canShare = true

// apart gives a process a session of its own, without a terminal.
func apart() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }

// isOwned says whether a file belongs to one of the users.
func isOwned(info fs.FileInfo, users ...int) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && slices.Contains(users, int(stat.Uid))
}
