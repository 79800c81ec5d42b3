package convergence_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/muster-dev/muster/convergence"
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
			_ = s.failingUp(test.wanted, test.want)
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
	_ = s.failingUp(`services: {web: {image: box, container_name: two, command: [-exit, "3"]}}`, "exited (3)")
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

// twice is a registry with an image that is always pulled, and has been brought up once.
func twice(t *testing.T, content string) (*stage, *dockertest.Registry) {
	t.Helper()
	registry := dockertest.NewRegistry()
	s := newStageWith(t, dockertest.Options{Remote: registry}, "box")
	registry.Push(dockertest.Box("registry.test/app"))
	s.mustUp(content)
	return s, registry
}

const always = "image: registry.test/app, pull_policy: always"

// stop stops containers of the project.
func (s *stage) stop(services ...string) {
	s.t.Helper()
	converger := s.converger()
	made, err := converger.PlanStop(s.t.Context(), plan.StopInput{Name: "p", Services: services})
	if err == nil {
		err = converger.Apply(s.t.Context(), made)
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

func TestAPullThatBringsNothingNewStartsWhatStandsStill(t *testing.T) {
	t.Parallel()
	const content = "services: {app: {" + always + "}}"
	s, _ := twice(t, content)
	before := s.container("p-app-1")
	s.stop()
	s.mustUp(content)
	s.runs(before)
}

func TestAPullThatBringsSomethingNewReplacesWhatStandsStill(t *testing.T) {
	t.Parallel()
	const content = "services: {app: {" + always + "}}"
	s, registry := twice(t, content)
	before := s.container("p-app-1")
	s.stop()
	other := dockertest.Box("registry.test/app")
	other.Version = "2"
	registry.Push(other)
	s.mustUp(content)
	if now := s.container("p-app-1"); now.ID == before.ID || now.State != "running" {
		t.Errorf("now %+v, before %+v", now, before)
	}
	s.named("p-app-1 running")
}

// A one-shot that is always pulled runs once an up, whether the pull brings something or not.
func TestAPulledOneShotRunsOnce(t *testing.T) {
	t.Parallel()
	const content = `services: {job: {` + always + `, command: [-out, ran]}, web: {image: box, depends_on: {job: {condition: service_completed_successfully}}}}`
	s, registry := twice(t, content)
	s.mustUp(content)
	if got := strings.Count(s.container("p-job-1").Log, "ran"); got != 2 {
		t.Errorf("ran %d times in two ups", got)
	}
	other := dockertest.Box("registry.test/app")
	other.Version = "2"
	registry.Push(other)
	s.mustUp(content)
	if got := strings.Count(s.container("p-job-1").Log, "ran"); got != 1 {
		t.Errorf("the new one ran %d times", got)
	}
	s.named("p-job-1 exited, p-web-1 running")
}

func TestAPullThatBringsNothingNewLosesNoOtherChange(t *testing.T) {
	t.Parallel()
	const app = "app: {" + always + "%s}"
	for _, test := range []struct{ name, before, after string }{
		{
			"a sharer that changes", fmt.Sprintf(app, "") + ", side: {image: box, network_mode: 'service:app'}",
			fmt.Sprintf(app, "") + ", side: {image: box, network_mode: 'service:app', environment: {A: b}}",
		},
		{"a sharer that is new", fmt.Sprintf(app, ""), fmt.Sprintf(app, "") + ", side: {image: box, network_mode: 'service:app'}"},
		{"volumes from it", fmt.Sprintf(app, ""), fmt.Sprintf(app, "") + ", side: {image: box, volumes_from: [app]}"},
		{"one more replica", fmt.Sprintf(app, ""), fmt.Sprintf(app, ", scale: 2")},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s, _ := twice(t, "services: {"+test.before+"}")
			before := s.container("p-app-1")
			s.mustUp("services: {" + test.after + "}")
			s.runs(before)
			s.settled(strings.ReplaceAll("services: {"+test.after+"}", ", pull_policy: always", ""))
		})
	}
}

func TestANetworkMadeAnewUnderAPullKeepsAllAttached(t *testing.T) {
	t.Parallel()
	const content = "services: {app: {" + always + "}}\nnetworks: {default: {driver_opts: {a: '%s'}}}"
	s, _ := twice(t, fmt.Sprintf(content, "1"))
	s.mustUp(fmt.Sprintf(content, "2"))
	s.named("p-app-1 running")
	if got := s.container("p-app-1").Networks; len(got) != 1 {
		t.Errorf("networks %v", got)
	}
	s.settled(strings.ReplaceAll(fmt.Sprintf(content, "2"), ", pull_policy: always", ""))
}

