package store

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const written = `{"op":"put","name":"k","value":1}
{"op":"push","name":"q","id":"1","value":"a"}
{"op":"push","name":"q","id":"2","value":"b"}
{"op":"finish","name":"q","id":"1"}
`

func journalFile(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "store.jsonl")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestReplay(t *testing.T) {
	t.Parallel()
	for name, cutLine := range map[string]string{"whole": "", "last line cut": `{"op":"put","name":"k","val`} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := journalFile(t, written+cutLine)
			store, err := Open(path, testLease)
			if err != nil {
				t.Fatal(err)
			}
			defer store.Close()
			if value, err := store.state.value("k"); err != nil || string(value) != "1" {
				t.Errorf("value = %s, %v", value, err)
			}
			if id, value := claimed(t, store.state, testLease); id != "2" || value != `"b"` {
				t.Errorf("claimed %s %s", id, value)
			}
			push(t, store.state, `"c"`)
			const want = `{"op":"push","name":"q","id":"3","value":"c"}` + "\n"
			if got, err := os.ReadFile(path); err != nil || string(got) != written+want {
				t.Errorf("file = %s, %v", got, err)
			}
		})
	}
}

func TestBrokenJournalNamesTheLine(t *testing.T) {
	t.Parallel()
	for content, want := range map[string]string{
		written + "nonsense\n":                       "line 5",
		`{"op":"burn","name":"k"}` + "\n":            `line 1: unknown operation "burn"`,
		`{"op":"push","id":"x"}` + "\n":              "line 1: read item id",
		`{"op":"finish","name":"q","id":"1"}` + "\n": "line 1: not found",
	} {
		if _, err := Open(journalFile(t, content), testLease); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Open = %v, want %q", err, want)
		}
	}
}
