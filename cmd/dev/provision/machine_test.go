package provision

import (
	"errors"
	"strings"
	"testing"
)

const bookworm = `PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"
NAME="Debian GNU/Linux"
# a comment=with an equals sign
VERSION_CODENAME=bookworm
ID=debian
`

func TestParseOSRelease(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Machine{
		bookworm:                      {ID: "debian", Codename: "bookworm", Title: "Debian GNU/Linux 12 (bookworm)"},
		"ID='alpine'\nVERSION_ID=3.2": {ID: "alpine"},
		"":                            {},
	} {
		if got := parseOSRelease(text); got != want {
			t.Errorf("parseOSRelease(%q) = %+v, want %+v", text, got, want)
		}
	}
}

func TestSuits(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		machine Machine
		want    string // part of the error; empty means that it suits
	}{
		{Machine{ID: "debian", Codename: "bookworm", Root: true}, ""},
		{Machine{ID: "debian", Codename: "bookworm"}, "root only"},
		{Machine{ID: "debian", Root: true}, "VERSION_CODENAME"},
		{Machine{ID: "ubuntu", Codename: "noble", Title: "Ubuntu 24.04", Root: true}, "this is Ubuntu 24.04"},
		{Machine{}, "this is not Debian"},
	} {
		err := test.machine.Suits()
		if test.want == "" && err == nil {
			continue
		}
		var refusal *Refusal
		if !errors.As(err, &refusal) || !strings.Contains(err.Error(), test.want) || !strings.Contains(refusal.Hint(), "DOCKER_HOST") {
			t.Errorf("%+v: %v, want %q", test.machine, err, test.want)
		}
	}
}

func TestFindRelease(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"": DefaultRelease, "26": "26", "28c": "28c"} {
		if got, err := FindRelease(name); err != nil || got.Name != want {
			t.Errorf("FindRelease(%q) = %+v, %v", name, got, err)
		}
	}
	if _, err := FindRelease("27"); err == nil || !strings.Contains(err.Error(), "there are 28, 28c, 26, 20") {
		t.Errorf("FindRelease of what there is not: %v", err)
	}
}
