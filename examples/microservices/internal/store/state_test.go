package store

import (
	"context"
	"encoding/json"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sync/errgroup"
)

const testLease = 30 * time.Second

func memory() *state { return newState(testLease, func(record) error { return nil }) }

func push(t *testing.T, s *state, value string) {
	t.Helper()
	if err := s.change(record{Op: opPush, Name: "q", Value: json.RawMessage(value)}); err != nil {
		t.Fatal(err)
	}
}

// claimed is the next item's value, or "nothing" when none comes within wait.
func claimed(t *testing.T, s *state, wait time.Duration) (id, value string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), wait)
	defer cancel()
	id, raw, ok := s.claim(ctx, "q")
	if !ok {
		return "", "nothing"
	}
	return id, string(raw)
}

func TestClaimsInOrderOnceEach(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := memory()
		push(t, s, "1")
		push(t, s, "2")
		for _, want := range []string{"1", "2", "nothing"} {
			if _, got := claimed(t, s, time.Second); got != want {
				t.Errorf("claimed %s, want %s", got, want)
			}
		}
	})
}

func TestUnfinishedItemComesBackAfterItsLease(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := memory()
		push(t, s, "1")
		claimed(t, s, time.Second)
		started := time.Now()
		id, got := claimed(t, s, time.Minute)
		if waited := time.Since(started); got != "1" || waited != testLease {
			t.Errorf("claimed %s after %v, want 1 after %v", got, waited, testLease)
		}
		if err := s.change(record{Op: opFinish, Name: "q", ID: id}); err != nil {
			t.Fatal(err)
		}
		if _, got := claimed(t, s, time.Hour); got != "nothing" {
			t.Errorf("claimed %s after it was finished", got)
		}
	})
}

func TestClaimWaitsForPush(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := memory()
		var group errgroup.Group
		var got string
		group.Go(func() error { _, got = claimed(t, s, time.Minute); return nil })
		synctest.Wait()
		push(t, s, "1")
		if err := group.Wait(); err != nil || got != "1" {
			t.Errorf("claimed %q, %v", got, err)
		}
	})
}

func TestFailedWriteChangesNothing(t *testing.T) {
	t.Parallel()
	s := newState(testLease, func(record) error { return errNotFound })
	if err := s.change(record{Op: opPut, Name: "k", Value: json.RawMessage("1")}); err == nil {
		t.Error("no error")
	}
	if _, err := s.value("k"); err == nil {
		t.Error("a value that was never written can be read")
	}
}
