package dockertest

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
)

// newID is 64 hexadecimal digits that depend on the seed, the kind, the name, and how many of that name there were before:
// not on what else happens at the same time. Called with the mutex held.
func (e *Engine) newID(kind, name string) string {
	key := kind + " " + name
	e.counters[key]++
	return hexDigest(e.options.Seed, key, strconv.Itoa(e.counters[key]))
}

// hexDigest is the SHA-256 of the parts as hexadecimal digits.
func hexDigest(parts ...string) string {
	hash := sha256.New()
	for _, part := range parts {
		_, _ = fmt.Fprintf(hash, "%d %s,", len(part), part)
	}
	return hex.EncodeToString(hash.Sum(nil))
}

// shortID is how the engine abbreviates.
func shortID(id string) string {
	const length = 12
	return id[:min(length, len(id))]
}
