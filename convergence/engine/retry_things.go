package engine

import "context"

// CreateNetwork finds the network that was created although nobody said so, by the labels that were asked for.
func (r *retrying) CreateNetwork(ctx context.Context, request CreateNetwork) (id string, err error) {
	err = r.make(ctx, call{
		retries: retriesToDo,
		do: func(ctx context.Context) (err error) {
			id, err = r.Engine.CreateNetwork(ctx, request)
			return err
		},
		done: func(ctx context.Context) (bool, error) {
			networks, err := r.Engine.ListNetworks(ctx)
			for _, network := range networks {
				if network.Name == request.Name && hasLabels(network.Labels, request.Labels) {
					id = network.ID
					return true, nil
				}
			}
			return false, err
		},
	})
	return id, err
}

func (r *retrying) RemoveNetwork(ctx context.Context, ref string) error {
	return r.make(ctx, call{
		retries: retriesToDo, goneIsDone: true,
		do: func(ctx context.Context) error { return r.Engine.RemoveNetwork(ctx, ref) },
	})
}

func (r *retrying) ConnectNetwork(ctx context.Context, containerRef string, endpoint Endpoint) error {
	return r.make(ctx, call{
		retries: retriesToDo,
		do:      func(ctx context.Context) error { return r.Engine.ConnectNetwork(ctx, containerRef, endpoint) },
		done: func(ctx context.Context) (bool, error) {
			found, err := r.Engine.InspectContainer(ctx, containerRef)
			return err == nil && isAttached(found, []Endpoint{endpoint}), err
		},
	})
}

func (r *retrying) DisconnectNetwork(ctx context.Context, containerRef, networkRef string) error {
	return r.make(ctx, call{
		retries: retriesToDo, goneIsDone: true,
		do: func(ctx context.Context) error { return r.Engine.DisconnectNetwork(ctx, containerRef, networkRef) },
	})
}

// CreateVolume is as good twice as once. But whose a volume is tell the labels in the answer: where a first answer was lost the one that
// was created is found with the labels that were asked for, as if it had come.
func (r *retrying) CreateVolume(ctx context.Context, request CreateVolume) (created Volume, err error) {
	err = r.make(ctx, call{retries: retriesToDo, do: func(ctx context.Context) (err error) {
		created, err = r.Engine.CreateVolume(ctx, request)
		return err
	}})
	return created, err
}

func (r *retrying) RemoveVolume(ctx context.Context, name string) error {
	return r.make(ctx, call{
		retries: retriesToDo, goneIsDone: true,
		do: func(ctx context.Context) error { return r.Engine.RemoveVolume(ctx, name) },
	})
}

// PullImage goes on where the engine was lost in the middle: it keeps the layers that it has. What goes wrong between engine and
// registry is the engine's to try again.
func (r *retrying) PullImage(ctx context.Context, request PullImage, report func(PullProgress)) error {
	return r.make(ctx, call{do: func(ctx context.Context) error { return r.Engine.PullImage(ctx, request, report) }})
}

func (r *retrying) RemoveImage(ctx context.Context, ref string) error {
	return r.make(ctx, call{
		retries: retriesToDo, goneIsDone: true,
		do: func(ctx context.Context) error { return r.Engine.RemoveImage(ctx, ref) },
	})
}
