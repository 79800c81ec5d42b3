package cli

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/muster-dev/muster/convergence/engine"
)

type portOptions struct {
	*globals
	index    int
	protocol string
}

func newPort(g *globals) *cobra.Command {
	o := &portOptions{globals: g}
	cmd := &cobra.Command{
		Use:   "port [OPTIONS] SERVICE PRIVATE_PORT",
		Short: "Print the public port for a port binding",
		Args:  cobra.ExactArgs(2), //nolint:mnd // a service and a port
		RunE:  func(cmd *cobra.Command, args []string) error { return runPort(cmd.Context(), o, args[0], args[1]) },
	}
	cmd.Flags().IntVar(&o.index, "index", 0, "Index of the container if service has multiple replicas")
	cmd.Flags().StringVar(&o.protocol, "protocol", "tcp", `"tcp" or "udp"`)
	return cmd
}

func runPort(ctx context.Context, o *portOptions, service, private string) error {
	const bits = 16
	port, err := strconv.ParseUint(private, 10, bits)
	if err != nil {
		return fmt.Errorf("invalid port %q: a number from 1 to 65535 is wanted", private)
	}
	here, err := o.look(ctx, []string{service})
	if err != nil {
		return err
	}
	defer here.engine.Close() //nolint:errcheck // nothing is left to be said to the engine
	container, err := pick(here.containers, service, o.index)
	if err != nil {
		return err
	}
	protocol := strings.ToLower(o.protocol)
	var others []string
	for _, known := range container.Ports {
		if known.Port == uint16(port) && known.Protocol == protocol && known.HostPort != 0 {
			_, err := fmt.Fprintf(o.app.Out, "%s:%d\n", cmp.Or(known.HostIP, "0.0.0.0"), known.HostPort)
			return err
		}
		if text := fmt.Sprintf("%d/%s", known.Port, known.Protocol); !slices.Contains(others, text) {
			others = append(others, text)
		}
	}
	return fmt.Errorf("no port %d/%s for container %s: %s", port, protocol, container.Name, strings.Join(others, ", "))
}

// pick is the container of a service that a command is for: the replica with a number, else the lowest that runs, one-offs last.
func pick(containers []engine.Container, service string, index int) (engine.Container, error) {
	var candidates []engine.Container
	for _, container := range containers {
		if container.Service == service && container.Running() && (index == 0 || container.Number == index && !container.OneOff) {
			candidates = append(candidates, container)
		}
	}
	if len(candidates) == 0 && index > 0 {
		return engine.Container{}, fmt.Errorf("service %q is not running container #%d", service, index)
	}
	if len(candidates) == 0 {
		return engine.Container{}, fmt.Errorf("service %q is not running", service)
	}
	return slices.MinFunc(candidates, func(a, b engine.Container) int {
		order := func(c engine.Container) int {
			if c.OneOff {
				return 1
			}
			return 0
		}
		return cmp.Or(cmp.Compare(order(a), order(b)), cmp.Compare(a.Number, b.Number))
	}), nil
}
