package provision

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestMissingHelpers(t *testing.T) {
	t.Parallel()
	bare := func(string) bool { return false }
	complete := func(string) bool { return true }
	withoutInit := func(program string) bool { return program != "tini-static" }
	for name, test := range map[string]struct {
		codename string
		present  func(string) bool
		appArmor bool
		want     []string
	}{
		"bare":             {"bookworm", bare, false, []string{"runc", "iptables", "tini"}},
		"bare, AppArmor":   {"trixie", bare, true, []string{"runc", "iptables", "tini", "apparmor"}},
		"complete":         {"bookworm", complete, true, nil},
		"init on its own":  {"forky", withoutInit, false, []string{"tini-static"}},
		"init with others": {"bookworm", withoutInit, false, []string{"tini"}},
	} {
		if got := missingHelpers(test.codename, test.present, test.appArmor); !slices.Equal(got, test.want) {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}

func TestFetchedPackagesAreKept(t *testing.T) {
	t.Parallel()
	cache := t.TempDir()
	want := filepath.Join(cache, "forky-docker-compose")
	if err := os.Mkdir(want, 0o700); err != nil {
		t.Fatal(err)
	}
	fetcher := Fetcher{
		Cache: cache, Machine: Machine{ID: "debian", Codename: "bookworm", Root: true},
		Say: func(format string, _ ...any) { t.Errorf("fetched again: %s", format) },
	}
	got, err := fetcher.Peer(t.Context())
	if err != nil || got != filepath.Join(want, "usr", "libexec", "docker", "cli-plugins") {
		t.Errorf("Peer = %s, %v", got, err)
	}
}

func TestNothingIsFetchedForAMachineThatDoesNotSuit(t *testing.T) {
	t.Parallel()
	fetcher := Fetcher{Cache: t.TempDir(), Machine: Machine{ID: "alpine"}}
	if _, err := fetcher.Engine(t.Context(), Releases()[0]); err == nil {
		t.Error("no error")
	}
}

func TestLinkInit(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ target, want string }{
		"a neighbour":   {"tini-static", "/usr/bin/tini-static"},
		"of its own":    {"", ""},
		"anywhere else": {"/usr/bin/tini-static", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := t.TempDir()
			programs := filepath.Join(folder, "usr", "bin")
			if err := os.MkdirAll(programs, 0o700); err != nil {
				t.Fatal(err)
			}
			if test.target != "" {
				if err := os.Symlink(test.target, filepath.Join(programs, "docker-init")); err != nil {
					t.Fatal(err)
				}
			}
			if err := linkInit(folder); err != nil {
				t.Fatal(err)
			}
			if got, _ := os.Readlink(filepath.Join(programs, "tini-static")); got != test.want {
				t.Errorf("tini-static -> %q, want %q", got, test.want)
			}
		})
	}
}

func TestUnpackedVersions(t *testing.T) {
	t.Parallel()
	cache := t.TempDir()
	folder := filepath.Join(cache, softwareSet("bookworm", nil, nil).name)
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := writeList(folder, []string{"/x/redis-tools_5%3a7.0.15-1~deb12u10_amd64.deb", "/x/nginx_1.22.1-9_amd64.deb"}); err != nil {
		t.Fatal(err)
	}
	fetcher := Fetcher{Cache: cache, Machine: Machine{ID: "debian", Codename: "bookworm"}}
	got, err := fetcher.Software(t.Context(), nil, nil)
	want := map[string]string{"redis-tools": "5:7.0.15-1~deb12u10", "nginx": "1.22.1-9"}
	if err != nil || got.Folder != folder || !maps.Equal(got.Versions, want) {
		t.Errorf("Software = %+v, %v", got, err)
	}
	if err := writeList(folder, []string{"nginx.deb"}); err != nil {
		t.Fatal(err)
	}
	if got, err := fetcher.Software(t.Context(), nil, nil); err == nil {
		t.Errorf("a list of what is no package was taken: %+v", got)
	}
	fetcher.Machine.ID = "fedora"
	if _, err := fetcher.Software(t.Context(), nil, nil); !errors.Is(err, ErrNoPackages) {
		t.Errorf("Software of another system: %v", err)
	}
	if _, err := fetcher.Registry(t.Context()); !errors.Is(err, ErrNoPackages) {
		t.Errorf("Registry of another system: %v", err)
	}
}

func TestSoftwareSet(t *testing.T) {
	t.Parallel()
	wanted := softwareSet("bookworm", []string{"perl", "nginx"}, []string{"perl", "libllvm"})
	for name, want := range map[string]bool{"perl": true, "nginx": true, "libc6": true, "perl-base": false, "libllvm14": false} {
		if got := wanted.needs(name); got != want {
			t.Errorf("needs(%s) = %v", name, got)
		}
	}
	if other := softwareSet("bookworm", []string{"nginx"}, nil); other.name == wanted.name {
		t.Errorf("two sets in one folder: %s", wanted.name)
	}
}
