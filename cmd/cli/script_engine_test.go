package cli_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/muster-dev/muster/cmd/display"
	"github.com/muster-dev/muster/convergence/engine"
)

// engineDoes changes something behind Muster's back: `engine stop web-1`, `engine kill web-1 USR1`, `engine remove web-1`, `engine pause web-1`,
// `engine rename web-1 other`, `engine connect web-1 NETWORK`, `engine disconnect web-1 NETWORK`, `engine update web-1 JSON`.
func engineDoes(ts *testscript.TestScript, neg bool, args []string) {
	const least = 2
	if neg || len(args) < least {
		ts.Fatalf("usage: engine stop|kill|remove|pause|rename|connect|disconnect|update CONTAINER [WORD]")
	}
	name := full(ts, args[1])
	word := strings.Join(args[least:], " ")
	onEngine(ts, func(ctx context.Context, eng engine.Engine) error {
		switch args[0] {
		case "stop":
			return eng.StopContainer(ctx, name, nil)
		case "kill":
			return eng.KillContainer(ctx, name, word)
		case "remove":
			return eng.RemoveContainer(ctx, name, engine.RemoveContainer{Force: true})
		case "pause":
			return eng.PauseContainer(ctx, name)
		case "rename":
			return eng.RenameContainer(ctx, name, full(ts, word))
		case "connect":
			return eng.ConnectNetwork(ctx, name, engine.Endpoint{Network: word})
		case "disconnect":
			return eng.DisconnectNetwork(ctx, name, word)
		case "update":
			return post(ctx, ts.Getenv("DOCKER_HOST"), "/containers/"+name+"/update", word)
		}
		return fmt.Errorf("unknown deed %q", args[0])
	})
}

// post asks the engine for what Muster never does.
func post(ctx context.Context, host, path, body string) error {
	network, address, _ := strings.Cut(host, "://")
	client := &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, address)
		},
		DisableKeepAlives: true,
	}}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://engine"+path, strings.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("POST %s: %s", path, response.Status)
	}
	return nil
}

// validates holds a file, or the output, to a published schema: `validates muster.plan/1 stdout`.
func validates(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: validates SCHEMA FILE")
	}
	if err := display.Validate(args[0], []byte(ts.ReadFile(args[1]))); err != nil {
		ts.Fatalf("%s: %v", args[1], err)
	}
}
