package cli

import (
	"net"
	"net/netip"
	"net/url"
	"strings"

	"github.com/muster-dev/muster/cmd/listening"
	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/plan"
)

// nearby is a [convergence.Nearby]: what this host tells of the engine that was dialled.
func (g *globals) nearby(networks []engine.Network) (listeners []plan.Listener, elsewhere string) {
	if elsewhere = hostOf(g.endpoint.Host); elsewhere != "" || !g.sharesNetwork(networks) {
		return nil, elsewhere
	}
	for _, port := range listening.Ports() {
		listeners = append(listeners, plan.Listener{
			Address: port.Address, Port: port.Number, Protocol: port.Protocol, Program: port.Program, PID: port.PID,
		})
	}
	return listeners, ""
}

// hostOf is the host of an engine's address that is another one than this; empty where it is this one, or that is not known.
func hostOf(address string) string {
	parsed, err := url.Parse(address)
	if err != nil || parsed.Scheme == "unix" || parsed.Scheme == "npipe" || parsed.Hostname() == "localhost" {
		return ""
	}
	if ip, err := netip.ParseAddr(parsed.Hostname()); err == nil && ip.IsLoopback() {
		return ""
	}
	return parsed.Hostname()
}

// sharesNetwork says whether the engine publishes ports on this host: a bridge of one of its networks is here, by its ID, or the process
// behind its socket is in this network. That a socket is local proves nothing: a virtual machine may be behind it.
func (g *globals) sharesNetwork(networks []engine.Network) bool {
	const idLength = 12
	for _, network := range networks {
		if network.Settings.Driver != "bridge" || len(network.ID) < idLength {
			continue
		}
		if _, err := net.InterfaceByName("br-" + network.ID[:idLength]); err == nil {
			return true
		}
	}
	socket, isSocket := strings.CutPrefix(g.endpoint.Host, "unix://")
	if !isSocket {
		return false
	}
	pid, ok := listening.Owner(socket)
	return ok && listening.SharesNetwork(pid)
}
