package dockertest

import (
	"encoding/json"
	"maps"
	"net/http"
	"strings"
	"sync"
	"time"

	apievents "github.com/docker/docker/api/types/events"
	"github.com/docker/docker/api/types/filters"
	timetypes "github.com/docker/docker/api/types/time"
)

// remembered is how many events the engine keeps for those who ask for the past.
const remembered = 256

// eventLog keeps the newest events and brings them to those who listen. A listener reads at its own speed: where the real
// engine drops what a slow one does not take, this one keeps it.
type eventLog struct {
	clock  *clock
	mutex  sync.Mutex
	events []apievents.Message // all since the start: what is remembered is its end
	paused bool
	grown  broadcast
}

func newEventLog(clock *clock) *eventLog { return &eventLog{clock: clock} }

// PauseEvents holds back all events from those who listen, until [Engine.ResumeEvents]. They are kept.
func (e *Engine) PauseEvents() { e.events.setPaused(true) }

// ResumeEvents delivers events again, those held back first.
func (e *Engine) ResumeEvents() { e.events.setPaused(false) }

func (l *eventLog) setPaused(paused bool) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.paused = paused
	l.grown.fire()
}

// publish appends an event. It is called with the engine's mutex held, so that the order is that of the changes.
func (l *eventLog) publish(kind apievents.Type, action, id string, attributes map[string]string) {
	now := l.clock.now()
	message := apievents.Message{
		Type: kind, Action: apievents.Action(action), Actor: apievents.Actor{ID: id, Attributes: attributes},
		Scope: "local", Time: now.Unix(), TimeNano: now.UnixNano(),
	}
	if kind == apievents.ContainerEventType || kind == apievents.ImageEventType {
		message.ID, message.Status = id, action //nolint:staticcheck // deprecated, but the engine sends it
	}
	if kind == apievents.ContainerEventType {
		message.From = attributes["image"] //nolint:staticcheck // deprecated, but the engine sends it
	}
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.events = append(l.events, message)
	l.grown.fire()
}

// since returns the number of the first remembered event that is not older than the time.
func (l *eventLog) since(t time.Time) int {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	first := max(0, len(l.events)-remembered)
	if t.IsZero() {
		return len(l.events)
	}
	for first < len(l.events) && l.events[first].TimeNano < t.UnixNano() {
		first++
	}
	return first
}

// from returns the events from a number on, and what is closed when there may be more.
func (l *eventLog) from(number int) ([]apievents.Message, <-chan struct{}) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.paused {
		return nil, l.grown.wait()
	}
	return l.events[number:], l.grown.wait()
}

// containerEvent publishes an event of a container, with its labels and what else is to be told.
func (e *Engine) containerEvent(c *container, action string, more ...string) {
	attributes := maps.Clone(c.config.Labels)
	if attributes == nil {
		attributes = map[string]string{}
	}
	attributes["image"], attributes["name"] = c.config.Image, c.name
	for i := 0; i+1 < len(more); i += 2 {
		attributes[more[i]] = more[i+1]
	}
	e.events.publish(apievents.ContainerEventType, action, c.id, attributes)
}

// streamEvents is GET /events.
func (e *Engine) streamEvents(x *exchange) error {
	request, err := readEventRequest(x)
	if err != nil {
		return err
	}
	number := e.events.since(request.since)
	x.w.Header().Set("Content-Type", "application/json")
	x.w.WriteHeader(http.StatusOK)
	x.flush()
	var end <-chan time.Time
	if !request.until.IsZero() {
		end = time.After(time.Until(request.until))
	}
	for {
		events, more := e.events.from(number)
		number += len(events)
		for _, event := range events {
			if !request.write(x, event) {
				return nil
			}
		}
		select {
		case <-more:
		case <-end:
			return nil
		case <-x.Context().Done():
			return nil
		}
	}
}

// eventRequest is what GET /events asks for.
type eventRequest struct {
	filter       filters.Args
	since, until time.Time
}

func readEventRequest(x *exchange) (request eventRequest, err error) {
	if request.filter, err = filters.FromJSON(x.query("filters")); err != nil {
		return request, fail(http.StatusBadRequest, "invalid filter")
	}
	if err := request.filter.Validate(eventFilters()); err != nil {
		return request, fail(http.StatusBadRequest, "%v", err)
	}
	if request.since, err = parseTime(x.query("since")); err != nil {
		return request, err
	}
	request.until, err = parseTime(x.query("until"))
	return request, err
}

// write sends an event, if it is asked for, and says whether somebody still listens.
func (r eventRequest) write(x *exchange, event apievents.Message) (goOn bool) {
	if !matchesEvent(r.filter, event) || !r.until.IsZero() && event.TimeNano > r.until.UnixNano() {
		return true
	}
	if json.NewEncoder(x.w).Encode(event) != nil {
		return false
	}
	x.flush()
	return true
}

func eventFilters() map[string]bool {
	return map[string]bool{
		"type": true, "event": true, "label": true, "container": true, "network": true, "volume": true, "image": true,
		"scope": true, "daemon": true,
	}
}

// matchesEvent has the engine's rules: labels are looked for among the attributes, which only events of containers and images
// carry them in; health_status, exec_create and exec_start match by their beginning.
func matchesEvent(filter filters.Args, event apievents.Message) bool {
	kind, action, id := string(event.Type), string(event.Action), event.Actor.ID
	name := event.Actor.Attributes["name"]
	begin, _, _ := strings.Cut(action, ":")
	if !filter.ExactMatch("type", kind) || !filter.ExactMatch("event", action) && !filter.ExactMatch("event", begin) {
		return false
	}
	for _, object := range []string{"container", "network", "volume"} {
		if !filter.FuzzyMatch(object, id) && !filter.FuzzyMatch(object, name) {
			return false
		}
	}
	if filter.Contains("image") && !filter.ExactMatch("image", id) && !filter.ExactMatch("image", event.Actor.Attributes["image"]) {
		return false
	}
	return !filter.Contains("label") || filter.MatchKVList("label", event.Actor.Attributes)
}

// parseTime reads a time of a query: seconds and nanoseconds, RFC 3339, or a duration before now; zero for none.
func parseTime(text string) (time.Time, error) {
	if text == "" || text == "0" {
		return time.Time{}, nil
	}
	text, err := timetypes.GetTimestamp(text, time.Now())
	if err != nil {
		return time.Time{}, err
	}
	seconds, nanoseconds, err := timetypes.ParseTimestamps(text, 0)
	if err != nil {
		return time.Time{}, err
	}
	return time.Unix(seconds, nanoseconds), nil
}
