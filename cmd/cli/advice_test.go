package cli

import (
	"errors"
	"testing"

	"github.com/muster-dev/muster/convergence"
	"github.com/muster-dev/muster/convergence/step"
)

// TestAdvice has what engines say, word for word, and what is told to try.
func TestAdvice(t *testing.T) {
	t.Parallel()
	for said, want := range map[string]string{
		"failed to set up container networking: driver failed programming external connectivity on endpoint p-b-1 (1976c4): " +
			"Bind for 0.0.0.0:18081 failed: port is already allocated": "publish another port than 18081, or see which container has it: docker ps --filter publish=18081",
		"failed to set up container networking: driver failed programming external connectivity on endpoint p-a-1 (1976c4): " +
			"failed to bind host port for 0.0.0.0:8080:172.18.0.2:80/tcp: address already in use": "publish another port than 8080, or see which program has it: ss -lntup 'sport = :8080'",
		"driver failed programming external connectivity on endpoint p-a-1 (1976c4): " +
			"Error starting userland proxy: listen tcp4 0.0.0.0:8080: bind: address already in use": "publish another port than 8080, or see which program has it: ss -lntup 'sport = :8080'",
		"failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: unable to start " +
			`container process: exec: "/no/such/thing": stat /no/such/thing: no such file or directory`: `look at "command" and "entrypoint" of service "web": its image has no /no/such/thing`,
		`runc create failed: unable to start container process: exec: "bash": executable file not found in $PATH`: `look at "command" and "entrypoint" of service "web": its image has no bash`,
		`runc create failed: unable to start container process: exec: "/tmp": permission denied`:                  `look at "command" and "entrypoint" of service "web": /tmp is no program that may be run`,
		`Conflict. The container name "/db" is already in use by container "1976c4". You have to remove (or rename) that container to be ` +
			"able to reuse that name.": "give another container_name, or remove the container that has it: docker rm db",
		"invalid pool request: Pool overlaps with other one on this address space": "give the network another subnet, or remove networks that nobody uses: docker network prune",
		"all predefined address pools have been fully subnetted":                   "give the network another subnet, or remove networks that nobody uses: docker network prune",
		"write /var/lib/docker/tmp/x: no space left on device":                     "see what takes the engine's room: docker system df",
		"something else": "",
	} {
		err := &convergence.StepError{
			Step: step.StartContainer{Target: step.Target{Name: "p-web-1", Service: "web"}}, Err: errors.New("Error response from daemon: " + said),
		}
		known, _ := adviceOn(err)
		if got := known.Try; got != want {
			t.Errorf("%s:\n%q, want\n%q", said, got, want)
		}
	}
	g := &globals{invocation: "muster -p shop"}
	failed := &step.WaitError{Wait: step.Wait{Target: step.Target{Name: "p-web-1", Service: "web"}}, Reason: "exited (1)"}
	if got, want := g.explain(failed).Try, "muster -p shop logs web --tail 100"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
