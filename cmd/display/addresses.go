package display

import (
	"fmt"
	"io"
	"slices"

	"github.com/muster-dev/muster/convergence/engine"
)

// Addresses writes where published ports are reached, a line a service: where to look once the stack is up.
func Addresses(w io.Writer, containers []engine.Container) {
	var lines []string
	width := 0
	for _, c := range containers {
		width = max(width, len(c.Service))
	}
	for _, c := range containers {
		for _, port := range c.Ports {
			if port.HostPort == 0 || port.Protocol != "tcp" {
				continue
			}
			line := fmt.Sprintf("%s  http://localhost:%d", pad(harmless(c.Service), width), port.HostPort)
			if !slices.Contains(lines, line) {
				lines = append(lines, line)
			}
		}
	}
	for _, line := range lines {
		_, _ = fmt.Fprintln(w, line)
	}
}
