package engine

import (
	"context"
	"time"
)

// Monitors looks at what containers do (Docker Engine API, /containers/{id}/top and /stats).
type Monitors interface {
	// ListProcesses returns the processes in a container, as ps on the engine's host tells them. [ErrConflict] when it does not run or
	// waits for its restart.
	ListProcesses(ctx context.Context, ref string) (Processes, error)
	// Stats calls yield with what a container uses, about once a second until the context ends, yield returns an error, or the
	// container is removed, which is no error; just once where once is set, after two measurements. Of a container that does not
	// run it is told that it uses nothing. [ErrNotFound] when there is none.
	Stats(ctx context.Context, ref string, once bool, yield func(Stats) error) error
}

// Processes is a table of processes.
type Processes struct {
	Titles []string // of the columns: UID, PID, ..., CMD
	Rows   [][]string
}

// Stats is what a container uses. Sums count from its start.
type Stats struct {
	Time time.Time
	// CPU is the use of processors since the measurement before, in percent of one.
	CPU float64
	// Memory is what it has in use, without files that are cached, and MemoryLimit what it may; bytes.
	Memory, MemoryLimit uint64
	// Received and Sent are bytes over all its networks.
	Received, Sent uint64
	// Read and Written are bytes of block devices.
	Read, Written uint64
	// Processes is how many there are, threads counted.
	Processes uint64
}
