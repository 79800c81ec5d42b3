package display

import (
	"fmt"
	"io"
	"slices"

	"github.com/mattn/go-runewidth"

	"github.com/muster-dev/muster/convergence/engine"
)

// Addresses writes where published ports are reached, a line a service: where to look once the stack is up.
func Addresses(w io.Writer, containers []engine.Container) {
	type address struct{ service, url string }
	var addresses []address
	width := 0
	for _, c := range containers {
		for _, port := range c.Ports {
			found := address{harmless(c.Service), fmt.Sprintf("http://localhost:%d", port.HostPort)}
			if port.HostPort == 0 || port.Protocol != "tcp" || slices.Contains(addresses, found) {
				continue
			}
			addresses = append(addresses, found)
			width = max(width, runewidth.StringWidth(found.service))
		}
	}
	for _, found := range addresses {
		_, _ = fmt.Fprintln(w, pad(found.service, width)+"  "+found.url)
	}
}
