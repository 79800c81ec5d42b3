package enginetest

import (
	"slices"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/project"
)

func attachmentCases() []testCase {
	return []testCase{
		{"a container is attached to several networks", attachSeveral},
		{"a created container knows its networks by name", attachCreated},
		{"connect and disconnect a running container", connectRunning},
		{"connect before the first start", connectCreated},
		{"connect and disconnect what is not there", connectNothing},
		{"containers find one another by name and alias", findOneAnother},
		{"a fixed address is given, and taken once", fixedAddress},
		{"a network namespace is shared", namespaceShared},
	}
}

// inNetwork is a request for a container in networks of the test.
func (f *fixture) inNetwork(request engine.CreateContainer, networks ...engine.Endpoint) engine.CreateContainer {
	request.NetworkMode, request.Networks = "", networks
	return request
}

func attachSeveral(f *fixture) {
	front, back := f.network("front", project.Network{}), f.network("back", project.Network{})
	id := f.start(f.inNetwork(f.request("web", "-stay"), engine.Endpoint{Network: f.own("front")}, engine.Endpoint{Network: f.own("back")}))
	for _, c := range []engine.Container{f.listed("web"), f.inspect(id).Container} {
		equal(f, "network mode", c.NetworkMode, f.own("front"))
		if len(c.Networks) != 2 {
			f.Fatalf("networks: got %v, want two", c.Networks)
		}
		equal(f, "first network by name", c.Networks[0].NetworkID, back)
		equal(f, "second network by name", c.Networks[1].NetworkID, front)
		equal(f, "first name", c.Networks[0].Network, f.own("back"))
		if c.Networks[0].IPv4 == "" || c.Networks[1].IPv4 == "" {
			f.Errorf("addresses: got %v, want one in each network", c.Networks)
		}
	}
	f.must(f.StopContainer(f.ctx, id, nil), "stop")
	stopped := f.listed("web")
	equal(f, "network of one that has ended", stopped.Networks[1].NetworkID, front)
	equal(f, "address of one that has ended", stopped.Networks[1].IPv4, "")
}

func attachCreated(f *fixture) {
	f.network("net", project.Network{})
	f.create(f.inNetwork(f.request("web", "-stay"), engine.Endpoint{Network: f.own("net")}))
	c := f.listed("web")
	if len(c.Networks) != 1 {
		f.Fatalf("networks: got %v, want one", c.Networks)
	}
	equal(f, "network", c.Networks[0], engine.Attachment{Network: f.own("net")})
}

func connectRunning(f *fixture) {
	w := f.watch("")
	first, second := f.network("a", project.Network{}), f.network("b", project.Network{})
	id := f.start(f.inNetwork(f.request("web", "-stay"), engine.Endpoint{Network: f.own("a")}))
	w.await(first, "connect")
	f.must(f.ConnectNetwork(f.ctx, id, engine.Endpoint{Network: f.own("b")}), "connect")
	w.await(second, "connect")
	equal(f, "networks", len(f.listed("web").Networks), 2)
	f.wants(f.ConnectNetwork(f.ctx, id, engine.Endpoint{Network: f.own("b")}), engine.ErrConflict, "connect again")
	f.must(f.DisconnectNetwork(f.ctx, id, second), "disconnect by ID")
	w.await(second, "disconnect")
	equal(f, "networks", len(f.listed("web").Networks), 1)
	f.wants(f.DisconnectNetwork(f.ctx, id, second), engine.ErrNotFound, "disconnect again")
	f.must(f.RemoveNetwork(f.ctx, second), "remove the network")
}

func connectCreated(f *fixture) {
	f.network("a", project.Network{})
	f.network("b", project.Network{})
	id := f.create(f.inNetwork(f.request("web", "-stay"), engine.Endpoint{Network: f.own("a")}))
	f.must(f.ConnectNetwork(f.ctx, id, engine.Endpoint{Network: f.own("b"), Aliases: []string{"other"}}), "connect")
	f.must(f.StartContainer(f.ctx, id), "start")
	c := f.listed("web")
	if len(c.Networks) != 2 || c.Networks[1].IPv4 == "" {
		f.Errorf("networks: got %v, want two with addresses", c.Networks)
	}
}

