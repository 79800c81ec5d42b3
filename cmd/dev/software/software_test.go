package software

import (
	"io/fs"
	"strings"
	"testing"

	"github.com/muster-dev/muster/cmd/dev/provision"
	"github.com/muster-dev/muster/convergence/engine/docker"
	"github.com/muster-dev/muster/convergence/engine/docker/dockertest"
)

func TestImagesHaveNamesOfOurOwn(t *testing.T) {
	t.Parallel()
	digests := map[string]bool{}
	for _, r := range all() {
		image := r.image("bookworm")
		digests[image.Labels[labelInputs]] = true
		if image.Ref != "muster.test/"+r.Name+":latest" {
			t.Errorf("%s is called %s", r.Name, image.Ref)
		}
		if r.digest("trixie") == r.digest("bookworm") {
			t.Errorf("%s is the same of any release", r.Name)
		}
		for name, file := range r.Own {
			if content, err := r.ownFile(file.From); err != nil || !strings.Contains(files(r.Name), string(content)) {
				t.Errorf("%s: %s: %v, or it is not in the digest", r.Name, name, err)
			}
		}
	}
	if len(digests) != len(all()) {
		t.Errorf("%d digests of %d images", len(digests), len(all()))
	}
}

func TestUpstreamVersion(t *testing.T) {
	t.Parallel()
	versions := map[string]string{
		"redis-server": "5:7.0.15-1~deb12u10", "postgresql-client-15": "15.20-0+deb12u1", "tzdata": "2026f", "busybox-static": "1:1.35.0-4+deb12u1+b1",
		"odd": "1.2+ds1-1",
	}
	for beginning, want := range map[string]string{
		"redis-server": "7.0.15", "postgresql-client-1": "15.20", "tzdata": "2026f", "busybox-static": "1.35.0", "odd": "1.2", "nginx": "",
	} {
		if got, err := upstreamVersion(versions, beginning); got != want || (err != nil) != (want == "") {
			t.Errorf("%s: %q, %v; want %q", beginning, got, err, want)
		}
	}
}

// What the engine has is not made again, and the machine not looked at.
func TestEnsureWhatIsThere(t *testing.T) {
	t.Parallel()
	eng := dockertest.Start(t, dockertest.Options{})
	client := eng.Client(t)
	maker := Maker{Client: client, Fetcher: provision.Fetcher{Machine: provision.Machine{Codename: "bookworm"}}}
	for _, r := range all() {
		image := r.image("bookworm")
		image.Files = map[string]docker.ScratchFile{"/x": {Mode: fs.ModePerm}}
		if _, err := client.ImportImage(t.Context(), image); err != nil {
			t.Fatal(err)
		}
	}
	if made, err := maker.Ensure(t.Context()); err != nil || len(made) > 0 {
		t.Errorf("made %v, %v", made, err)
	}
	maker.Fetcher.Machine.Codename = "trixie" // for which others are needed
	if made, err := maker.Ensure(t.Context()); err == nil {
		t.Errorf("made %v on no machine", made)
	}
}
