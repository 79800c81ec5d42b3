// Package step is the kinds of steps that a plan is made of. A step is a type: what it does, what it is about, and how it is
// told to people, in one place. One step has one effect on the engine; it decides nothing.
package step

import (
	"context"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/graph"
)

// Step is one thing that a plan does.
type Step interface {
	// Run does it and returns when it is done or has failed. report may be called from the caller's goroutine until then.
	// Running a step that was done already does no harm.
	Run(ctx context.Context, eng engine.Engine, report func(Progress)) error
	// Ref is the thing of the project that the step is for.
	Ref() graph.Ref
	// Object is what the engine knows it by.
	Object() Object
	// Action is what it does in one word for machines: create, start, stop, remove, rename, wait, pull, build, connect, update, hook,
	// pause, unpause, push, commit, export, copy.
	Action() string
	// Words are docker compose's for the step under way and for its end; empty where it says nothing.
	Words() (doing, done string)
	// String is the step in a plan: "create container shop-web-1".
	String() string
}

// Progress is what a step under way has to tell: any of it may be empty.
type Progress struct {
	Text    string // for people: "health check 2 of 5, last probe: exit 1"
	Current int64  // bytes
	Total   int64
	// Build is what happens in a build; nil for other steps.
	Build *engine.BuildProgress
	// Hook is a line, without its end, that a hook wrote; nil for other steps. Its bytes are only valid during the call, and are
	// to be cleaned before a terminal sees them.
	Hook *engine.Frame
}

// ObjectKind is what sort of thing an engine object is, in docker compose's words.
type ObjectKind string

// Kinds of objects.
const (
	Container ObjectKind = "Container"
	Network   ObjectKind = "Network"
	Volume    ObjectKind = "Volume"
	Image     ObjectKind = "Image"
)

// Object is a thing of the engine's under the name that it has in the end.
type Object struct {
	Kind ObjectKind
	Name string
}

// String is kind and name, as docker compose's progress lines begin: "Container shop-web-1". What has no kind there, because it is
// only read or written, is told by its name alone.
func (o Object) String() string {
	if o.Kind == "" {
		return o.Name
	}
	return string(o.Kind) + " " + o.Name
}

// Target is a container that a step works on: by ID where it was there when the plan was made, else by the name that it will
// have when the step runs.
type Target struct {
	ID   string
	Name string
	// Service is whose it is; Replica its number.
	Service string
	Replica int
	// Final is the name that it has in the end, where that is another one than Name.
	Final string
}

func (t Target) ref() string {
	if t.ID != "" {
		return t.ID
	}
	return t.Name
}

// Ref is the service.
func (t Target) Ref() graph.Ref { return graph.Service(t.Service) }

// Object is the container under its final name.
func (t Target) Object() Object {
	if t.Final != "" {
		return Object{Container, t.Final}
	}
	return Object{Container, t.Name}
}

func (t Target) target() Target { return t }

// TargetOf is the container that a step works on; false for steps that work on none.
func TargetOf(s Step) (Target, bool) {
	on, ok := s.(interface{ target() Target })
	if !ok {
		return Target{}, false
	}
	return on.target(), true
}
