// Muster brings Compose projects up, tells what it does and why, and takes them down again.
package main

import (
	"context"
	"os"

	"github.com/muster-dev/muster/cmd/cli"
)

func main() {
	os.Exit(cli.Main(context.Background(), os.Args[1:], cli.System(cli.Notify())))
}
