package engine

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/muster-dev/muster/project"
)

// CreateContainer goes on with a container that was created although nobody said so: it is known by the salt in its fingerprint.
func (r *retrying) CreateContainer(ctx context.Context, request CreateContainer) (created Created, err error) {
	err = r.make(ctx, call{
		retries: retriesToDo,
		do: func(ctx context.Context) (err error) {
			created, err = r.Engine.CreateContainer(ctx, request)
			return err
		},
		done: func(ctx context.Context) (bool, error) {
			found, err := r.Engine.InspectContainer(ctx, request.Name)
			switch {
			case errors.Is(err, ErrNotFound):
				return false, nil
			case err != nil, !hasLabels(found.Labels, request.Labels), found.State != StateCreated:
				return false, err
			case request.Labels[project.LabelSpec] != "" && isAttached(found, request.Networks):
				created = Created{ID: found.ID}
				return true, nil
			}
			// It may be another run's, or half made. It never ran, so nothing is lost with it.
			err = r.Engine.RemoveContainer(ctx, found.ID, RemoveContainer{Force: true, Volumes: true})
			if errors.Is(err, ErrNotFound) {
				err = nil
			}
			return false, err
		},
	})
	return created, err
}

// hasLabels says whether an object has all labels that a request gives it. Images add some.
func hasLabels(found, asked map[string]string) bool {
	for key, value := range asked {
		if has, ok := found[key]; !ok || has != value {
			return false
		}
	}
	return true
}

func isAttached(container ContainerDetails, endpoints []Endpoint) bool {
	attached := map[string]bool{}
	for _, attachment := range container.Networks {
		attached[attachment.Network] = true
	}
	for _, endpoint := range endpoints {
		if !attached[endpoint.Network] {
			return false
		}
	}
	return true
}

// startTakes is less than any start takes, so that an earlier one is not taken for this one.
const startTakes = time.Millisecond

// StartContainer does not start again what was started and has ended meanwhile: a one-shot runs once, unless the engine's clock is behind.
func (r *retrying) StartContainer(ctx context.Context, ref string) error {
	began := time.Now()
	return r.make(ctx, call{
		retries: retriesToDo,
		do:      func(ctx context.Context) error { return r.Engine.StartContainer(ctx, ref) },
		done: func(ctx context.Context) (bool, error) {
			found, err := r.Engine.InspectContainer(ctx, ref)
			return err == nil && (found.Running() || found.StartedAt.After(began.Add(startTakes))), err
		},
	})
}

func (r *retrying) StopContainer(ctx context.Context, ref string, timeout *time.Duration) error {
	return r.make(ctx, call{
		retries: retriesToDo,
		do:      func(ctx context.Context) error { return r.Engine.StopContainer(ctx, ref, timeout) },
	})
}

// KillContainer sends a signal once more only where that cannot be told from once.
func (r *retrying) KillContainer(ctx context.Context, ref, signal string) error {
	if signal != "" && signal != "SIGKILL" && signal != "KILL" {
		return r.Engine.KillContainer(ctx, ref, signal)
	}
	return r.make(ctx, call{
		retries: retriesToDo,
		do:      func(ctx context.Context) error { return r.Engine.KillContainer(ctx, ref, signal) },
		done: func(ctx context.Context) (bool, error) {
			found, err := r.Engine.InspectContainer(ctx, ref)
			return err == nil && !found.Running(), err
		},
	})
}

// inState is a change that a look at the container's state tells of.
func (r *retrying) inState(ctx context.Context, ref string, do func(context.Context, string) error, is func(State) bool) error {
	return r.make(ctx, call{
		retries: retriesToDo,
		do:      func(ctx context.Context) error { return do(ctx, ref) },
		done: func(ctx context.Context) (bool, error) {
			found, err := r.Engine.InspectContainer(ctx, ref)
			return err == nil && is(found.State), err
		},
	})
}

func (r *retrying) PauseContainer(ctx context.Context, ref string) error {
	return r.inState(ctx, ref, r.Engine.PauseContainer, func(s State) bool { return s == StatePaused })
}

func (r *retrying) UnpauseContainer(ctx context.Context, ref string) error {
	return r.inState(ctx, ref, r.Engine.UnpauseContainer, func(s State) bool { return s == StateRunning })
}

func (r *retrying) RemoveContainer(ctx context.Context, ref string, options RemoveContainer) error {
	return r.make(ctx, call{
		retries: retriesToDo, goneIsDone: true,
		do: func(ctx context.Context) error { return r.Engine.RemoveContainer(ctx, ref, options) },
	})
}

func (r *retrying) RenameContainer(ctx context.Context, ref, name string) error {
	return r.make(ctx, call{
		retries: retriesToDo,
		do:      func(ctx context.Context) error { return r.Engine.RenameContainer(ctx, ref, name) },
		done: func(ctx context.Context) (bool, error) {
			named, err := r.Engine.InspectContainer(ctx, name)
			if errors.Is(err, ErrNotFound) {
				return false, nil
			}
			if err != nil {
				return false, err
			}
			found, err := r.Engine.InspectContainer(ctx, ref)
			if errors.Is(err, ErrNotFound) {
				return true, nil // it was called by its former name
			}
			return err == nil && found.ID == named.ID, err
		},
	})
}

func (r *retrying) SetRestartPolicy(ctx context.Context, ref string, policy RestartPolicy) error {
	return r.make(ctx, call{
		retries: retriesToDo,
		do:      func(ctx context.Context) error { return r.Engine.SetRestartPolicy(ctx, ref, policy) },
	})
}

// PutArchive reads an archive again only where that can be done.
func (r *retrying) PutArchive(ctx context.Context, ref, folder string, archive io.Reader, options PutArchive) error {
	seeker, ok := archive.(io.Seeker)
	if !ok {
		return r.Engine.PutArchive(ctx, ref, folder, archive, options)
	}
	return r.make(ctx, call{retries: retriesToDo, do: func(ctx context.Context) error {
		if _, err := seeker.Seek(0, io.SeekStart); err != nil {
			return err
		}
		return r.Engine.PutArchive(ctx, ref, folder, archive, options)
	}})
}
