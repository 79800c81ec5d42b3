package dockertest_test

import (
	"context"
	"fmt"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/engine/docker"
	"github.com/muster-dev/muster/convergence/engine/docker/dockertest"
)

// An engine with a testbox image, a container in it, and a stop that fails once. Tests have it shorter: Start and Client.
func Example() {
	ctx := context.Background()
	eng := dockertest.New(dockertest.Options{})
	defer eng.Close()
	eng.AddImage(dockertest.Box("box:1"))
	client, err := docker.DialFunc(ctx, docker.Options{Env: func(string) string { return "" }}, eng.Dial)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()
	created, _ := client.CreateContainer(ctx, engine.CreateContainer{Name: "web", Image: "box:1", NetworkMode: "none"})
	_ = client.StartContainer(ctx, created.ID)
	eng.Inject(dockertest.Fault{On: dockertest.On("POST /containers/{id}/stop"), Nth: 1, Then: dockertest.Fail})
	fmt.Println(client.StopContainer(ctx, created.ID, nil))
	fmt.Print(eng.Snapshot())
	fmt.Println(len(eng.Calls()), "calls")
	// Output:
	// Error response from daemon: injected failure
	// container web box:1 running none
	// 4 calls
}
