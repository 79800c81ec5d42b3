package step

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/project"
)

// CreateContainer creates a container, under its final name or beside the one that it will replace.
//
// What the plan could not know is resolved just before the call: the image's digest, which an earlier step may have pulled; the
// IDs of containers whose namespaces or volumes it shares, which an earlier step may have created; the salt of its fingerprint.
type CreateContainer struct {
	Target
	Request engine.CreateContainer
	Fields  project.Fields
	// Written is the service as the file has it. Where the container shares with others, docker compose's hash of it has their IDs.
	Written project.Service
	// Shares are the containers whose namespaces or volumes it shares, by service, each by what it is called when the step runs.
	Shares map[string]string
	// Renamed are the final names of those of them that the plan creates under another one, by that.
	Renamed map[string]string
	// Provided is what providers give it: variables over its own.
	Provided []*Provided
	// Replaces says that it is created beside the container that it will replace.
	Replaces bool
}

// SharesField is the field of a fingerprint that holds the ID of the container whose namespaces or volumes are shared.
func SharesField(service string) string { return "shares." + service }

// Run implements [Step].
func (s CreateContainer) Run(ctx context.Context, eng engine.Engine, _ func(Progress)) error {
	request := s.Request
	request.Labels = maps.Clone(request.Labels)
	if request.Labels[project.LabelImage] == "" {
		image, err := eng.InspectImage(ctx, request.Image)
		if err != nil {
			return fmt.Errorf("look at image %q: %w", request.Image, err)
		}
		request.Labels[project.LabelImage] = image.ID
	}
	shared := resolver{ctx: ctx, eng: eng, ids: map[string]string{}, renamed: s.Renamed, sharer: request.Name}
	if err := shared.resolveRequest(&request); err != nil {
		return err
	}
	if err := s.labelShares(request.Labels, shared); err != nil {
		return err
	}
	request.Service = withProvided(request.Service, s.Provided)
	_, err := eng.CreateContainer(ctx, request)
	if errors.Is(err, engine.ErrConflict) {
		return &NameTakenError{Name: request.Name, Cause: err}
	}
	return err
}

// labelShares writes the labels that tell the containers by whose IDs the service is known, and what providers give: its fingerprint, and docker compose's hash.
func (s CreateContainer) labelShares(labels map[string]string, shared resolver) error {
	fields, ids := maps.Clone(s.Fields), map[string]string{}
	maps.Copy(fields, providedFields(s.Provided))
	for service, ref := range s.Shares {
		id, err := shared.resolve(ref)
		if err != nil {
			return err
		}
		fields[SharesField(service)], ids[service] = project.Field{Value: id}, id
	}
	labels[project.LabelSpec] = fields.Seal(project.NewSalt())
	if len(ids) == 0 {
		return nil
	}
	hash, err := project.ContainerHash(s.Written, ids)
	labels[project.LabelConfigHash] = hash
	return err
}

// SharePrefix marks, in a request's namespaces, a container by the name that it has when the request is made.
const SharePrefix = "container:"

// resolver puts IDs in place of names: the engine keeps what it is given, and names change hands in a replacement.
type resolver struct {
	ctx     context.Context //nolint:containedctx // it lives as long as one call
	eng     engine.Containers
	ids     map[string]string
	renamed map[string]string
	sharer  string
}

// resolve finds a container's ID. A new one that is not there under its first name has its final one by now, or it was not needed
// and the old one has that.
func (r resolver) resolve(ref string) (string, error) {
	if id, ok := r.ids[ref]; ok {
		return id, nil
	}
	found, err := r.eng.InspectContainer(r.ctx, ref)
	if final := r.renamed[ref]; final != "" && errors.Is(err, engine.ErrNotFound) {
		found, err = r.eng.InspectContainer(r.ctx, final)
	}
	if err != nil {
		return "", fmt.Errorf("look at container %q, which %q shares with: %w", ref, r.sharer, err)
	}
	r.ids[ref] = found.ID
	return found.ID, nil
}

func (r resolver) resolveRequest(request *engine.CreateContainer) error {
	for _, mode := range []*string{&request.NetworkMode, &request.IPC, &request.PID} {
		name, ok := strings.CutPrefix(*mode, SharePrefix)
		if !ok {
			continue
		}
		id, err := r.resolve(name)
		if err != nil {
			return err
		}
		*mode = SharePrefix + id
	}
	sources := make([]string, len(request.VolumesFrom))
	for i, entry := range request.VolumesFrom {
		name, access, hasAccess := strings.Cut(entry, ":")
		id, err := r.resolve(name)
		if err != nil {
			return err
		}
		if sources[i] = id; hasAccess {
			sources[i] += ":" + access
		}
	}
	request.VolumesFrom = sources
	return nil
}

// Action implements [Step].
func (s CreateContainer) Action() string { return "create" }

