package enginetest

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/project"
)

func networkCases() []testCase {
	return []testCase{
		{"a network is listed with its facts", networkIsListed},
		{"a network's name is taken once", networkNameIsTaken},
		{"a network that cannot be made", networkIsInvalid},
		{"a network is removed by ID or name", networkIsRemoved},
		{"a network in use stays", networkInUse},
		{"what every engine has cannot be removed", networkBuiltin},
	}
}

// subnet is one that no other test has, and no engine by itself.
func (f *fixture) subnet() (subnet, prefix string) {
	var sum uint32
	for _, c := range f.name {
		sum = sum*31 + uint32(c)
	}
	prefix = fmt.Sprintf("10.%d.%d.", 100+sum%100, sum/100%250)
	return prefix + "0/24", prefix
}

// withPool is a network with a subnet of its own.
func withPool(subnet, gateway string) project.Network {
	var wanted project.Network
	wanted.Ipam.Config = []*project.IPAMPool{{Subnet: subnet, Gateway: gateway}}
	return wanted
}

func (f *fixture) findNetwork(name string) (engine.Network, bool) {
	f.Helper()
	networks, err := f.ListNetworks(f.ctx)
	f.must(err, "list networks")
	var found engine.Network
	for i, n := range networks {
		if i > 0 && networks[i-1].Name > n.Name {
			f.Errorf("list networks: %s stands before %s", networks[i-1].Name, n.Name)
		}
		if n.Name == f.own(name) {
			found = n
		}
	}
	return found, found.ID != ""
}

func networkIsListed(f *fixture) {
	subnet, prefix := f.subnet()
	wanted := withPool(subnet, prefix+"9")
	wanted.Internal, wanted.Driver = true, "bridge"
	id := f.network("b", wanted)
	f.network("a", project.Network{})
	n, _ := f.findNetwork("b")
	equal(f, "ID", n.ID, id)
	equal(f, "driver", n.Settings.Driver, "bridge")
	equal(f, "internal", n.Settings.Internal, true)
	equal(f, "label", n.Labels[project.LabelProject], f.name)
	equal(f, "pools", len(n.Settings.Ipam.Config), 1)
	equal(f, "subnet", n.Settings.Ipam.Config[0].Subnet, subnet)
	equal(f, "gateway", n.Settings.Ipam.Config[0].Gateway, prefix+"9")
	n, _ = f.findNetwork("a")
	equal(f, "driver by default", n.Settings.Driver, "bridge")
	equal(f, "internal by default", n.Settings.Internal, false)
	equal(f, "has a subnet", len(n.Settings.Ipam.Config), 1)
}

func networkNameIsTaken(f *fixture) {
	var made atomic.Int32
	var group errgroup.Group
	for range 4 {
		group.Go(func() error {
			_, err := f.CreateNetwork(f.ctx, engine.CreateNetwork{Name: f.own("net")})
			if err == nil {
				made.Add(1)
				return nil
			}
			f.wants(err, engine.ErrConflict, "create network")
			return nil
		})
	}
	_ = group.Wait()
	equal(f, "networks made", made.Load(), 1)
}

func networkIsInvalid(f *fixture) {
	subnet, _ := f.subnet()
	f.network("first", withPool(subnet, ""))
	for _, c := range []struct {
		what     string
		network  project.Network
		sentinel error
	}{
		{"a subnet that is none", withPool("nonsense", ""), engine.ErrInvalid},
		{"a subnet that is taken", withPool(subnet, ""), engine.ErrConflict},
	} {
		_, err := f.CreateNetwork(f.ctx, engine.CreateNetwork{Name: f.own("net"), Network: c.network})
		f.wants(err, c.sentinel, "create network with "+c.what)
	}
	_, err := f.CreateNetwork(f.ctx, engine.CreateNetwork{Name: ""})
	f.wants(err, engine.ErrInvalid, "create network without a name")
	_, there := f.findNetwork("net")
	equal(f, "something is left", there, false)
}

func networkIsRemoved(f *fixture) {
	id := f.network("a", project.Network{})
	f.network("b", project.Network{})
	f.must(f.RemoveNetwork(f.ctx, id), "remove by ID")
	f.must(f.RemoveNetwork(f.ctx, f.own("b")), "remove by name")
	f.wants(f.RemoveNetwork(f.ctx, id), engine.ErrNotFound, "remove again")
	_, there := f.findNetwork("a")
	equal(f, "is there still", there, false)
}

func networkInUse(f *fixture) {
	f.network("net", project.Network{})
	request := f.request("web", "-stay")
	request.NetworkMode, request.Networks = "", []engine.Endpoint{{Network: f.own("net")}}
	id := f.start(request)
	err := f.RemoveNetwork(f.ctx, f.own("net"))
	f.wants(err, engine.ErrInUse, "remove while a container runs in it")
	if err == nil || !strings.Contains(err.Error(), f.own("web")) {
		f.Errorf("error: got %v, want it to name the container", err)
	}
	f.must(f.StopContainer(f.ctx, id, nil), "stop")
	f.must(f.RemoveNetwork(f.ctx, f.own("net")), "remove once the container has ended")
}

func networkBuiltin(f *fixture) {
	if err := f.RemoveNetwork(f.ctx, "bridge"); err == nil {
		f.Error("remove the engine's own network: no error")
	}
	_, err := f.CreateNetwork(context.WithoutCancel(f.ctx), engine.CreateNetwork{Name: "host"})
	f.wants(err, engine.ErrConflict, "create a network that every engine has")
}
