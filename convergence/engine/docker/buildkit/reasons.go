package buildkit

import (
	"errors"
	"regexp"
	"strconv"
	"strings"

	"github.com/muster-dev/muster/convergence/engine"
)

// noise is what BuildKit wraps around a reason: what it was doing inside.
var noise = regexp.MustCompile(`^(failed to solve|failed to compute cache key|failed to load cache key|` +
	`failed to calculate checksum of ref \S+|rpc error: code = \w+ desc =|failed to read dockerfile|failed to resolve dockerfile|` +
	`with frontend \S+|failed to create LLB definition|dockerfile parse error (on )?line \d+):? `)

// sourceOf is how BuildKit begins to tell what is wrong with a base image: as it was written, and in full.
var sourceOf = regexp.MustCompile(`^\S+: failed to resolve source metadata for (\S+): `)

// plainReason is a message without its noise.
func plainReason(text string) string {
	for {
		shorter := sourceOf.ReplaceAllString(noise.ReplaceAllString(text, ""), "base image $1: ")
		if shorter == text {
			break
		}
		text = shorter
	}
	text = oldExit.ReplaceAllString(text, `process "$1" did not complete successfully: $2`)
	return oldMissing.ReplaceAllString(text, `$1: not found`)
}

// What engines before 23 say in other words.
var (
	oldExit    = regexp.MustCompile(`^executor failed running \[(.*)\]: (exit code: \d+)$`)
	oldMissing = regexp.MustCompile(`^("/[^"]*") not found: not found$`)
	oldBase    = regexp.MustCompile(`^(\S+/\S+|\S+:\S+): not found$`)
)

var exitText = regexp.MustCompile(`did not complete successfully: exit code: (\d+)`)

func exitCode(text string) int {
	if match := exitText.FindStringSubmatch(plainReason(text)); match != nil {
		code, _ := strconv.Atoi(match[1]) // a number of too many digits is none
		return code
	}
	return 0
}

// classify gives a reason the sentinel that its words mean: BuildKit's errors mostly have no code.
func classify(text string) error {
	plain := plainReason(text)
	if match := oldBase.FindStringSubmatch(plain); match != nil && strings.Contains(text, "failed to create LLB definition") {
		return &kinded{engine.ErrNotFound, "base image " + plain}
	}
	for _, kind := range []struct {
		sentinel error
		words    *regexp.Regexp
	}{
		{engine.ErrDenied, deniedWords},
		{engine.ErrNotFound, absentWords},
		{engine.ErrInvalid, invalidWords},
	} {
		if kind.words.MatchString(text) {
			return &kinded{kind.sentinel, plain}
		}
	}
	if nonsense.MatchString(plain) {
		return &kinded{engine.ErrInvalid, plain}
	}
	return errors.New(plain)
}

var (
	deniedWords  = regexp.MustCompile(`access denied|authorization failed|401 Unauthorized|403 Forbidden|denied: requested access`)
	absentWords  = regexp.MustCompile(`failed to resolve source metadata for .*not found|no match for platform in manifest`)
	invalidWords = regexp.MustCompile(`dockerfile parse error|failed to compute cache key.*not found|` +
		`failed to calculate checksum.*not found|error from sender`)
	// nonsense is a whole reason.
	nonsense = regexp.MustCompile(`^(file with no instructions|the Dockerfile|target stage|no build stage|failed to parse|` +
		`base name|circular dependency)`)
)
