package docker

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/docker/docker/api/types/events"
	"github.com/docker/docker/api/types/filters"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/project"
)

// Events implements [engine.Streams].
func (c *Client) Events(
	ctx context.Context, filter engine.EventFilter, ready func(), yield func(engine.Event) error,
) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	options := events.ListOptions{Filters: filters.NewArgs()}
	if filter.Project != "" {
		options.Filters.Add("label", project.LabelProject+"="+filter.Project)
	}
	if !filter.Since.IsZero() {
		options.Since = unixNano(filter.Since)
	}
	// The library returns once the engine has answered, which is when the subscription stands.
	messages, failures := c.api.Events(ctx, options)
	select {
	case err := <-failures:
		return c.eventsEnd(ctx, err)
	default:
	}
	if ready != nil {
		ready()
	}
	for {
		select {
		case message := <-messages:
			if err := yield(fromMessage(message)); err != nil {
				return err
			}
		case err := <-failures:
			return c.eventsEnd(ctx, err)
		}
	}
}

// eventsEnd is why a subscription ended: the caller's context, or a lost connection.
func (c *Client) eventsEnd(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err == nil {
		err = fmt.Errorf("event stream of %s ended", c.endpoint.Host)
	}
	return &apiError{engine.ErrUnavailable, err}
}

func fromMessage(message events.Message) engine.Event {
	action, detail, _ := strings.Cut(string(message.Action), ":")
	event := engine.Event{
		Kind: engine.EventKind(message.Type), Action: action, ID: message.Actor.ID,
		Time: time.Unix(0, message.TimeNano),
	}
	if event.Kind != engine.EventContainer {
		return event
	}
	attributes := message.Actor.Attributes
	event.Name = attributes["name"]
	event.Project = attributes[project.LabelProject]
	event.Service = attributes[project.LabelService]
	event.Number, _ = strconv.Atoi(attributes[project.LabelNumber])
	event.OneOff = attributes[project.LabelOneOff] == "True"
	event.ExitCode, _ = strconv.Atoi(attributes["exitCode"])
	if action == string(events.ActionHealthStatus) {
		event.Health = engine.Health(strings.TrimSpace(detail))
	}
	return event
}

func unixNano(t time.Time) string {
	return fmt.Sprintf("%d.%09d", t.Unix(), t.Nanosecond())
}

func containsFold(text, part string) bool {
	return strings.Contains(strings.ToLower(text), part)
}
