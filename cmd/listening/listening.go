// Package listening tells which programs of this host have which ports.
package listening

// Port is a port of the host that a program has.
type Port struct {
	Address  string // "0.0.0.0" and "::" stand for all addresses
	Number   uint16
	Protocol string // tcp, udp
	// Program and PID say whose it is; empty and 0 where this user may not know.
	Program string
	PID     int
}
