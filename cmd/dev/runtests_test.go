package main

import (
	"slices"
	"testing"
)

func TestChangedPackages(t *testing.T) {
	t.Parallel()
	const (
		before = "m/a [a_test.go] []\nm/b [] []\nm/c [c_test.go] []\n"
		after  = "m/a [a_test.go e2e_test.go] []\nm/b [] [b_test.go]\nm/c [c_test.go] []\nm/d [d_test.go] []\n"
	)
	if got := changedPackages(before, after); !slices.Equal(got, []string{"m/a", "m/b", "m/d"}) {
		t.Errorf("changed = %v", got)
	}
	if got := changedPackages(before, before); len(got) != 0 {
		t.Errorf("changed = %v", got)
	}
}

func TestParseParts(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		args []string
		want wantedParts
		ok   bool
	}{
		{nil, wantedParts{fake: true, engine: true}, true},
		{[]string{"--fake"}, wantedParts{fake: true}, true},
		{[]string{"--engine"}, wantedParts{engine: true}, true},
		{[]string{"--fake", "--engine"}, wantedParts{}, false},
		{[]string{"./..."}, wantedParts{}, false},
	} {
		if got, err := parseParts(test.args); got != test.want || (err == nil) != test.ok {
			t.Errorf("parseParts(%q) = %+v, %v", test.args, got, err)
		}
	}
}