func connectNothing(f *fixture) {
	f.network("net", project.Network{})
	id := f.start(f.inNetwork(f.request("web", "-stay"), engine.Endpoint{Network: f.own("net")}))
	nothing := f.own("nothing")
	f.wants(f.ConnectNetwork(f.ctx, id, engine.Endpoint{Network: nothing}), engine.ErrNotFound, "connect to no network")
	f.wants(f.ConnectNetwork(f.ctx, nothing, engine.Endpoint{Network: f.own("net")}), engine.ErrNotFound, "connect no container")
	f.wants(f.DisconnectNetwork(f.ctx, id, nothing), engine.ErrNotFound, "disconnect from no network")
	f.wants(f.DisconnectNetwork(f.ctx, nothing, f.own("net")), engine.ErrNotFound, "disconnect no container")
}

func findOneAnother(f *fixture) {
	f.network("net", project.Network{})
	server := f.inNetwork(f.request("server", "-out", "ready", "-serve", ":8080"),
		engine.Endpoint{Network: f.own("net"), Aliases: []string{"server", "store"}})
	server.Service.Environment = map[string]*string{"APP_MESSAGE": ptr("hello")}
	f.start(server)
	f.awaitServing("server")
	client := f.inNetwork(f.request("client", "-fetch", "http://store:8080/", "-fetch", "http://server:8080/",
		"-fetch", "http://"+f.own("server")+":8080/"), engine.Endpoint{Network: f.own("net")})
	details := f.finish(client)
	equal(f, "exit code", details.ExitCode, 0)
	equal(f, "output", f.output(details.ID), "hello\nhello\nhello\n")
	stranger := f.finish(f.request("stranger", "-fetch", "http://server:8080/"))
	equal(f, "exit code of one outside of the network", stranger.ExitCode, 1)
}

// awaitServing waits until a container answers, by asking from containers that share its network.
func (f *fixture) awaitServing(name string) {
	f.Helper()
	request := f.request(name+"-probe", "-fetch", "http://localhost:8080/health")
	request.NetworkMode = "container:" + f.own(name)
	for attempt := range 20 {
		request.Name = f.own(name + "-probe" + string(rune('a'+attempt)))
		if f.finish(request).ExitCode == 0 {
			return
		}
	}
	f.Fatalf("%s never answers", name)
}

func fixedAddress(f *fixture) {
	subnet, prefix := f.subnet()
	f.network("net", withPool(subnet, ""))
	f.network("free", project.Network{})
	fixed := engine.Endpoint{Network: f.own("net"), Options: &project.Endpoint{Ipv4Address: prefix + "77"}}
	id := f.start(f.inNetwork(f.request("a", "-stay"), fixed))
	equal(f, "address", f.listed("a").Networks[0].IPv4, prefix+"77")
	second := f.create(f.inNetwork(f.request("b", "-stay"), fixed)) // addresses are taken at the start
	f.wants(f.StartContainer(f.ctx, second), engine.ErrConflict, "start with an address that is taken")
	f.must(f.StopContainer(f.ctx, id, nil), "stop the first")
	f.must(f.StartContainer(f.ctx, second), "start once the address is free")
	_, err := f.CreateContainer(f.ctx, f.inNetwork(f.request("c"), engine.Endpoint{
		Network: f.own("net"), Options: &project.Endpoint{Ipv4Address: "192.0.2.1"},
	}))
	f.wants(err, engine.ErrInvalid, "create with an address outside of the network")
	_, err = f.CreateContainer(f.ctx, f.inNetwork(f.request("c"), engine.Endpoint{
		Network: f.own("free"), Options: &project.Endpoint{Ipv4Address: "192.0.2.1"},
	}))
	f.wants(err, engine.ErrInvalid, "create with a fixed address where the network has no subnet of its own")
}

func namespaceShared(f *fixture) {
	f.network("net", project.Network{})
	owner := f.create(f.inNetwork(f.request("owner", "-serve", ":8080"), engine.Endpoint{Network: f.own("net")}))
	guest := f.request("guest", "-stay")
	guest.NetworkMode = "container:" + f.own("owner")
	id := f.create(guest)
	f.wants(f.StartContainer(f.ctx, id), engine.ErrConflict, "start before the owner")
	f.must(f.StartContainer(f.ctx, owner), "start the owner")
	f.must(f.StartContainer(f.ctx, id), "start")
	for _, c := range []engine.Container{f.listed("guest"), f.inspect(id).Container} {
		equal(f, "network mode", c.NetworkMode, "container:"+owner)
		equal(f, "networks", slices.Equal(c.Networks, []engine.Attachment{}), true)
	}
	f.awaitServing("owner")
}
