// Package store is the example's store: values under keys and items in queues, in memory and in a file that is appended to,
// behind HTTP.
package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

var errNotFound = errors.New("not found")

// record is one change of the state, as the journal keeps it.
type record struct {
	Op    operation       `json:"op"`
	Name  string          `json:"name"` // of the key or the queue
	ID    string          `json:"id,omitempty"`
	Value json.RawMessage `json:"value,omitempty"`
}

type operation string

const (
	opPut    operation = "put"
	opPush   operation = "push"
	opFinish operation = "finish"
)

// item is something in a queue. It is free to be claimed when its lease is over.
type item struct {
	id     string
	value  json.RawMessage
	leased time.Time // until then; zero when it was never claimed
}

// state is everything the store knows. A change is written before it counts; claims are not written, so after a restart
// what was claimed and not finished is free again.
type state struct {
	mutex   sync.Mutex
	values  map[string]json.RawMessage
	queues  map[string][]*item
	nextID  int
	lease   time.Duration
	write   func(record) error
	changed chan struct{} // closed, and replaced, whenever an item comes in
}

func newState(lease time.Duration, write func(record) error) *state {
	return &state{
		values: map[string]json.RawMessage{}, queues: map[string][]*item{},
		lease: lease, write: write, changed: make(chan struct{}),
	}
}

// apply makes the change that a record describes, without writing it.
func (s *state) apply(r record) error {
	switch r.Op {
	case opPut:
		s.values[r.Name] = r.Value
	case opPush:
		id, err := strconv.Atoi(r.ID)
		if err != nil {
			return fmt.Errorf("read item id: %w", err)
		}
		s.nextID = max(s.nextID, id)
		s.queues[r.Name] = append(s.queues[r.Name], &item{id: r.ID, value: r.Value})
	case opFinish:
		before := len(s.queues[r.Name])
		s.queues[r.Name] = slices.DeleteFunc(s.queues[r.Name], func(i *item) bool { return i.id == r.ID })
		if len(s.queues[r.Name]) == before {
			return errNotFound
		}
	default:
		return fmt.Errorf("unknown operation %q", r.Op)
	}
	return nil
}

func (s *state) change(r record) error {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if r.Op == opPush {
		r.ID = strconv.Itoa(s.nextID + 1)
	}
	if r.Op == opFinish && !slices.ContainsFunc(s.queues[r.Name], func(i *item) bool { return i.id == r.ID }) {
		return errNotFound
	}
	if err := s.write(r); err != nil {
		return err
	}
	if err := s.apply(r); err != nil {
		return err
	}
	if r.Op == opPush {
		close(s.changed)
		s.changed = make(chan struct{})
	}
	return nil
}

func (s *state) value(key string) (json.RawMessage, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	value, ok := s.values[key]
	if !ok {
		return nil, errNotFound
	}
	return value, nil
}

// scan returns the values of the keys that begin with prefix, in the order of the keys.
func (s *state) scan(prefix string) []json.RawMessage {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	found := []json.RawMessage{}
	for _, key := range slices.Sorted(maps.Keys(s.values)) {
		if strings.HasPrefix(key, prefix) {
			found = append(found, s.values[key])
		}
	}
	return found
}
