//go:build !linux

package listening

// Ports returns none: this system has no cheap way to tell.
func Ports() []Port { return nil }

// SharesNetwork says whether this process and another one have the same network; always false where that cannot be told.
func SharesNetwork(int) bool { return false }

// Owner is the process behind a socket; always false where that cannot be told.
func Owner(string) (pid int, ok bool) { return 0, false }