// What is not healthy yet is waited for, also when a pull might have replaced it and did not.
func TestAPullThatBringsNothingNewStillWaitsForHealth(t *testing.T) {
	t.Parallel()
	const content = `
services:
  app:
    image: registry.test/app
    pull_policy: always
    command: [-starting, -stay]
    healthcheck: {test: [CMD, /testbox, probe], interval: 10ms, retries: 3}
`
	s, _ := twice(t, content)
	_ = s.failingUp(content+"  web: {image: box, depends_on: {app: {condition: service_healthy}}}\n", "p-app-1 is unhealthy")
	if c := s.container("p-web-1"); c.State != "created" {
		t.Errorf("started although what it depends on is not healthy: %+v", c)
	}
}

// A network that is made anew takes out whoever is in it, and brings everybody back.
func TestANetworkMadeAnewBringsEverybodyBack(t *testing.T) {
	t.Parallel()
	const before = `
services: {web: {image: box, networks: [back]}, gone: {image: box, networks: [back]}, guest: {image: box}, still: {image: box, networks: [back]}, paused: {image: box, networks: [back]}}
networks: {default: , back: {driver_opts: {a: '1'}}}
`
	const after = `
services: {web: {image: box, networks: [back]}, guest: {image: box}, still: {image: box, networks: [back]}, paused: {image: box, networks: [back]}}
networks: {default: , back: {driver_opts: {a: '2'}}}
`
	s := newStage(t, "box")
	s.mustUp(before)
	if err := s.eng.ConnectNetwork(t.Context(), "p-guest-1", engine.Endpoint{Network: "p_back"}); err != nil {
		t.Fatal(err)
	}
	s.pause("p-paused-1")
	s.stop("still")
	ids := map[string]string{}
	for _, c := range s.Snapshot().Containers {
		ids[c.Name] = c.ID
	}
	s.mustUp(after)
	s.named("p-gone-1 running, p-guest-1 running, p-paused-1 running, p-still-1 running, p-web-1 running")
	for _, c := range s.Snapshot().Containers {
		if c.ID != ids[c.Name] || !strings.Contains(strings.Join(c.Networks, " "), "p_back") {
			t.Errorf("%s: networks %v, another one: %v", c.Name, c.Networks, c.ID != ids[c.Name])
		}
	}
	s.settled(after)
}

// pause pauses a container by hand.
func (s *stage) pause(name string) { s.byHand(http.MethodPost, "/containers/"+name+"/pause") }

// byHand asks the engine for something as a person would, past the client of the test.
func (s *stage) byHand(method, path string) {
	s.t.Helper()
	answer := httptest.NewRecorder()
	s.ServeHTTP(answer, httptest.NewRequestWithContext(s.t.Context(), method, path, http.NoBody))
	if answer.Code >= http.StatusBadRequest {
		s.t.Fatalf("%s %s: %d %s", method, path, answer.Code, answer.Body)
	}
}

// What is left out of an up keeps running, and is neither an orphan nor replaced.
func TestAnUpOfOneServiceTouchesNoOther(t *testing.T) {
	t.Parallel()
	const content = "services: {web: {image: box, environment: {N: '%[1]s'}, depends_on: [db]}, db: {image: box, environment: {N: '%[1]s'}}, other: {image: box, environment: {N: '%[1]s'}}}"
	only := func(noDeps bool) func(*project.Options) {
		return func(o *project.Options) { o.Services, o.NoDeps = []string{"web"}, noDeps }
	}
	s := newStage(t, "box")
	s.mustUp(fmt.Sprintf(content, "1"))
	db, other := s.container("p-db-1"), s.container("p-other-1")
	if made := s.mustUp(fmt.Sprintf(content, "2"), only(true)); len(made.Warnings) > 0 {
		t.Errorf("warnings %v", made.Warnings)
	}
	s.runs(db)
	s.runs(other)
	s.mustUp(fmt.Sprintf(content, "2"), only(false))
	if now := s.container("p-db-1"); now.ID == db.ID {
		t.Errorf("a dependency that has changed is not replaced")
	}
	s.runs(other)
}

// A service that was renamed takes over the name and the port of its former self.
func TestAnOrphanThatIsRemovedMakesRoom(t *testing.T) {
	t.Parallel()
	s := newStage(t, "box")
	s.mustUp("services: {db: {image: box, container_name: store, ports: ['8080:80'], command: [-ignore-term, -stay], stop_grace_period: 50ms}}")
	s.policy.RemoveOrphans = true
	s.mustUp("services: {database: {image: box, container_name: store, ports: ['8080:80']}}")
	if c := s.container("store"); c.State != "running" || c.Labels[project.LabelService] != "database" {
		t.Errorf("now %+v", c)
	}
	s.named("store running")
}

