package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"testing/synctest"

	"github.com/muster-dev/muster/convergence/engine"
)

// An interrupt that the engine does not pass on, or does not answer at all, does not leave the user without a way out; one of a
// container that is gone is not needed any more.
func TestInterruptsThatCannotBePassedOnEndTheCommand(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		kill       func(context.Context, string) error
		interrupts int
		ends       bool
	}{
		"passed on":  {func(context.Context, string) error { return nil }, 3, false},
		"no more":    {func(context.Context, string) error { return nil }, 4, true},
		"not run":    {func(context.Context, string) error { return engine.ErrConflict }, 1, true},
		"forbidden":  {func(context.Context, string) error { return fmt.Errorf("kill: %w", engine.ErrDenied) }, 1, true},
		"gone":       {func(context.Context, string) error { return engine.ErrNotFound }, 3, false},
		"no answers": {func(ctx context.Context, _ string) error { <-ctx.Done(); return ctx.Err() }, 4, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				t.Helper()
				i := newInterrupts(t.Context(), nil)
				defer i.stop()
				ended := false
				err := (&globals{}).passSignals(t.Context(), i, c.kill, false, func(ctx context.Context) error {
					for range c.interrupts {
						i.heed(os.Interrupt)
						synctest.Wait()
					}
					ended = ctx.Err() != nil
					return ctx.Err()
				})
				if ended != c.ends || errors.Is(err, errInterrupted) != c.ends {
					t.Errorf("ended: %v, %v; want %v", ended, err, c.ends)
				}
			})
		})
	}
}
