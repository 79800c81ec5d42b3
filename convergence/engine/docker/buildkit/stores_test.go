package buildkit

import (
	"archive/tar"
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	one = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	two = "sha256:01ba4719c80b6fe911b091a7c05124b64eeece964e09c058ef8f9805daca546b"
)

func manifest(digest, tag string) string {
	return `{"digest":"` + digest + `","annotations":{"org.opencontainers.image.ref.name":"` + tag + `"}}`
}

// TestLayouts finds what an OCI layout is asked for, or says why not.
func TestLayouts(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ index, ask, digest, words string }{
		"the only one":           {manifest(one, "v1"), "", one, ""},
		"one under two names":    {manifest(one, "v1") + "," + manifest(one, "v2"), "", one, ""},
		"the latest of several":  {manifest(one, "v1") + "," + manifest(two, "latest"), "", two, ""},
		"a tag":                  {manifest(one, "v1") + "," + manifest(two, "v2"), ":v2", two, ""},
		"a digest":               {manifest(one, "v1"), "@" + two, two, ""},
		"several without a word": {manifest(one, "v1") + "," + manifest(two, "v2"), "", "", "it holds 2 images: say which with :tag or @digest"},
		"no such tag":            {manifest(one, "v1"), ":v2", "", `nothing in it is tagged "v2"`},
		"no digest":              {manifest(one, "v1"), "@nonsense", "", "invalid checksum digest format"},
		"a digest that is none":  {manifest("nonsense", "v1"), "", "", "invalid checksum digest format"},
		"no index":               {"{", "", "", "read index.json"},
	} {
		folder := t.TempDir()
		if err := os.WriteFile(filepath.Join(folder, "index.json"), []byte(`{"manifests":[`+c.index+`]}`), 0o600); err != nil {
			t.Fatal(err)
		}
		s := &stores{}
		got, err := s.addLayout(layoutPrefix + folder + c.ask)
		switch {
		case c.words != "":
			if err == nil || !strings.Contains(err.Error(), c.words) || !strings.Contains(err.Error(), folder) {
				t.Errorf("%s: got %q, %v, want %q", name, got, err, c.words)
			}
		case err != nil || !strings.HasSuffix(got, "@"+c.digest) || len(s.names()) != 1:
			t.Errorf("%s: got %q, %v and %q, want %s", name, got, err, s.names(), c.digest)
		}
	}
	if _, err := new(stores).addLayout(layoutPrefix + filepath.Join(t.TempDir(), "nowhere")); err == nil || !strings.Contains(err.Error(), "there is no index.json in it") {
		t.Errorf("no folder: got %v", err)
	}
}

// TestImageUnpacked takes of an archive what belongs to an OCI layout, and nothing that would be written elsewhere.
func TestImageUnpacked(t *testing.T) {
	t.Parallel()
	archive := func(names ...string) *bytes.Buffer {
		var content bytes.Buffer
		writer := tar.NewWriter(&content)
		for _, name := range names {
			text := `{"manifests":[` + manifest(one, "v1") + `]}`
			if err := writer.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Size: int64(len(text))}); err != nil {
				t.Fatal(err)
			}
			if _, err := writer.Write([]byte(text)); err != nil {
				t.Fatal(err)
			}
		}
		if err := writer.Close(); err != nil {
			t.Fatal(err)
		}
		return &content
	}
	blob := "blobs/sha256/" + strings.TrimPrefix(one, "sha256:")
	s := &stores{}
	place, err := s.addImage(archive("index.json", blob, "../out", "/etc/out", "blobs/sha256/../../out", "manifest.json"))
	if err != nil || !strings.HasSuffix(place, "@"+one) || len(s.temporary) != 1 {
		t.Fatalf("got %q, %v", place, err)
	}
	folder := s.temporary[0]
	if _, err := os.Stat(filepath.Join(folder, blob)); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"out", "manifest.json", "../out", "etc"} {
		if _, err := os.Stat(filepath.Join(folder, name)); err == nil {
			t.Errorf("%s was written", name)
		}
	}
	s.close()
	if _, err := os.Stat(folder); err == nil {
		t.Errorf("%s is left", folder)
	}
	old := &stores{}
	defer old.close()
	if _, err := old.addImage(archive("manifest.json")); err == nil || !strings.Contains(err.Error(), "does not save images as OCI layouts") {
		t.Errorf("of an old engine: got %v", err)
	}
	cut := archive("index.json").Bytes()
	if _, err := old.addImage(bytes.NewReader(cut[:600])); err == nil || !strings.Contains(err.Error(), "unexpected EOF") {
		t.Errorf("cut off: got %v", err)
	}
}
