package cli_test

import (
	"context"
	"fmt"
	"net/http"
	"strconv"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/muster-dev/muster/convergence/engine/docker/dockertest"
)

// ownRegistry is a registry that a script has for itself, and can do things to.
type ownRegistry interface {
	address() string
	// push puts testbox under a name, "repository:tag", with its version in the variable VERSION.
	push(name, version string) error
	// refuse answers every request with a status.
	refuse(status int)
	// hold stops pulls in the middle of the layer; awaitHeld returns when one has. release lets them go on, or cuts them off for good.
	hold()
	awaitHeld(ctx context.Context) error
	release(lost bool) error
	// down makes it unreachable, and well ends that and refuse.
	down() error
	well(ctx context.Context) error
}

// ownRegistryDoes starts a registry of the script's own, which $OWN names, or does something to it: `registry start [USER PASSWORD]`,
// `registry push NAME VERSION`, `registry refuse STATUS`, `registry hold`, `registry held`, `registry release`, `registry lose`,
// `registry down`, `registry well`.
func ownRegistryDoes(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: registry start|push|refuse|hold|held|release|lose|down|well [ARGUMENT...]")
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	here, _ := ts.Value(placeKey{}).(place)
	if args[0] == "start" {
		user, password := "", ""
		if len(args) > 2 {
			user, password = args[1], args[2]
		}
		started, err := here.startRegistry(user, password)
		ts.Check(err)
		*here.own = started
		ts.Setenv("OWN", started.address())
		return
	}
	if *here.own == nil {
		ts.Fatalf("no registry was started")
	}
	ts.Check(do(ctx, *here.own, args))
}

func do(ctx context.Context, own ownRegistry, args []string) error {
	switch {
	case args[0] == "push" && len(args) > 2:
		return own.push(args[1], args[2])
	case args[0] == "refuse" && len(args) > 1:
		status, err := strconv.Atoi(args[1])
		own.refuse(status)
		return err
	case args[0] == "hold":
		own.hold()
		return nil
	case args[0] == "held":
		return own.awaitHeld(ctx)
	case args[0] == "release":
		return own.release(false)
	case args[0] == "lose":
		return own.release(true)
	case args[0] == "down":
		return own.down()
	case args[0] == "well":
		return own.well(ctx)
	}
	return fmt.Errorf("registry cannot %v", args)
}

// fakeRegistry is one that the engine in memory reaches.
type fakeRegistry struct {
	images  *dockertest.Registry
	reached <-chan struct{}
	end     func(lost bool)
}

const fakeAddress = "127.0.0.1:5001"

func startFakeRegistry(images *dockertest.Registry, user, password string) *fakeRegistry {
	if user != "" {
		images.Protect(fakeAddress, user, password)
	}
	return &fakeRegistry{images: images, end: func(bool) {}}
}

func (f *fakeRegistry) address() string { return fakeAddress }

func (f *fakeRegistry) push(name, version string) error {
	return pushVersion(f.images, fakeAddress+"/"+name, version)
}

// pushVersion puts testbox into a registry in memory.
func pushVersion(images *dockertest.Registry, ref, version string) error {
	image := dockertest.Box(ref)
	image.Version, image.Env = version, []string{"VERSION=" + version}
	images.Push(image)
	return nil
}

// refuse has the engine's words for what a registry answers.
func (f *fakeRegistry) refuse(status int) {
	switch status {
	case http.StatusForbidden:
		f.images.FailAll(fakeAddress, status, "denied")
	case http.StatusTooManyRequests:
		f.images.FailAll(fakeAddress, status, "toomanyrequests")
	default:
		f.images.FailAll(fakeAddress, http.StatusInternalServerError,
			fmt.Sprintf("received unexpected HTTP status: %d %s", status, http.StatusText(status)))
	}
}

func (f *fakeRegistry) hold() { f.reached, f.end = f.images.Hold(fakeAddress) }

func (f *fakeRegistry) awaitHeld(ctx context.Context) error {
	select {
	case <-f.reached:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (f *fakeRegistry) release(lost bool) error {
	f.end(lost)
	return nil
}

func (f *fakeRegistry) down() error {
	f.images.FailAll(fakeAddress, http.StatusInternalServerError,
		`Get "http://`+fakeAddress+`/v2/": dial tcp `+fakeAddress+`: connect: connection refused`)
	return nil
}

func (f *fakeRegistry) well(context.Context) error {
	f.images.FailAll(fakeAddress, 0, "")
	return nil
}
