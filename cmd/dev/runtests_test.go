package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestOnlyThere(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	for name, content := range map[string]string{
		"usual_test.go":  "package a\n\nfunc TestUsual() {}\n",
		"e2e_test.go":    "package a\n\nfunc TestOnEngine() {}\nfunc TestMain() {}\nfunc helper() {}\n",
		"helper_test.go": "package b\n\nfunc help() {}\n",
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	before := "m/a " + folder + "/usual_test.go\n"
	got, err := onlyThere(before, before+"m/a "+folder+"/e2e_test.go\nm/b "+folder+"/helper_test.go\n")
	if err != nil || !slices.Equal(got.packages, []string{"m/a"}) || !slices.Equal(got.tests, []string{"TestOnEngine"}) {
		t.Errorf("only there: %+v, %v", got, err)
	}
	if got, err := onlyThere(before, before); err != nil || len(got.packages) != 0 {
		t.Errorf("nothing is only there: %+v, %v", got, err)
	}
	if _, err := onlyThere("", "m/a "+folder+"/away_test.go\n"); err == nil {
		t.Error("a file that is not there: no error")
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
