package cli

import (
	"context"
	"errors"
	"os"
	"testing"
	"testing/synctest"
)

// The first interrupt ends the command, the second one what it does to end well, the third one what it does to end at once.
func TestInterruptsAreStages(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		signals := make(chan os.Signal)
		i := newInterrupts(t.Context(), signals)
		defer i.stop()
		interrupt := func() { signals <- os.Interrupt; synctest.Wait() }
		ended := func(ctx context.Context) bool {
			return ctx.Err() != nil && errors.Is(context.Cause(ctx), errInterrupted)
		}
		interrupt()
		if !ended(i.ctx) {
			t.Fatal("the first interrupt ends nothing")
		}
		for _, stage := range []string{"stop", "kill"} {
			ctx, release := i.fresh()
			if ended(ctx) {
				t.Fatalf("%s: an interrupt counts twice", stage)
			}
			if interrupt(); !ended(ctx) {
				t.Errorf("%s: it goes on after another interrupt", stage)
			}
			release()
		}
	})
}
