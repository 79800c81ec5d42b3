// Command idle has all that Muster has in it, and does nothing: what Muster takes to start is measured against it.
package main

import (
	_ "github.com/muster-dev/muster/cmd/cli" // for what its packages do when a program starts
)

func main() {}
