package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
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
	options := eventOptions(filter)
	status := make(chan int, 1)
	messages, failures := c.api.Events(context.WithValue(ctx, statusTeller{}, status), options)
	if err := refused(status, failures); err != nil {
		return c.wrap(err)
	}
	if ready != nil {
		ready()
	}
	for {
		select {
		case message := <-messages:
			if err := tell(filter, message, yield); err != nil {
				return err
			}
		case err := <-failures:
			if !filter.Until.IsZero() && errors.Is(err, io.EOF) {
				return nil
			}
			return c.eventsEnd(ctx, err)
		}
	}
}

// tell hands an event on, if it is meant: the engine's own filter matches names by their beginning.
func tell(filter engine.EventFilter, message events.Message, yield func(engine.Event) error) error {
	if filter.Volume != "" && message.Actor.ID != filter.Volume {
		return nil
	}
	return yield(fromMessage(message))
}

func eventOptions(filter engine.EventFilter) events.ListOptions {
	options := events.ListOptions{Filters: filters.NewArgs()}
	if filter.Project != "" {
		options.Filters.Add("label", project.LabelProject+"="+filter.Project)
	}
	if filter.Volume != "" {
		options.Filters.Add("type", string(events.VolumeEventType))
		options.Filters.Add("volume", filter.Volume)
	}
	if !filter.Since.IsZero() {
		options.Since = unixNano(filter.Since)
	}
	if !filter.Until.IsZero() {
		options.Until = unixNano(filter.Until)
	}
	return options
}

// refused is why a subscription does not stand; nil once it does. The library returns as soon as it has an answer or a failure,
// but says which of them, and whether the answer was a good one, only later: hence the status.
func refused(status <-chan int, failures <-chan error) error {
	select {
	case code := <-status:
		if code == http.StatusOK {
			return nil
		}
	default:
	}
	return <-failures
}

// statusTeller is the key under which a request's context has a channel that is told the status of the answer.
type statusTeller struct{}

// tellStatus is a transport that tells it.
type tellStatus struct {
	http.RoundTripper
}

func (t tellStatus) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := t.RoundTripper.RoundTrip(request)
	if status, ok := request.Context().Value(statusTeller{}).(chan int); ok && err == nil {
		select {
		case status <- response.StatusCode:
		default: // told already, before a redirect
		}
	}
	return response, err
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
		Time: time.Unix(0, message.TimeNano), Detail: strings.TrimSpace(detail), Attributes: message.Actor.Attributes,
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
	event.Hook = attributes[project.LabelHook]
	event.ExitCode, _ = strconv.Atoi(attributes["exitCode"])
	if action == string(events.ActionHealthStatus) {
		event.Health = engine.Health(event.Detail)
	}
	return event
}

func unixNano(t time.Time) string {
	return fmt.Sprintf("%d.%09d", t.Unix(), t.Nanosecond())
}

func containsFold(text, part string) bool {
	return strings.Contains(strings.ToLower(text), part)
}
