package convergence_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/muster-dev/muster/convergence"
	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/plan"
	"github.com/muster-dev/muster/project"
)

const pair = `
services:
  web: {image: box, depends_on: [db]}
  db: {image: box}
`

// overtake applies the plan of a project on an engine where somebody does something right before a call, once, and returns what is
// planned after the failure, nil where that stands, and the failure.
func (s *stage) overtake(content, call string, deed func(eng engine.Engine) error) (*plan.Plan, error) {
	s.t.Helper()
	done := false
	p, other := s.load(content), s.eng
	s.eng = engine.Intercept(s.eng, func(ctx context.Context, c engine.Call, do func(context.Context) error) error {
		if c.Name+" "+c.Object == call && !done {
			done = true
			if err := deed(other); err != nil {
				s.t.Error(err)
			}
		}
		return do(ctx)
	})
	again := func(ctx context.Context) (*plan.Plan, error) { return s.converger().Plan(ctx, p, s.policy, false) }
	made, err := again(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	attempt := convergence.NewAttempt(made)
	s.sink = attempt.Note
	failure := s.converger().Apply(s.t.Context(), made)
	if !done {
		s.t.Fatal("nobody else did anything")
	}
	return attempt.Overtaken(s.t.Context(), failure, again), failure
}

// docker compose takes no lock. What it has done in the middle of an application is found, and the rest is done.
func TestOvertaken(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		call  string
		fails bool
		deed  func(eng engine.Engine) error
	}{
		"it has made the network": {"CreateNetwork p_default", false, func(eng engine.Engine) error {
			_, err := eng.CreateNetwork(t.Context(), engine.CreateNetwork{Name: "p_default", Labels: project.Labels{
				project.LabelProject: "p", project.LabelNetwork: "default",
			}})
			return err
		}},
		"it has removed a container that was made": {"StartContainer p-web-1", true, func(eng engine.Engine) error {
			return eng.RemoveContainer(t.Context(), "p-web-1", engine.RemoveContainer{Force: true})
		}},
		"it has removed the network": {"CreateContainer p-db-1", true, func(eng engine.Engine) error {
			return eng.RemoveNetwork(t.Context(), "p_default")
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, "box")
			next, failure := s.overtake(pair, c.call, c.deed)
			if (next != nil) != c.fails || (failure != nil) != c.fails {
				t.Fatalf("error %v, then\n%s", failure, next)
			}
			if next != nil {
				failure = convergence.NewAttempt(next).Blame(s.converger().Apply(t.Context(), next))
			}
			if failure != nil {
				t.Fatal(failure)
			}
			s.named("p-db-1 running, p-web-1 running")
			s.settled(pair)
		})
	}
}

// A failure that is nobody else's doing stands as it is.
func TestNotOvertaken(t *testing.T) {
	t.Parallel()
	s := newStage(t, "box")
	next, failure := s.overtake(pair, "CreateContainer p-web-1", func(eng engine.Engine) error {
		_, err := eng.CreateContainer(t.Context(), engine.CreateContainer{Name: "p-web-1", Image: "box", NetworkMode: "none"})
		return err
	})
	if next != nil || !strings.Contains(failure.Error(), "already in use") {
		t.Errorf("a name that is taken: %v\n%s", failure, next)
	}
	s = newStage(t, "box")
	const wanted = "services: {web: {image: box, ports: ['8080:80']}}"
	next, failure = s.overtake(wanted, "StartContainer p-web-1", func(engine.Engine) error {
		s.foreignOnPort("holder", 8080)
		return nil
	})
	if next != nil || !strings.Contains(failure.Error(), "8080") {
		t.Errorf("a port that is taken: %v\n%s", failure, next)
	}
}

func TestBlame(t *testing.T) {
	t.Parallel()
	s := newStage(t, "box")
	_, failure := s.overtake(pair, "StartContainer p-web-1", func(eng engine.Engine) error {
		return eng.RemoveContainer(t.Context(), "p-web-1", engine.RemoveContainer{Force: true})
	})
	attempt := convergence.NewAttempt(&plan.Plan{})
	blamed := attempt.Blame(failure)
	var overtaken *convergence.OvertakenError
	if !errors.As(blamed, &overtaken) || !strings.HasSuffix(blamed.Error(), "\nsomething else changes this project at the same time") {
		t.Errorf("error %v", blamed)
	}
	if other := errors.New("other"); !errors.Is(attempt.Blame(other), other) || errors.As(attempt.Blame(other), &overtaken) {
		t.Error("another failure is somebody else's too")
	}
}
