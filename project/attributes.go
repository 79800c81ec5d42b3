package project

import (
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/schema"
)

// AttributePaths are all attributes that the Compose Specification has, sorted, as "services.*.ports[].target": "*" stands for
// any name, "[]" for any place in a list. The keys of maps that are free, as the variables of an environment, are not among them.
func AttributePaths() []string {
	var paths []string
	for _, path := range schema.AttributePaths() {
		text := strings.ReplaceAll(string(path), ".[]", "[]")
		if !strings.HasSuffix(text, ".*") && !strings.HasSuffix(text, "[]") {
			paths = append(paths, text)
		}
	}
	slices.Sort(paths)
	return paths
}
