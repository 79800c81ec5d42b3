package docker

import (
	"strings"
	"testing"
)

func TestCoversAll(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		can, wanted string
		want        bool
	}{
		{"linux/amd64 linux/386", "linux/386 linux/amd64", true},
		{"linux/amd64", "linux/amd64 linux/arm64", false},
		{"linux/arm64/v8", "linux/arm64", true}, // a variant that is not asked for is any
		{"linux/arm64", "linux/arm64/v8", true}, // as the one is called that has none
		{"linux/arm", "linux/arm/v6", false},
		{"linux/arm/v6", "linux/arm/v7", false},
		{"", "linux/amd64", false},
	} {
		if got := coversAll(strings.Fields(c.can), strings.Fields(c.wanted)); got != c.want {
			t.Errorf("%q covers %q: %v", c.can, c.wanted, got)
		}
	}
}
