package cli

import (
	"strconv"
	"strings"
	"testing"
)

// TestWarnings tells of some of what was left out, and of how much more: a container can be full of what cannot be copied.
func TestWarnings(t *testing.T) {
	t.Parallel()
	var told warnings
	for i := range 5_000 {
		told.add("pipe " + strconv.Itoa(i))
	}
	list := told.all()
	if last := list[len(list)-1].Message; len(list) != mostWarnings+1 || !strings.Contains(last, strconv.Itoa(5_000-mostWarnings)+" more") {
		t.Errorf("%d warnings, the last one %q", len(list), last)
	}
}
