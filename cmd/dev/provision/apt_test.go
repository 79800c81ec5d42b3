package provision

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestAptConfig(t *testing.T) {
	t.Parallel()
	fetching := apt{folder: "/c/apt", suites: []string{"forky"}, mirror: usualMirror}
	for _, want := range []string{
		`Dir::Etc::sourcelist "/c/apt/sources.list";`,
		`Dir::Etc::sourceparts "/dev/null";`,
		`Dir::State::status "/c/apt/state/status";`,
		`Dir::Cache "/c/apt/cache";`,
		`APT::Update::Error-Mode "any";`,
	} {
		if !strings.Contains(fetching.config(), want+"\n") {
			t.Errorf("no line %s in\n%s", want, fetching.config())
		}
	}
	installing := apt{folder: "/c/apt", status: machineStatus}
	if !strings.Contains(installing.config(), `Dir::State::status "/var/lib/dpkg/status";`) {
		t.Errorf("what is installed is not known to\n%s", installing.config())
	}
}

func TestAptSources(t *testing.T) {
	t.Parallel()
	source := apt{suites: []string{"bookworm", "bookworm-security"}, mirror: "http://mirror.example"}
	const want = `deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://mirror.example/debian bookworm main
deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://mirror.example/debian-security bookworm-security main
`
	if got := source.sources(); got != want {
		t.Errorf("sources =\n%s", got)
	}
}

func TestAptWrite(t *testing.T) {
	t.Parallel()
	source := apt{folder: filepath.Join(t.TempDir(), "with a space"), suites: []string{"forky"}, mirror: usualMirror}
	for range 2 { // a second time it is there already
		if err := source.write(); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"apt.conf", "sources.list", "state/status", "state/lists/partial", "cache/archives/partial"} {
		if _, err := os.Stat(filepath.Join(source.folder, name)); err != nil {
			t.Error(err)
		}
	}
	if err := (apt{folder: `/tmp/a"b`}).write(); err == nil {
		t.Error("a folder that apt cannot be told of was taken")
	}
}

func TestCommandSaysWhatWentWrong(t *testing.T) {
	t.Parallel()
	_, err := command(t.Context(), t.TempDir(), "sh", "-c", "echo one; echo two >&2; exit 3")
	if want := "sh: exit status 3:\n  one\n  two"; err == nil || err.Error() != want {
		t.Errorf("command = %v, want %s", err, want)
	}
	if _, err := command(t.Context(), t.TempDir(), "no-such-program"); err == nil || !strings.HasPrefix(err.Error(), "run no-such-program: ") {
		t.Errorf("command = %v", err)
	}
	if got := lastLines(strings.Repeat("line\n", 50) + "end\n"); strings.Count(got, "\n") != 7 || !strings.HasSuffix(got, "  end") {
		t.Errorf("lastLines = %q", got)
	}
}

func TestSimulated(t *testing.T) {
	t.Parallel()
	const output = "Inst gcc-12-base (12.2.0-14 Debian:12.11/stable [amd64]) []\nInst libc6 (2.36-9 Debian:12.11/stable [amd64])\nConf libc6 (2.36-9)\n"
	if got := simulated(output); !slices.Equal(got, []string{"gcc-12-base", "libc6"}) {
		t.Errorf("simulated = %q", got)
	}
}
