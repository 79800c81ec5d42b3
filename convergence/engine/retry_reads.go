package engine

import "context"

// read makes a call that changes nothing.
func read[T any](ctx context.Context, r *retrying, do func(context.Context) (T, error)) (value T, err error) {
	err = r.make(ctx, call{retries: retriesToRead, do: func(ctx context.Context) (err error) {
		value, err = do(ctx)
		return err
	}})
	return value, err
}

func (r *retrying) ListContainers(ctx context.Context, filter ContainerFilter) ([]Container, error) {
	return read(ctx, r, func(ctx context.Context) ([]Container, error) { return r.Engine.ListContainers(ctx, filter) })
}

func (r *retrying) InspectContainer(ctx context.Context, ref string) (ContainerDetails, error) {
	return read(ctx, r, func(ctx context.Context) (ContainerDetails, error) { return r.Engine.InspectContainer(ctx, ref) })
}

func (r *retrying) CompareContainer(ctx context.Context, ref string, request CreateContainer) ([]Difference, error) {
	return read(ctx, r, func(ctx context.Context) ([]Difference, error) { return r.Engine.CompareContainer(ctx, ref, request) })
}

func (r *retrying) ListNetworks(ctx context.Context) ([]Network, error) {
	return read(ctx, r, r.Engine.ListNetworks)
}

func (r *retrying) ListVolumes(ctx context.Context) ([]Volume, error) {
	return read(ctx, r, r.Engine.ListVolumes)
}

func (r *retrying) ListImages(ctx context.Context) ([]Image, error) {
	return read(ctx, r, r.Engine.ListImages)
}

func (r *retrying) InspectImage(ctx context.Context, ref string) (Image, error) {
	return read(ctx, r, func(ctx context.Context) (Image, error) { return r.Engine.InspectImage(ctx, ref) })
}

func (r *retrying) Info(ctx context.Context) (Info, error) {
	return read(ctx, r, r.Engine.Info)
}
