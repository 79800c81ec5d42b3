package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/muster-dev/muster/cmd/dev/provision"
)

func TestFindCommand(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]struct{ name, rest string }{
		"engine up":                    {"engine up", ""},
		"leftovers shop":               {"leftovers", "shop"},
		"get --expect x http://a.test": {"get", "--expect x http://a.test"},
		"engine":                       {},
		"engine sideways":              {},
		"":                             {},
	} {
		found, rest, ok := findCommand(strings.Fields(line))
		if found.name != want.name || strings.Join(rest, " ") != want.rest || ok != (want.name != "") {
			t.Errorf("findCommand(%q) = %q, %q, %v", line, found.name, rest, ok)
		}
	}
	var usage strings.Builder
	printUsage(&usage)
	for _, known := range commands() {
		if !strings.Contains(usage.String(), known.about) {
			t.Errorf("usage lacks %s", known.name)
		}
	}
}

func TestReport(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		err  error
		code int
		want string
	}{
		{errSilent, 1, ""},
		{fmt.Errorf("fetch engine: %w", context.Canceled), 130, "dev: interrupted\n"},
		{errors.New("no luck"), 1, "dev: no luck\n"},
	} {
		var out strings.Builder
		if code := report(&out, test.err); code != test.code || out.String() != test.want {
			t.Errorf("report(%v) = %d, %q", test.err, code, out.String())
		}
	}
	var out strings.Builder
	report(&out, fmt.Errorf("fetch engine: %w", &provision.Refusal{Reason: "not here"}))
	if !strings.HasPrefix(out.String(), "dev: fetch engine: not here\nto get an engine") {
		t.Errorf("no hint: %q", out.String())
	}
}
