package docker

import (
	"io/fs"
	"syscall"
)

// canShareSSH says whether OpenSSH can share connections here.
const canShareSSH = false

// apart gives a process a group of its own, so that an interrupt on the console does not end it.
func apart() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}

// isOurs says whether a file belongs to the user.
func isOurs(fs.FileInfo) bool { return false }
