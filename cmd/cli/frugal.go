package cli

import (
	"runtime"
	"runtime/debug"
)

// softMemory is what the garbage collector tries to stay below, in bytes. Live data is far less.
const softMemory = 16 << 20

// frugal makes the process fit to pass on lines. One processor copies them faster than any engine gives them; with more, Go's
// scheduler spends as much time on looking for work as the work takes, at the expense of the containers on the same machine.
func frugal() {
	runtime.GOMAXPROCS(1)
	debug.SetMemoryLimit(softMemory)
}
