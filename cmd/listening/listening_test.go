//go:build linux

package listening

import (
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
)

// What this process has is found, with its address, its protocol and this process.
func TestPorts(t *testing.T) {
	t.Parallel()
	tcp, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer tcp.Close()
	udp, err := new(net.ListenConfig).ListenPacket(t.Context(), "udp4", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	defer udp.Close()
	found := Ports()
	for _, want := range []struct{ protocol, address, listened string }{
		{"tcp", "127.0.0.1", tcp.Addr().String()},
		{"udp", "0.0.0.0", udp.LocalAddr().String()},
	} {
		_, port, _ := net.SplitHostPort(want.listened)
		i := slices.IndexFunc(found, func(p Port) bool {
			return strconv.Itoa(int(p.Number)) == port && p.Protocol == want.protocol && p.Address == want.address
		})
		if i < 0 {
			t.Errorf("%s %s is not found", want.protocol, want.listened)
			continue
		}
		if found[i].PID != os.Getpid() || found[i].Program == "" {
			t.Errorf("%s %s is that of process %d (%s)", want.protocol, want.listened, found[i].PID, found[i].Program)
		}
	}
}

func TestOwnerOfASocket(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "s")
	listener, err := new(net.ListenConfig).Listen(t.Context(), "unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	pid, ok := Owner(path)
	if !ok || pid != os.Getpid() || !SharesNetwork(pid) {
		t.Errorf("process %d, %v, shares a network: %v", pid, ok, SharesNetwork(pid))
	}
	if _, ok := Owner(path + "x"); ok {
		t.Error("a socket that is not there has an owner")
	}
}
