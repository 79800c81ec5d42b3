package build

import (
	"encoding/csv"
	"strings"
)

// caches are entries of cache_from or cache_to, with folders that count from the project's.
func (b *builder) caches(entries []string) []string {
	var resolved []string
	for _, entry := range entries {
		resolved = append(resolved, b.cache(entry))
	}
	return resolved
}

// cache leaves an entry that cannot be read, or names no folder, as it is: the engine's adapter says what is wrong with it.
func (b *builder) cache(entry string) string {
	fields, err := csv.NewReader(strings.NewReader(entry)).Read()
	isLocal := false
	for i, field := range fields {
		key, value, _ := strings.Cut(field, "=")
		switch key = strings.ToLower(strings.TrimSpace(key)); key {
		case "type":
			isLocal = value == "local"
		case "src", "dest":
			fields[i] = key + "=" + b.absolute(value)
		}
	}
	if err != nil || !isLocal {
		return entry
	}
	var text strings.Builder
	writer := csv.NewWriter(&text)
	_ = writer.Write(fields) // into memory, and of what was read
	writer.Flush()
	return strings.TrimSuffix(text.String(), "\n")
}