// What another hand removes in the middle of a replacement is not missed.
func TestTheOldContainerMayGoInTheMiddle(t *testing.T) {
	t.Parallel()
	for _, action := range []string{"update", "stop", "rename"} {
		t.Run(action, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, "box")
			s.mustUp("services: {web: {image: box, restart: always}}")
			old := s.container("p-web-1")
			gone := false
			s.sink = func(event convergence.Event) {
				if !gone && event.Phase == convergence.Started && event.Step != nil && event.Step.Action() == action {
					gone = true
					s.byHand(http.MethodDelete, "/containers/"+old.ID+"?force=1")
				}
			}
			s.mustUp("services: {web: {image: box, restart: always, user: '1'}}")
			s.named("p-web-1 running")
			if now := s.container("p-web-1"); !gone || now.ID == old.ID || now.Policy != "always" {
				t.Errorf("gone %v, now %+v", gone, now)
			}
		})
	}
}

// One more replica of a service leaves those alone that share the namespaces of its first one.
func TestAScaleUpLeavesSharersAlone(t *testing.T) {
	t.Parallel()
	const content = "services: {app: {image: box, scale: %d}, side: {image: box, network_mode: 'service:app'}}"
	s := newStage(t, "box")
	s.mustUp(fmt.Sprintf(content, 1))
	side := s.container("p-side-1")
	s.mustUp(fmt.Sprintf(content, 2))
	s.runs(side)
	s.mustUp(fmt.Sprintf(content, 1))
	s.runs(side)
	s.named("p-app-1 running, p-side-1 running")
}

// The image of a running container may be gone, and what its tag stands for now may be another one.
func TestAnImageThatVanishedIsPulledAndUsed(t *testing.T) {
	t.Parallel()
	const content = "services: {app: {image: registry.test/app}}"
	for _, version := range []string{"", "2"} {
		t.Run("version "+version, func(t *testing.T) {
			t.Parallel()
			s, registry := twice(t, content)
			before := s.container("p-app-1")
			other := dockertest.Box("registry.test/app")
			if version != "" {
				other.Version = version
			}
			registry.Push(other)
			s.byHand(http.MethodDelete, "/images/registry.test/app:latest?force=1")
			s.mustUp(content)
			if now := s.container("p-app-1"); now.State != "running" || (now.ID == before.ID) != (version == "") {
				t.Errorf("now %+v, before %+v", now, before)
			}
			s.settled(content)
		})
	}
}

// An anonymous volume goes over to the new container, unless the file puts something else in its place.
func TestAnonymousVolumesGoOver(t *testing.T) {
	t.Parallel()
	for wanted, goesOver := range map[string]bool{
		"": true, "tmpfs: [/data]": false, "volumes: ['named:/data']": false, "volumes: [/data]": true,
	} {
		t.Run(wanted, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			image := dockertest.Box("box")
			image.Volumes = []string{"/data"}
			s.AddImage(image)
			s.mustUp("services: {web: {image: box}}")
			old := strings.Join(s.container("p-web-1").Mounts, " ")
			s.mustUp("services: {web: {image: box, user: '1', " + wanted + "}}\nvolumes: {named: }")
			if got := strings.Join(s.container("p-web-1").Mounts, " "); (got == old) != goesOver {
				t.Errorf("mounts %q, before %q", got, old)
			}
		})
	}
}

// A volume that is made anew, with the user's consent, takes all its users down and up again.
func TestAVolumeIsMadeAnewWithConsent(t *testing.T) {
	t.Parallel()
	const content = "services: {a: {image: box, volumes: ['data:/data']}, b: {image: box, volumes: ['data:/data']}, c: {image: box}}\nvolumes: {data: {driver_opts: {type: tmpfs, device: tmpfs, o: size=%d}}}"
	s := newStage(t, "box")
	s.mustUp(fmt.Sprintf(content, 1))
	a, c := s.container("p-a-1"), s.container("p-c-1")
	if made := s.mustUp(fmt.Sprintf(content, 2)); len(made.Questions) != 1 {
		t.Errorf("questions %v", made.Questions)
	}
	s.runs(a)
	s.policy.RecreateVolumes = map[string]bool{"data": true}
	s.mustUp(fmt.Sprintf(content, 2))
	s.runs(c)
	s.named("p-a-1 running, p-b-1 running, p-c-1 running")
	if now := s.container("p-a-1"); now.ID == a.ID {
		t.Errorf("the volume was made anew without its user")
	}
	s.settled(fmt.Sprintf(content, 2))
}
