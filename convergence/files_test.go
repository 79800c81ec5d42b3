package convergence_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/muster-dev/muster/convergence"
	"github.com/muster-dev/muster/convergence/plan"
	"github.com/muster-dev/muster/project"
)

const hiding = `
services:
  plain: {image: box, secrets: [password], configs: [settings]}
  locked: {image: box, read_only: true, secrets: [password], configs: [settings]}
secrets: {password: {environment: PASSWORD}}
configs: {settings: {content: "do not tell"}}
`

// What secrets and configs hold is in the containers and in their volumes, and nowhere else: in no label, no variable, no event, no plan.
func TestContentsAreNowhereElse(t *testing.T) {
	t.Parallel()
	s := newStage(t, "box")
	var told strings.Builder
	s.sink = func(event convergence.Event) { _, _ = fmt.Fprintf(&told, "%v %+v %#v\n", event, event, event) }
	made := s.mustUp(hiding)
	_, _ = fmt.Fprintf(&told, "%v %+v %#v\n", made, made, made.Nodes)
	for _, c := range s.Snapshot().Containers {
		fingerprint, err := project.OpenFingerprint(c.Labels[project.LabelSpec])
		if err != nil {
			t.Fatal(err)
		}
		_, _ = fmt.Fprintln(&told, c, fingerprint)
	}
	for _, volume := range s.Snapshot().Volumes {
		_, _ = fmt.Fprintln(&told, volume.Name, volume.Labels)
	}
	const inNumbers = "104 117 110 116 101 114 50"
	for _, secret := range []string{"hunter2", "do not tell", inNumbers} {
		if strings.Contains(told.String(), secret) {
			t.Errorf("%q is told", secret)
		}
	}
}

// What one service after the other does with the same secret is its own: a container that writes on its copy spoils no other's.
func TestEachReplicaHasItsOwn(t *testing.T) {
	t.Parallel()
	s := newStage(t, "box")
	s.mustUp(strings.ReplaceAll(hiding, "{image: box, read_only", "{image: box, scale: 3, read_only"))
	mounted := map[string]int{}
	for _, c := range s.Snapshot().Containers {
		for _, mount := range c.Mounts {
			volume, _, _ := strings.Cut(mount, ":")
			mounted[volume]++
		}
	}
	if len(mounted) != 6 {
		t.Errorf("volumes %v, want two for each of three", mounted)
	}
	for volume, containers := range mounted {
		if containers != 1 {
			t.Errorf("%s is mounted by %d containers", volume, containers)
		}
	}
	if _, err := s.converger().Down(t.Context(), plan.TeardownInput{Name: "p"}); err != nil {
		t.Fatal(err)
	}
	if left := s.Snapshot(); len(left.Containers)+len(left.Volumes) > 0 {
		t.Errorf("left:\n%s", left)
	}
}
