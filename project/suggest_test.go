package project

import "testing"

func TestNearest(t *testing.T) {
	t.Parallel()
	candidates := []string{"build", "command", "depends_on", "environment", "image", "ports", "volumes"}
	for word, want := range map[string]string{
		"prots":       "ports",
		"port":        "ports",
		"Image":       "image",
		"enviroment":  "environment",
		"enviornment": "environment",
		"dependson":   "depends_on",
		"volume":      "volumes",
		"biuld":       "build",
		"xyz":         "",
		"":            "",
		"pt":          "",
		"networks":    "",
	} {
		if got := nearest(word, candidates); got != want {
			t.Errorf("%s: got %q, want %q", word, got, want)
		}
	}
}

func TestClean(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"plain ünïcode 日本":            "plain ünïcode 日本",
		"a\x1b[31mb\a\r\u202ec\u0085": `a\x1b[31mb\a\r\u202ec\u0085`,
		"two\nlines\tand a tab":       "two lines and a tab",
		"bad \xff byte":               "bad \ufffd byte",
	} {
		if got := clean(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}
