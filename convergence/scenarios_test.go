package convergence_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/engine/docker/dockertest"
	"github.com/muster-dev/muster/convergence/plan"
	"github.com/muster-dev/muster/convergence/step"
	"github.com/muster-dev/muster/project"
)

// A replacement that fails at any point leaves the old container as it was.
func TestAFailedReplacementGivesTheOldContainerBack(t *testing.T) {
	t.Parallel()
	const old = "services: {web: {image: box, restart: unless-stopped, ports: ['8080:80']}}"
	for _, test := range []struct{ name, wanted, want string }{
		{"it dies at once", `services: {web: {image: box, command: [-exit, "3"]}}`, "exited (3)"},
		{"it dies and is restarted", `services: {web: {image: box, restart: always, command: [-exit, "3"]}}`, "had to be restarted"},
		{
			"it never gets healthy",
			"services: {web: {image: box, command: [-starting, -stay], healthcheck: {test: [CMD, /testbox, probe], interval: 10ms, retries: 2}}}",
			"is unhealthy",
		},
		{"it cannot be created", "services: {web: {image: box, user: 'no such user', ipc: 'container:nobody'}}", "nobody"},
		{"its port is taken by another container", "services: {web: {image: box, ports: ['8081:80']}}", "8081"},
		{"its name is taken by another container", "services: {web: {image: box, container_name: other}}", "other"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, "box")
			s.mustUp(old)
			before, other := s.container("p-web-1"), s.foreignOnPort("other", 8081)
			s.failingUp(test.wanted, test.want)
			s.runs(before)
			s.runs(other)
			s.named("other running, p-web-1 running")
		})
	}
}

// foreignOnPort is a container of nobody's that has taken a port.
func (s *stage) foreignOnPort(name string, port uint16) dockertest.ContainerState {
	s.t.Helper()
	request := engine.CreateContainer{Name: name, Image: "box", NetworkMode: "bridge"}
	request.Service.Ports = []project.Port{{Target: 80, Published: fmt.Sprint(port), Protocol: "tcp"}}
	if _, err := s.eng.CreateContainer(s.t.Context(), request); err != nil {
		s.t.Fatal(err)
	}
	if err := s.eng.StartContainer(s.t.Context(), name); err != nil {
		s.t.Fatal(err)
	}
	return s.container(name)
}

// A container_name that was given up comes back when the new one's cannot be had, or does not run.
func TestARenamedContainerThatFailsGivesTheOldNameBack(t *testing.T) {
	t.Parallel()
	s := newStage(t, "box")
	s.mustUp("services: {web: {image: box, container_name: one}}")
	before := s.container("one")
	s.failingUp(`services: {web: {image: box, container_name: two, command: [-exit, "3"]}}`, "exited (3)")
	s.runs(before)
	s.named("one running")
}

// Services that swap their container names cannot have them at once: neither is lost.
func TestSwappedContainerNamesLoseNothing(t *testing.T) {
	t.Parallel()
	s := newStage(t, "box")
	s.mustUp("services: {a: {image: box, container_name: one}, b: {image: box, container_name: two}}")
	one, two := s.container("one"), s.container("two")
	if _, err := s.up(t.Context(), "services: {a: {image: box, container_name: two}, b: {image: box, container_name: one}}"); err != nil {
		s.runs(one)
		s.runs(two)
	}
	s.named("one running, two running")
}

func TestAForeignContainerWithTheWantedNameIsLeftAlone(t *testing.T) {
	t.Parallel()
	s := newStage(t, "box")
	foreign := s.foreign("p-web-1")
	err := s.failingUp("services: {web: {image: box}, other: {image: box}}", "already in use")
	var taken *step.NameTakenError
	if !errors.As(err, &taken) || !strings.Contains(taken.Hint(), "docker inspect p-web-1") {
		t.Errorf("error %v without a hint", err)
	}
	s.runs(foreign)
	s.named("p-other-1 running, p-web-1 running")
}

func (s *stage) warned(made *plan.Plan, want string) {
	s.t.Helper()
	for _, warning := range made.Warnings {
		if strings.Contains(warning.Message, want) {
			return
		}
	}
	s.t.Errorf("warnings %v, want one with %q", made.Warnings, want)
}

func TestForeignNetworksAndVolumesAreUsedAsTheyAre(t *testing.T) {
	t.Parallel()
	s := newStage(t, "box")
	ctx := t.Context()
	mine := map[string]string{project.LabelProject: "q"}
	for name, labels := range map[string]map[string]string{"p_default": nil, "p_back": mine} {
		if _, err := s.eng.CreateNetwork(ctx, engine.CreateNetwork{Name: name, Labels: labels}); err != nil {
			t.Fatal(err)
		}
	}
	for name, labels := range map[string]map[string]string{"p_data": nil, "p_log": mine} {
		if _, err := s.eng.CreateVolume(ctx, engine.CreateVolume{Name: name, Labels: labels}); err != nil {
			t.Fatal(err)
		}
	}
	made := s.mustUp(`
services: {web: {image: box, networks: [default, back], volumes: ["data:/data", "log:/log"]}}
networks: {default: {driver_opts: {a: b}}, back: {driver_opts: {a: b}}}
volumes: {data: {driver_opts: {a: b}}, log: }
`)
	s.warned(made, "a network with name p_default exists but was not created by compose.")
	s.warned(made, `a network with name p_back exists but was not created for project "p".`)
	s.warned(made, `volume "p_data" already exists but was not created by Docker Compose.`)
	s.warned(made, `volume "p_log" already exists but was created for project "q" (expected "p").`)
	s.named("p-web-1 running")
	if _, err := s.converger().Down(ctx, plan.TeardownInput{Name: "p", RemoveVolumes: true}); err != nil {
		t.Fatal(err)
	}
	if left := s.Snapshot(); len(left.Networks) != 2 || len(left.Volumes) != 2 {
		t.Errorf("what is not the project's went with it:\n%s", left)
	}
}

