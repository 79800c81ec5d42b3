package convergence_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/muster-dev/muster/convergence/engine/docker/dockertest"
)

// changes are pairs of models: what is up, and what is wanted when something goes wrong.
func changes() map[string][2]string {
	const shared = `
services:
  app: {image: box, environment: {N: "%s"}, restart: always}
  side: {image: box, network_mode: "service:app"}
  user: {image: box, depends_on: {app: {condition: service_started, restart: true}}}
`
	// They end where one of their files is not there, and tell what is in them.
	const files = `
services:
  plain: {image: box, scale: 2, configs: [settings], secrets: [password], command: [-cat, /run/secrets/password, -cat, /settings, -stay]}
  locked:
    image: box
    read_only: true
    tmpfs: [/run]
    configs: [settings]
    secrets: [password]
    command: [-cat, /run/secrets/password, -cat, /settings, -stay]
secrets: {password: {environment: PASSWORD}}
configs: {settings: {content: "%s\n"}}
`
	const hooked = `
services:
  web:
    image: box
    restart: always
    environment: {N: "%s"}
    post_start: [{command: [/testbox]}]
    pre_stop: [{command: [/testbox]}, {command: [/testbox, -out, bye]}]
  user: {image: box, pre_stop: [{command: [/testbox]}], depends_on: {web: {condition: service_started, restart: true}}}
`
	const before = `
services:
  web:
    image: box
    command: [-part, hunter2, -cat, /settings, -stay]
    pre_start: [{command: [-out, first]}, {command: [-cat, /settings], per_replica: true}]
    configs: [settings]
configs: {settings: {content: "%s\n"}}
`
	return map[string][2]string{
		"pre_start":     {"", fmt.Sprintf(before, "one")},
		"hooks":         {fmt.Sprintf(hooked, "1"), fmt.Sprintf(hooked, "2")},
		"files":         {"", fmt.Sprintf(files, "one")},
		"files replace": {fmt.Sprintf(files, "one"), fmt.Sprintf(files, "two")},
		"create":        {"", fmt.Sprintf(shop, "info")},
		"replace":       {fmt.Sprintf(shop, "info"), strings.ReplaceAll(fmt.Sprintf(shop, "debug"), "restart: always", "restart: unless-stopped")},
		"shared":        {fmt.Sprintf(shared, "1"), fmt.Sprintf(shared, "2")},
		"network": {
			"services: {web: {image: box}, db: {image: box, restart: always}}\nnetworks: {default: {driver_opts: {a: '1'}}}",
			"services: {web: {image: box}, db: {image: box, restart: always, user: '1'}}\nnetworks: {default: {driver_opts: {a: '2'}}}",
		},
		"scale": {"services: {web: {image: box, scale: 3, command: [-stay]}}", "services: {web: {image: box, scale: 2, command: [-out, a, -stay]}}"},
	}
}

// Whatever call goes wrong in whatever way, nothing that ran before is down afterwards, and one more up brings what is wanted.
func TestEveryCallMayGoWrong(t *testing.T) {
	t.Parallel()
	faults := map[string]dockertest.Fault{
		"fails":               {Then: dockertest.Fail},
		"is cut":              {Then: dockertest.Cut},
		"is done and cut":     {Then: dockertest.Cut, Done: true},
		"is the last":         {Then: dockertest.Refuse},
		"is done as the last": {Then: dockertest.Refuse, Done: true},
	}
	for change, models := range changes() {
		for name, fault := range faults {
			t.Run(change+"/a call that "+name, func(t *testing.T) {
				t.Parallel()
				points := 0
				for nth := 1; ; nth++ {
					fault.Nth, fault.On = nth, dockertest.Changing
					happened := false
					synctest.Test(t, func(t *testing.T) { happened = goWrong(t, models, fault) })
					if !happened || t.Failed() {
						break
					}
					points++
				}
				t.Logf("%d points tried", points)
			})
		}
	}
}

// goWrong says whether the fault came at all: if not, there are no more calls to try.
func goWrong(t *testing.T, models [2]string, fault dockertest.Fault) (happened bool) {
	t.Helper()
	s := newStage(t, "box")
	if models[0] != "" {
		s.mustUp(models[0])
	}
	before := s.Snapshot()
	s.ResetCalls()
	remove := s.Inject(fault)
	_, err := s.up(t.Context(), models[1])
	remove()
	changing := 0
	for _, call := range s.Calls() {
		if dockertest.Changing(call) {
			changing++
		}
	}
	happened = changing >= fault.Nth
	if dead := fault.Then == dockertest.Refuse; err != nil && !dead {
		s.nothingIsDown(before, fault)
	}
	s.Accept()
	s.eng = s.connect()
	if _, err := s.up(t.Context(), models[1]); err != nil {
		t.Errorf("call %d: the next up fails: %v\n%s", fault.Nth, err, s.Snapshot())
		return happened
	}
	s.settled(models[1])
	for _, c := range s.Snapshot().Containers {
		if strings.Contains(c.Name, "retired") || strings.Contains(c.Name, "_p-") {
			t.Errorf("call %d: debris: %s", fault.Nth, s.Snapshot())
		}
	}
	s.hasFiles(models[1], fault)
	return happened
}

// hasFiles expects that every container of a model with files has them, and that there are no volumes of files but theirs.
func (s *stage) hasFiles(model string, fault dockertest.Fault) {
	s.t.Helper()
	synctest.Wait() // for what the containers say
	snapshot := s.Snapshot()
	mounted := map[string]bool{}
	for _, c := range snapshot.Containers {
		for _, mount := range c.Mounts {
			volume, _, _ := strings.Cut(mount, ":")
			mounted[volume] = true
		}
		_, content, usesFiles := strings.Cut(model, `content: "`)
		content, _, _ = strings.Cut(content, `\n"`)
		if usesFiles && (c.State != "running" || c.Log != "hunter2"+content+"\n") {
			s.t.Errorf("call %d: %s is %s and has %q", fault.Nth, c.Name, c.State, c.Log)
		}
	}
	for _, volume := range snapshot.Volumes {
		if _, ofFiles := volume.Labels["dev.muster.files"]; ofFiles && !mounted[volume.Name] {
			s.t.Errorf("call %d: left: volume %s\n%s", fault.Nth, volume.Name, snapshot)
		}
	}
}

// nothingIsDown expects that every service that ran before has as many running containers as before, or as it shall have now.
func (s *stage) nothingIsDown(before dockertest.Snapshot, fault dockertest.Fault) {
	s.t.Helper()
	running := func(snapshot dockertest.Snapshot) map[string]int {
		services := map[string]int{}
		for _, c := range snapshot.Containers {
			if c.State == "running" {
				services[c.Labels["com.docker.compose.service"]]++
			}
		}
		return services
	}
	now := running(s.Snapshot())
	for service, count := range running(before) {
		if now[service] == 0 {
			s.t.Errorf("call %d: service %s had %d running containers and has none:\n%s", fault.Nth, service, count, s.Snapshot())
		}
	}
}
