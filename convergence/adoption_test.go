package convergence_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/project"
)

// foreign makes containers as a version of docker compose does whose hash is another one.
type foreign struct{ engine.Engine }

func (f foreign) CreateContainer(ctx context.Context, request engine.CreateContainer) (engine.Created, error) {
	delete(request.Labels, project.LabelSpec)
	request.Labels[project.LabelConfigHash] = "another"
	return f.Engine.CreateContainer(ctx, request)
}

// A stack of which no hash is known is taken over as it is, and only what differs is replaced, for reasons in words.
func TestAForeignStackIsTakenOver(t *testing.T) {
	t.Parallel()
	const stack = `
services:
  web:
    image: box
    command: [%s]
    ports: ["127.0.0.1::80"]
    depends_on: [api]
    links: [api]
    networks: {front: {aliases: [www]}, back: }
    secrets: [password, {source: token, target: other}]
    configs: [settings]
  api:
    image: box
    scale: 2
    command: [-stay]
    environment: {LEVEL: info, PASSWORD: }
    volumes: ["data:/data", "./bound:/bound:ro", "/scratch"]
    tmpfs: [/tmp]
    deploy: {resources: {limits: {memory: 64M, cpus: "0.5"}}}
    networks: [back]
  side:
    image: box
    command: [-stay]
    network_mode: service:web
    pid: service:web
    volumes_from: [api]
networks: {front: , back: {internal: true}}
volumes: {data: }
secrets: {password: {environment: PASSWORD}, token: {environment: PASSWORD}}
configs: {settings: {content: x}}
`
	s := newStage(t, "box")
	own := s.eng
	s.eng = foreign{own}
	s.mustUp(fmt.Sprintf(stack, "-stay"))
	s.eng = own
	before := s.Snapshot().Containers
	s.ResetCalls()
	made := s.mustUp(fmt.Sprintf(stack, "-stay"))
	if made.HasChanges() {
		t.Fatalf("something is changed:\n%s", made)
	}
	for i, c := range s.Snapshot().Containers {
		if c.ID != before[i].ID {
			t.Errorf("%s is another one", c.Name)
		}
	}
	made = s.mustUp(fmt.Sprintf(stack, "-stay, -out, x"))
	var reasons []string
	for _, change := range made.Changes {
		for _, reason := range change.Reasons {
			reasons = append(reasons, change.Ref.Name+": "+reason.String())
		}
	}
	const want = `web: command ["-stay"] -> ["-stay","-out","x"]; side: shares network_mode of web, which is replaced`
	if got := strings.Join(reasons, "; "); got != want {
		t.Errorf("reasons %s, want %s", got, want)
	}
	s.settled(fmt.Sprintf(stack, "-stay, -out, x"))
}
