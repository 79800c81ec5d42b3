package daemon

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRecord(t *testing.T) {
	t.Parallel()
	cache := t.TempDir()
	if _, ok, err := ReadRecord(cache); ok || err != nil {
		t.Errorf("before there is one: %v, %v", ok, err)
	}
	written := newRecord(cache, "28", Process{PID: 7, Started: 100, Boot: "b1"})
	if err := written.write(cache); err != nil {
		t.Fatal(err)
	}
	if got, ok, err := ReadRecord(cache); !ok || err != nil || got != written {
		t.Errorf("ReadRecord = %+v, %v, %v, want %+v", got, ok, err, written)
	}
	if !IsOwn(written.Host) || IsOwn("unix:///var/run/docker.sock") {
		t.Errorf("IsOwn(%q) is wrong, or of the default socket", written.Host)
	}
	for range 2 { // a second time there is nothing to forget
		if err := forget(cache); err != nil {
			t.Error(err)
		}
	}
}

func TestRecordThatCannotBeTrusted(t *testing.T) {
	t.Parallel()
	for name, content := range map[string]string{
		"empty": "", "cut off": `{"release": "28", "pro`, "another's": `{"release": "../../etc"}`, "nothing in it": "{}",
	} {
		cache := t.TempDir()
		if err := os.WriteFile(recordPath(cache), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if record, ok, err := ReadRecord(cache); ok || err != nil {
			t.Errorf("%s: %+v, %v", name, record, err)
		}
	}
	cache := t.TempDir()
	edited := `{"release": "28", "run": "/", "data": "/home"}`
	if err := os.WriteFile(recordPath(cache), []byte(edited), 0o600); err != nil {
		t.Fatal(err)
	}
	record, ok, err := ReadRecord(cache)
	if !ok || err != nil || record.Data != filepath.Join(cache, "data-28") || !strings.HasPrefix(record.Run, runPrefix) {
		t.Errorf("folders out of the file: %+v, %v", record, err)
	}
}

func TestLayout(t *testing.T) {
	t.Parallel()
	const longestSocketPath = 107
	deep := "/home/" + strings.Repeat("deep/", 50)
	one, other := layoutOf(deep, "28c"), layoutOf(deep+"x", "28c")
	longest := filepath.Join(one.exec, "containerd", "containerd-debug.sock")
	if len(longest) > longestSocketPath {
		t.Errorf("%s is too long for a socket", longest)
	}
	if one.run == other.run || one.run == layoutOf(deep, "28").run {
		t.Errorf("two engines share %s", one.run)
	}
	if args := strings.Join(one.arguments(), " "); !strings.Contains(args, "--data-root "+one.data) || !strings.Contains(args, one.host()) {
		t.Errorf("arguments = %s", args)
	}
}

func TestPathBeginsWithTheEnginesPrograms(t *testing.T) {
	t.Parallel()
	got := Launch{Programs: "/c/forky"}.path("/opt/bin")
	if want := "/c/forky/usr/bin:/c/forky/usr/sbin:/opt/bin:"; !strings.HasPrefix(got, want) || !strings.Contains(got, ":/usr/sbin") {
		t.Errorf("path = %s", got)
	}
}
