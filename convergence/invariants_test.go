package convergence_test

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/muster-dev/muster/convergence/engine/docker/dockertest"
	"github.com/muster-dev/muster/convergence/plan"
	"github.com/muster-dev/muster/convergence/step"
	"github.com/muster-dev/muster/project"
)

// expectation is what comes of a fixture's command and an up when nothing goes wrong.
type expectation struct {
	survivors map[string]bool // containers that were there before, by ID
	loose     int             // anonymous volumes that no container mounts
}

// undisturbed lets nothing go wrong.
func (f fixture) undisturbed(t *testing.T) (e expectation) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := f.stage(t)
		before := s.Snapshot()
		if err := s.do(t.Context(), f, f.command...); err != nil {
			t.Fatalf("%s: %v\n%s", f.name, err, s.Snapshot())
		}
		if _, err := s.bringUp(t.Context(), f.after); err != nil {
			t.Fatalf("%s: the next up: %v\n%s", f.name, err, s.Snapshot())
		}
		after := s.Snapshot()
		e = expectation{survivors: map[string]bool{}, loose: len(looseVolumes(after))}
		for _, c := range before.Containers {
			if isThere(after, c.ID) {
				e.survivors[c.ID] = true
			}
		}
		s.isAsWanted(f.name, f, e, true)
		if unknown := s.Unknown(); len(unknown) > 0 {
			t.Errorf("%s: calls that the engine in memory does not know: %v", f.name, unknown)
		}
	})
	return e
}

func isThere(snapshot dockertest.Snapshot, id string) bool {
	return slices.ContainsFunc(snapshot.Containers, func(c dockertest.ContainerState) bool { return c.ID == id })
}

// nothingIsDown expects that every service that ran before, and still shall, runs, and that the engine starts it again as before or as
// it shall now.
func (s *stage) nothingIsDown(place string, before dockertest.Snapshot, f fixture) {
	s.t.Helper()
	running := func(snapshot dockertest.Snapshot) map[string]int {
		services := map[string]int{}
		for _, c := range snapshot.Containers {
			if c.State == "running" {
				services[c.Labels[project.LabelService]]++
			}
		}
		return services
	}
	now := running(s.Snapshot())
	for service, count := range running(before) {
		wanted, ok := f.after.Services[service]
		if ok && wanted.GetScale() > 0 && now[service] == 0 && !f.loses(wanted) {
			s.t.Errorf("%s: service %s had %d running containers and has none:\n%s", place, service, count, s.Snapshot())
		}
	}
	policies := map[string][]string{}
	for _, c := range before.Containers {
		policies[c.Labels[project.LabelService]] = append(policies[c.Labels[project.LabelService]], c.Policy)
	}
	for _, c := range s.Snapshot().Containers {
		service := c.Labels[project.LabelService]
		wanted, _ := project.RestartPolicy(f.after.Services[service])
		if c.State == "running" && len(policies[service]) > 0 && !slices.Contains(policies[service], c.Policy) && c.Policy != wanted {
			s.t.Errorf("%s: %s runs with restart policy %q, before %q:\n%s", place, c.Name, c.Policy, policies[service], s.Snapshot())
		}
	}
}

// loses says whether a service goes down for a volume that the user has agreed to lose.
func (f fixture) loses(service project.Service) bool {
	return slices.ContainsFunc(service.Volumes, func(mount project.Mount) bool { return f.policy.RecreateVolumes[mount.Source] })
}

// nothingIsLost expects every volume that was there: the same, by the salt in its labels.
func (s *stage) nothingIsLost(place string, before dockertest.Snapshot, f fixture) {
	s.t.Helper()
	if slices.Contains(f.command, "-v") {
		return
	}
	now := s.Snapshot().Volumes
	for _, volume := range before.Volumes {
		if f.policy.RecreateVolumes[volume.Labels[project.LabelVolume]] || volume.Labels[project.LabelFiles] != "" {
			continue
		}
		if !slices.ContainsFunc(now, func(v dockertest.VolumeState) bool {
			return v.Name == volume.Name && v.Labels[project.LabelSpec] == volume.Labels[project.LabelSpec]
		}) {
			s.t.Errorf("%s: volume %s is lost", place, volume.Name)
		}
	}
}

// temporary are names that containers only have in the middle of a replacement.
var temporary = regexp.MustCompile(`^[0-9a-f]{12}_|_retired_[0-9a-f]{12}$`)

// noDebris expects nothing of what a command that was cut short may have left.
func (s *stage) noDebris(place string) {
	s.t.Helper()
	snapshot := s.Snapshot()
	replicas := map[string]string{}
	for _, c := range snapshot.Containers {
		replica := c.Labels[project.LabelService] + " " + c.Labels[project.LabelNumber]
		switch {
		case temporary.MatchString(c.Name), c.Labels[project.LabelFiles] != "":
			s.t.Errorf("%s: debris: container %s:\n%s", place, c.Name, snapshot)
		case c.Labels[project.LabelOneOff] == "True", c.Labels[project.LabelHook] != "":
		case replicas[replica] != "":
			s.t.Errorf("%s: %s and %s are one replica:\n%s", place, c.Name, replicas[replica], snapshot)
		}
		replicas[replica] = c.Name
	}
	names := map[string]bool{}
	for _, network := range snapshot.Networks {
		if names[network.Name] {
			s.t.Errorf("%s: a second network %s:\n%s", place, network.Name, snapshot)
		}
		names[network.Name] = true
	}
}

