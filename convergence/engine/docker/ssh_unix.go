//go:build unix

package docker

import (
	"io/fs"
	"os"
	"syscall"
)

// canShareSSH says whether OpenSSH can share connections here.
const canShareSSH = true

// apart gives a process a session of its own, without a terminal.
func apart() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }

// isOurs says whether a file belongs to the user.
func isOurs(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int64(stat.Uid) == int64(os.Geteuid())
}
