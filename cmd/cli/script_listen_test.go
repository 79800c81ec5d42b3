package cli_test

import (
	"context"
	"net"

	"github.com/rogpeppe/go-internal/testscript"
)

// listens has a port of this host until the script ends: `listens 127.0.0.1:28331`.
func listens(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: listens ADDRESS")
	}
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", args[0])
	ts.Check(err)
	ts.Defer(func() { _ = listener.Close() })
}
