package daemon

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
)

// fakeProcess is a process of a fake /proc.
type fakeProcess struct {
	name, args, group string
	state             byte
	started           uint64
}

// procFS is a fake /proc after a boot.
func procFS(boot string, processes map[int]fakeProcess) fstest.MapFS {
	proc := fstest.MapFS{
		"sys/kernel/random/boot_id": {Data: []byte(boot + "\n")},
		"cpuinfo":                   {Data: []byte("no process")},
	}
	for pid, p := range processes {
		folder := strconv.Itoa(pid)
		zeros := strings.Repeat(" 0", 17)
		stat := fmt.Sprintf("%d (%s) %c 1%s %d 0 0\n", pid, p.name, p.state, zeros, p.started)
		proc[folder+"/stat"] = &fstest.MapFile{Data: []byte(stat)}
		proc[folder+"/cmdline"] = &fstest.MapFile{Data: []byte(strings.ReplaceAll(p.args, " ", "\x00") + "\x00")}
		proc[folder+"/cgroup"] = &fstest.MapFile{Data: []byte(p.group)}
	}
	return proc
}

func TestAlive(t *testing.T) {
	t.Parallel()
	engine := Process{PID: 7, Started: 100, Boot: "b1"}
	for name, test := range map[string]struct {
		boot    string
		now     map[int]fakeProcess
		running bool
	}{
		"running":            {"b1", map[int]fakeProcess{7: {name: "dockerd", state: 'S', started: 100}}, true},
		"odd name":           {"b1", map[int]fakeProcess{7: {name: "a) Z (b", state: 'S', started: 100}}, true},
		"gone":               {"b1", nil, false},
		"not waited for":     {"b1", map[int]fakeProcess{7: {name: "dockerd", state: 'Z', started: 100}}, false},
		"another process":    {"b1", map[int]fakeProcess{7: {name: "make", state: 'R', started: 222}}, false},
		"after another boot": {"b2", map[int]fakeProcess{7: {name: "init", state: 'S', started: 100}}, false},
	} {
		if got := engine.Alive(procFS(test.boot, test.now)); got != test.running {
			t.Errorf("%s: alive = %v", name, got)
		}
	}
	broken := procFS("b1", nil)
	broken["7/stat"] = &fstest.MapFile{Data: []byte("7 (cut")}
	if engine.Alive(broken) {
		t.Error("alive by half a status")
	}
}

func TestThisProcessIsAlive(t *testing.T) {
	t.Parallel()
	proc := os.DirFS("/proc")
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip("no /proc here")
	}
	self, err := identify(proc, os.Getpid())
	if err != nil || !self.Alive(proc) {
		t.Errorf("identify = %+v, %v", self, err)
	}
}

func TestOursAreFoundWhateverWasKilled(t *testing.T) {
	t.Parallel()
	mine, foreign := strings.Repeat("a1", 32), strings.Repeat("b2", 32)
	data := t.TempDir()
	if err := os.MkdirAll(filepath.Join(data, "containers", mine), 0o700); err != nil {
		t.Fatal(err)
	}
	of := places{run: "/run/muster-dev-1-28", data: data}
	proc := procFS("b1", map[int]fakeProcess{
		1:  {name: "init", state: 'S', args: "/sbin/init"},
		10: {name: "dockerd", state: 'S', args: "dockerd --pidfile /run/muster-dev-1-28/docker.pid"},
		11: {name: "containerd", state: 'S', args: "containerd --config /run/muster-dev-1-28/exec/containerd.toml"},
		12: {name: "dead", state: 'Z', args: "containerd --config /run/muster-dev-1-28/exec/containerd.toml"},
		20: {name: "web", state: 'S', args: "/web", group: "4:memory:/docker/" + mine + "\n"},
		21: {name: "web", state: 'S', args: "/web", group: "0::/system.slice/docker-" + mine + ".scope\n"},
		30: {name: "other", state: 'S', args: "/web", group: "0::/docker/" + foreign + "\n"},
		31: {name: "other", state: 'S', args: "dockerd --pidfile /run/muster-dev-1-28c/docker.pid", group: "0::/\n"},
		32: {name: "shell", state: 'S', args: "ls /run/muster-dev-1-28", group: "0::/\n"},
	})
	found, err := ours(proc, of)
	if err != nil {
		t.Fatal(err)
	}
	var pids []int
	for _, process := range found {
		pids = append(pids, process.PID)
	}
	if want := []int{10, 11, 20, 21}; !slices.Equal(pids, want) {
		t.Errorf("ours = %v, want %v", pids, want)
	}
}

func TestMountsIn(t *testing.T) {
	t.Parallel()
	const info = `22 1 0:20 / / rw - ext4 /dev/vda rw
30 22 0:21 / /cache/data-28 rw - ext4 /dev/vda rw
31 22 0:22 / /cache/data-28/overlay2/x/merged rw - overlay overlay rw
32 22 0:22 / /cache/data-28c/overlay2/x/merged rw - overlay overlay rw
33 22 0:22 / /run/a\040b/exec/netns/default rw - nsfs nsfs rw
34 31 0:22 / /cache/data-28/overlay2/x/merged/dev rw - tmpfs tmpfs rw
cut off
`
	want := []string{
		"/cache/data-28/overlay2/x/merged/dev", "/run/a b/exec/netns/default",
		"/cache/data-28/overlay2/x/merged", "/cache/data-28",
	}
	if got := mountsIn(info, []string{"/run/a b", "/cache/data-28"}); !slices.Equal(got, want) {
		t.Errorf("mountsIn = %q, want %q", got, want)
	}
	if got := mountsIn(info, []string{"", "/"}); len(got) != 0 {
		t.Errorf("no folder of ours, and yet %q", got)
	}
}
