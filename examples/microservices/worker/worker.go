package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/muster-dev/muster/examples/microservices/internal/job"
)

// waitForJob is how long one request for a job stays open.
const waitForJob = 10 * time.Second

type worker struct {
	name  string
	store job.Store
	log   *slog.Logger
	pause time.Duration // after an error
}

// run does jobs until the context ends. The job in hand is finished first; an error is no reason to stop, because a job that
// was not finished comes back to the queue.
func (w worker) run(ctx context.Context) error {
	for ctx.Err() == nil {
		if err := w.next(ctx); err != nil && ctx.Err() == nil {
			w.log.Warn("job not done", "error", err.Error())
			w.rest(ctx)
		}
	}
	return nil
}

func (w worker) rest(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-time.After(w.pause):
	}
}

// next waits for a job and does it; no job within the wait is no error.
func (w worker) next(ctx context.Context) error {
	claim, ok, err := w.store.Claim(ctx, job.Queue, waitForJob)
	if err != nil || !ok {
		return err
	}
	return w.do(context.WithoutCancel(ctx), claim)
}

// do leaves the claim unfinished when anything fails, so that the job comes back. A job that the store does not know will
// not be known later either: it is dropped.
func (w worker) do(ctx context.Context, claim job.Claim) error {
	var id string
	if err := json.Unmarshal(claim.Value, &id); err != nil {
		return errors.Join(fmt.Errorf("read job id: %w", err), w.store.Finish(ctx, job.Queue, claim.ID))
	}
	started := time.Now()
	var todo job.Job
	if err := w.store.Fetch(ctx, job.KeyPrefix+id, &todo); errors.Is(err, job.ErrNotFound) {
		return errors.Join(fmt.Errorf("read job %q: %w", id, err), w.store.Finish(ctx, job.Queue, claim.ID))
	} else if err != nil {
		return fmt.Errorf("read job %q: %w", id, err)
	}
	result := job.Count(todo.Text)
	result.Worker = w.name
	todo.Status, todo.Result = job.Done, &result
	if err := w.store.Put(ctx, job.KeyPrefix+id, todo); err != nil {
		return fmt.Errorf("write job %q: %w", id, err)
	}
	if err := w.store.Finish(ctx, job.Queue, claim.ID); err != nil {
		return fmt.Errorf("finish job %q: %w", id, err)
	}
	w.log.Info("job done", "job", id, "words", result.Words, "ms", time.Since(started).Milliseconds())
	return nil
}