// Words implements [Step]. A replacement is told of once, when the new container has its name.
func (s CreateContainer) Words() (doing, done string) {
	switch {
	case s.Replaces && s.Name == s.Object().Name:
		return "Recreate", "Recreated"
	case s.Replaces:
		return "Recreate", ""
	}
	return "Creating", "Created"
}

func (s CreateContainer) String() string {
	if s.Replaces && s.Name != s.Object().Name {
		return fmt.Sprintf("create container %s as %s", s.Object().Name, s.Name)
	}
	return "create container " + s.Name
}

// NameTakenError says that a container of that name is there already and is not the service's.
type NameTakenError struct {
	Name  string
	Cause error
}

func (e *NameTakenError) Error() string { return e.Cause.Error() }
func (e *NameTakenError) Unwrap() error { return e.Cause }

// Hint is what to try next.
func (e *NameTakenError) Hint() string {
	return fmt.Sprintf("see whose it is with `docker inspect %s`; remove or rename that container, or give the service another container_name", e.Name)
}

// Code is what kind of failure it is, for machines.
func (*NameTakenError) Code() string { return "name-taken" }

// StartContainer starts a container.
type StartContainer struct {
	Target
	// Again says that it ran before and was stopped by the plan.
	Again bool
	// Restart says that it is the second half of a restart, which is told of as a whole.
	Restart bool
	// PostStart are the hooks to run in it, where it is started to undo something: else they are steps of their own.
	PostStart []project.Hook
}

// Run implements [Step].
func (s StartContainer) Run(ctx context.Context, eng engine.Engine, _ func(Progress)) error {
	return startWithHooks(ctx, eng, s.Target, s.PostStart)
}

// startWithHooks starts a container and runs its hooks, unless it runs already.
func startWithHooks(ctx context.Context, eng engine.Engine, t Target, hooks []project.Hook) error {
	if len(hooks) > 0 {
		found, err := eng.InspectContainer(ctx, t.ref())
		if err != nil || found.Running() {
			return err
		}
	}
	if err := eng.StartContainer(ctx, t.ref()); err != nil {
		return err
	}
	return runHooks(ctx, eng, t, PostStart, hooks)
}

// Action implements [Step].
func (s StartContainer) Action() string { return "start" }

// Words implements [Step].
func (s StartContainer) Words() (doing, done string) {
	if s.Restart {
		return "", "Started"
	}
	return "Starting", "Started"
}

func (s StartContainer) String() string { return "start container " + s.Object().Name }

// StopContainer stops a container and returns when it has ended.
type StopContainer struct {
	Target
	Timeout *time.Duration // nil leaves it to the container
	// Quiet says that the stop is part of a replacement, which is told of as a whole.
	Quiet bool
	// Restart says that it is the first half of a restart.
	Restart bool
}

// Run implements [Step].
func (s StopContainer) Run(ctx context.Context, eng engine.Engine, _ func(Progress)) error {
	return gone(eng.StopContainer(ctx, s.ref(), s.Timeout))
}

// gone takes "there is no such thing" for done.
func gone(err error) error {
	if errors.Is(err, engine.ErrNotFound) {
		return nil
	}
	return err
}

// Action implements [Step].
func (s StopContainer) Action() string { return "stop" }

// Words implements [Step].
func (s StopContainer) Words() (doing, done string) {
	switch {
	case s.Quiet:
		return "", ""
	case s.Restart:
		return "Restarting", ""
	}
	return "Stopping", "Stopped"
}

func (s StopContainer) String() string { return "stop container " + s.Name }

// KillContainer ends a container at once.
type KillContainer struct {
	Target
	Signal string // empty means SIGKILL
}

// Run implements [Step]. One that does not run any more is done.
func (s KillContainer) Run(ctx context.Context, eng engine.Engine, _ func(Progress)) error {
	err := gone(eng.KillContainer(ctx, s.ref(), s.Signal))
	if errors.Is(err, engine.ErrConflict) {
		return nil
	}
	return err
}

// Action implements [Step].
func (s KillContainer) Action() string { return "kill" }

// Words implements [Step].
func (s KillContainer) Words() (doing, done string) { return "Killing", "Killed" }

func (s KillContainer) String() string { return "kill container " + s.Name }

// RemoveContainer removes a container that has ended.
type RemoveContainer struct {
	Target
	Volumes bool // its anonymous volumes too
	Quiet   bool // part of a replacement
}

// Run implements [Step].
func (s RemoveContainer) Run(ctx context.Context, eng engine.Engine, _ func(Progress)) error {
	return gone(eng.RemoveContainer(ctx, s.ref(), engine.RemoveContainer{Force: true, Volumes: s.Volumes}))
}

// Action implements [Step].
func (s RemoveContainer) Action() string { return "remove" }

// Words implements [Step].
func (s RemoveContainer) Words() (doing, done string) {
	if s.Quiet {
		return "", ""
	}
	return "Removing", "Removed"
}

func (s RemoveContainer) String() string { return "remove container " + s.Name }
