package cli

import (
	"runtime"
	"runtime/debug"
)

// frugalGarbage is how much garbage may lie beside live data, in percent of it. Passing on lines makes none.
const frugalGarbage = 25

// frugal makes the process fit to pass on lines. One processor copies them faster than any engine gives them; with more, Go's
// scheduler spends as much time on looking for work as the work takes, at the expense of the containers on the same machine.
// What only the start needed, its garbage and the pages of the program, is given back.
func frugal() {
	runtime.GOMAXPROCS(1)
	debug.SetGCPercent(frugalGarbage)
	releaseProgram()
}
