package convergence_test

import (
	"context"
	"testing"
	"time"

	"github.com/muster-dev/muster/convergence"
	"github.com/muster-dev/muster/convergence/engine"
)

// Who attaches to a container that has ended meanwhile is not kept: an engine says nothing more to somebody who attaches then.
func TestAttendingAContainerThatHasEndedTellsItsExitCode(t *testing.T) {
	t.Parallel()
	s := newStage(t, "box")
	s.mustUp("services: {web: {image: box, command: [-term-exit, '3', -stay]}}")
	id := s.container("p-web-1").ID
	if err := s.eng.StopContainer(t.Context(), id, nil); err != nil {
		t.Fatal(err)
	}
	const patience = 10 * time.Second
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	code, err := convergence.Attend(ctx, s.eng, convergence.Attended{
		ID: id, Project: "p", Output: func(engine.Frame) error { return nil },
	})
	if err != nil || code != 3 {
		t.Errorf("exit code %d and error %v, want 3", code, err)
	}
}
