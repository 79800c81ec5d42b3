package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/muster-dev/muster/cmd/display"
	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/project"
)

type eventsOptions struct {
	*globals
	services     []string
	json         bool
	since, until string
}

func newEvents(g *globals) *cobra.Command {
	o := &eventsOptions{globals: g}
	cmd := &cobra.Command{
		Use: "events [OPTIONS] [SERVICE...]", Short: "Receive real time events from containers",
		Long: `Receive real time events from containers, until interrupted or until the moment that --until names.

--since brings what the engine remembers, which are its newest 256 events.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.services = args
			return runEvents(cmd.Context(), o)
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&o.json, "json", false, "Output events as a stream of json objects")
	flags.StringVar(&o.since, "since", "", "Show all events created since timestamp")
	flags.StringVar(&o.until, "until", "", "Stream events until this timestamp")
	return cmd
}

func runEvents(ctx context.Context, o *eventsOptions) error {
	now := time.Now()
	since, err := parseMoment("since", o.since, now)
	if err != nil {
		return err
	}
	until, err := parseMoment("until", o.until, now)
	if err != nil {
		return err
	}
	here, err := o.look(ctx, o.services)
	if err != nil {
		return err
	}
	defer here.engine.Close() //nolint:errcheck // nothing is left to be said to the engine
	filter := engine.EventFilter{Project: here.name, Since: since, Until: until}
	if err := here.engine.Events(ctx, filter, nil, o.write); err != nil {
		return fmt.Errorf("follow events of project %q: %w", here.name, err)
	}
	return nil
}

// write tells of an event of a service's container. One-offs are left out, as docker compose has it.
func (o *eventsOptions) write(event engine.Event) error {
	switch {
	case event.Kind == engine.EventResync:
		o.warn([]project.Warning{{Message: "the connection to the engine was lost for a while: events may be missing or come twice"}})
		return nil
	case event.Kind != engine.EventContainer, event.OneOff, !isNamed(o.services, engine.Container{Service: event.Service}):
		return nil
	}
	if o.json {
		return display.EventJSON(o.app.Out, event, withoutOurs(event.Attributes))
	}
	return display.Event(o.app.Out, event, withoutOurs(event.Attributes))
}

// withoutOurs leaves out the labels that are nobody's business but the tool's.
func withoutOurs(attributes map[string]string) map[string]string {
	others := map[string]string{}
	for key, value := range attributes {
		if !strings.HasPrefix(key, "com.docker.compose.") && !strings.HasPrefix(key, "dev.muster.") {
			others[key] = value
		}
	}
	return others
}