// looseVolumes are anonymous volumes that no container mounts.
func looseVolumes(snapshot dockertest.Snapshot) (names []string) {
	const anonymous = 64
	for _, volume := range snapshot.Volumes {
		if len(volume.Name) == anonymous && len(mountedBy(snapshot, volume.Name)) == 0 {
			names = append(names, volume.Name)
		}
	}
	return names
}

func mountedBy(snapshot dockertest.Snapshot, volume string) (names []string) {
	for _, c := range snapshot.Containers {
		if slices.ContainsFunc(c.Mounts, func(mount string) bool { return strings.HasPrefix(mount, volume+":") }) {
			names = append(names, c.Name)
		}
	}
	return names
}

// isAsWanted expects that all is there that the fixture wants and nothing else, that there is nothing to do any more, and that what an
// undisturbed run leaves alone is what it was.
func (s *stage) isAsWanted(place string, f fixture, expected expectation, upOnly bool) {
	s.t.Helper()
	made, err := s.converger().Plan(s.t.Context(), f.after, plan.Policy{}, true)
	if err != nil || made.HasChanges() {
		s.t.Errorf("%s: something is left to change (error %v):\n%s\n%s", place, err, made, s.Snapshot())
	}
	snapshot := s.Snapshot()
	s.noDebris(place)
	for id := range expected.survivors {
		if !isThere(snapshot, id) && upOnly {
			s.t.Errorf("%s: a container that nothing is wrong with is another one: %.12s\n%s", place, id, snapshot)
		}
	}
	s.hasReplicas(place, f)
	if loose := looseVolumes(snapshot); upOnly && len(loose) > expected.loose {
		s.t.Errorf("%s: %d anonymous volumes are nobody's, not %d:\n%s", place, len(loose), expected.loose, snapshot)
	}
	for _, volume := range snapshot.Volumes {
		if volume.Labels[project.LabelFiles] != "" && len(mountedBy(snapshot, volume.Name)) == 0 {
			s.t.Errorf("%s: left: volume %s\n%s", place, volume.Name, snapshot)
		}
	}
}

// hasReplicas expects each service's containers, with the names and restart policies that they shall have.
func (s *stage) hasReplicas(place string, f fixture) {
	s.t.Helper()
	synctest.Wait() // for what the containers say
	snapshot := s.Snapshot()
	for name, service := range f.after.Services {
		if service.Provider != nil {
			continue
		}
		found := 0
		for _, c := range snapshot.Containers {
			if c.Labels[project.LabelService] != name || c.Labels[project.LabelOneOff] == "True" || c.Labels[project.LabelHook] != "" {
				continue
			}
			found++
			policy, _ := project.RestartPolicy(service)
			if policy == "" {
				policy = project.RestartNo
			}
			if c.Policy != policy {
				s.t.Errorf("%s: %s has restart policy %q, wanted %q", place, c.Name, c.Policy, policy)
			}
			s.hasFiles(place, f, c)
		}
		if found != service.GetScale() {
			s.t.Errorf("%s: service %s has %d containers:\n%s", place, name, found, snapshot)
		}
	}
}

// hasFiles expects that a container that tells what is in its files has them.
func (s *stage) hasFiles(place string, f fixture, c dockertest.ContainerState) {
	s.t.Helper()
	service := f.after.Services[c.Labels[project.LabelService]]
	settings, ok := f.after.Configs["settings"]
	if !ok || !slices.Contains(service.Command, "/settings") {
		return
	}
	want := "hunter2" + settings.Content // once for each run
	if c.State != "running" || c.Log == "" || strings.ReplaceAll(c.Log, want, "") != "" {
		s.t.Errorf("%s: %s is %s and has %q, not %q", place, c.Name, c.State, c.Log, want)
	}
}

// isRefusal says whether a command does nothing because a service has no container that it could do it to.
func isRefusal(err error) bool {
	var problem *plan.Problem
	return errors.As(err, &problem) && strings.Contains(err.Error(), "container")
}

// keptWhatItSaid expects that the containers that an up's plan lets be are the ones that were there.
func (s *stage) keptWhatItSaid(place string, made *plan.Plan, before dockertest.Snapshot) {
	s.t.Helper()
	after := s.Snapshot()
	for _, kept := range made.Unchanged {
		was, existed := before.Container(kept.Object.Name)
		if is, ok := after.Container(kept.Object.Name); existed && kept.Object.Kind == step.Container && (!ok || is.ID != was.ID) {
			s.t.Errorf("%s: %s is another one although the plan said nothing:\n%s", place, was.Name, made)
		}
	}
}
