// Muster brings Compose projects up, tells what it does and why, and takes them down again.
package main

import (
	"context"
	"os"

	"github.com/muster-dev/muster/cmd/cli"
)

func main() {
	if cli.Introduce(os.Args[1:], os.Stdout) {
		return
	}
	os.Exit(cli.Main(context.Background(), os.Args[1:], cli.System(cli.Notify())))
}
