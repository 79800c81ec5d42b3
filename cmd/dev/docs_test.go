package main

import "testing"

func TestBetween(t *testing.T) {
	t.Parallel()
	const readme = "# Title\n" + docsBegin + "old\n" + docsEnd + "end\n"
	got, err := between(readme, "new\n")
	if want := "# Title\n" + docsBegin + "new\n" + docsEnd + "end\n"; err != nil || got != want {
		t.Errorf("between = %q, %v", got, err)
	}
	for _, unmarked := range []string{"# Title\n", docsEnd + docsBegin} {
		if _, err := between(unmarked, "new\n"); err == nil {
			t.Errorf("%q was taken", unmarked)
		}
	}
}
