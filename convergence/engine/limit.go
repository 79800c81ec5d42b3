package engine

import (
	"context"

	"golang.org/x/sync/semaphore"
)

// Limit bounds how many calls are under way at once. Streams never hold a place, and stops only with withStops: they spend
// their time waiting, and waiting must not starve the work that would end it.
func Limit(next Engine, calls int, withStops bool) Engine {
	places := semaphore.NewWeighted(int64(calls))
	return Intercept(next, func(ctx context.Context, call Call, do func(context.Context) error) error {
		if call.Kind == Streaming || call.Kind == Patient && !withStops {
			return do(ctx)
		}
		if err := places.Acquire(ctx, 1); err != nil {
			return err
		}
		defer places.Release(1)
		return do(ctx)
	})
}

// LimitPulls bounds how many images are pulled and pushed at once; calls of other kinds are not held up.
func LimitPulls(next Engine, pulls int) Engine {
	places := semaphore.NewWeighted(int64(pulls))
	return Intercept(next, func(ctx context.Context, call Call, do func(context.Context) error) error {
		if call.Name != "PullImage" && call.Name != "PushImage" {
			return do(ctx)
		}
		if err := places.Acquire(ctx, 1); err != nil {
			return err
		}
		defer places.Release(1)
		return do(ctx)
	})
}
