// Package logs turns what containers write into whole lines and shows them.
//
// The way of a line: [engine.Streams].Logs gives frames; a decoder joins them to lines and keeps a cursor, so that a lost
// connection costs nothing; a tail reads one container through all its restarts; [Follow] keeps one tail for each container
// that belongs to what is followed; a [Printer] writes. The pieces between tail and sink see [Item] values only: whatever
// merges, filters or reshapes lines goes there.
package logs

import (
	"strconv"
	"strings"
	"time"

	"github.com/muster-dev/muster/convergence/engine"
)

// Source is the container that a line comes from.
type Source struct {
	ContainerID string
	Container   string // the container's name on the engine
	Project     string
	Service     string
	Number      int // the replica, from 1; 0 where it has none
	OneOff      bool
}

// SourceOf is the source that a container is.
func SourceOf(container engine.Container) Source {
	return Source{
		ContainerID: container.ID, Container: container.Name, Project: container.Project,
		Service: container.Service, Number: container.Number, OneOff: container.OneOff,
	}
}

// Name is what users call the source: the container's name without the project, "web-1". A name that was not made from the
// service and the number is somebody's choice and stays whole.
func (s Source) Name() string {
	made, ok := strings.CutPrefix(s.Container, s.Project)
	if !ok || s.Project == "" || made == "" {
		return s.Container
	}
	separator := made[:1]
	number, ok := strings.CutPrefix(made[1:], s.Service)
	if !ok || separator != "-" && separator != "_" || number != separator+strconv.Itoa(s.Number) {
		return s.Container
	}
	return made[1:]
}

// Line is a line that a container wrote.
type Line struct {
	Source Source
	Stream engine.Stream
	// Time is when the engine took the beginning of the line, by the engine's clock, in UTC.
	Time time.Time
	// Text has no line end; it may be any bytes. It is only valid during the call that hands it over.
	Text []byte
	// Cut says that the line was too long to be held: it goes on in the next item of this stream.
	Cut bool
}

// Kind says what an item is.
type Kind uint8

// The kinds of items.
const (
	// KindLine is a line.
	KindLine Kind = iota + 1
	// KindStarted is a container that has started since [Follow] looked first. Its lines come after it.
	KindStarted
	// KindExited is a container that has ended. Its lines have all come before it.
	KindExited
	// KindUnreadable is a container whose log cannot be read, or not to its end; Err says why. The others go on, and so do
	// the marks of this one. It comes once where the log driver cannot read, else whenever reading was given up.
	KindUnreadable
	// KindOutOfMemory is a container in which the kernel has killed a process because it needed more memory than it may have.
	KindOutOfMemory
	// KindHealth is a container whose health has changed.
	KindHealth
)

// UnknownExit is the exit code of a container that nobody saw ending: it is gone.
const UnknownExit = -1

// Item is a line, or a mark between lines. The embedded line's Source is set in every kind, and its Time is when it happened,
// zero where nobody knows.
type Item struct {
	Kind Kind
	Line

	// Of KindExited, and of KindStarted about the end of the run before.
	ExitCode    int
	OutOfMemory bool

	Restarting bool // of KindExited: the engine starts it again
	Replaced   bool // of KindExited: another container takes its place
	Again      bool // of KindStarted: it ran before, and its end was told

	Health engine.Health // of KindHealth

	Err error // of KindUnreadable
}
