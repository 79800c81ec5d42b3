package display

import (
	"regexp"
	"strings"

	"github.com/muster-dev/muster/convergence/plan"
	"github.com/muster-dev/muster/project"
)

// Files that do not parse have no keys and values, so secrets are found in their lines by how they are written. In doubt a value is
// masked.

// span is a part of a line, in bytes.
type span struct{ from, to int }

func within(spans []span, at int) bool {
	for _, s := range spans {
		if s.from <= at && at < s.to {
			return true
		}
	}
	return false
}

var (
	// assignment finds a key before its value: `KEY: `, `"KEY":`, `KEY=`, `--key `.
	assignment = regexp.MustCompile(`["']([\w.-]+)["']\s*:|([\w.-]+)\s*:(?:\s|$)|([\w.-]+)=|--([\w-]+)\s`)
	// fallback finds what a variable is where it is not set: `${KEY:-value}`.
	fallback = regexp.MustCompile(`\$\{(\w+):?[-+]([^}]*)`)
	// password finds the one in a URL.
	password = regexp.MustCompile(`://[^/@\s:]*:([^/@\s]+)@`)
	// noSecret is a value that gives nothing away: none, the mark of a block that follows, an anchor, a variable without a value for
	// its lack.
	noSecret = regexp.MustCompile(`^(["']?\$(\w+|\{\w+(:?\?[^}]*)?\})["']?|[|>][-+\d]*|[&*][\w-]+|)$`)
)

// secretSpans are the values in a line that look secret.
func secretSpans(line string) []span {
	var spans []span
	for _, found := range assignment.FindAllStringSubmatchIndex(line, -1) {
		for group := 2; group < len(found); group += 2 {
			if from := found[group]; from >= 0 && isSecretKey(line[from:found[group+1]]) {
				spans = append(spans, valueSpan(line, span{from, found[group+1]}, found[1]))
			}
		}
	}
	for _, found := range fallback.FindAllStringSubmatchIndex(line, -1) {
		if isSecretKey(line[found[2]:found[3]]) {
			spans = append(spans, span{found[4], found[5]})
		}
	}
	for _, found := range password.FindAllStringSubmatchIndex(line, -1) {
		spans = append(spans, span{found[2], found[3]})
	}
	return spans
}

// withoutSecrets is a reason whose values may be shown: those that look secret are masked, and where nothing is left of what
// changed, it only says that it did.
func withoutSecrets(reason plan.Reason) plan.Reason {
	if reason.Text != "" || reason.Shown {
		return reason
	}
	before, after := maskValue(reason.Path, reason.Old), maskValue(reason.Path, reason.New)
	if before == reason.Old && after == reason.New {
		return reason
	}
	reason.Old, reason.New = before, after
	if before == after {
		reason.Old, reason.New, reason.Sensitive = "", "", true
	}
	return reason
}

// maskValue masks what looks secret in the value of an attribute: all of it where the name tells, "labels.api_token".
func maskValue(path, value string) string {
	attribute, name, _ := strings.Cut(path, ".")
	if value != "" && isSecretKey(name) && attribute != "secrets" && attribute != "configs" {
		return mask
	}
	spans := secretSpans(value)
	return strings.Join(masked(value, spans), "")
}

// mask stands for a secret, however long that is.
const mask = "******"

// masked is a text in characters; instead of each span there is a mask, and what is left out is empty.
func masked(text string, spans []span) []string {
	var characters []string
	inside := false
	for at, r := range text {
		hidden := within(spans, at)
		switch {
		case hidden && inside:
			characters = append(characters, "")
		case hidden:
			characters = append(characters, mask)
		default:
			characters = append(characters, string(r))
		}
		inside = hidden
	}
	return characters
}

// isSecretKey leaves out the Compose format's own keys: they hold names of secrets.
func isSecretKey(key string) bool {
	return project.LooksSecret(key, "") && key != "secrets" && key != "credential_spec"
}

// valueSpan is the value of a key, as far as it is to be masked.
func valueSpan(line string, key span, value int) span {
	for value < len(line) && line[value] == ' ' {
		value++
	}
	rest := line[value:]
	switch {
	case strings.HasPrefix(rest, "{") && !isVariable(line[key.from:key.to]): // of a service or a secret: its own keys tell
		return span{}
	case strings.HasPrefix(rest, "{"):
		rest = through(rest, "}")
	case strings.HasPrefix(rest, `"`), strings.HasPrefix(rest, "'"):
		if end := closing(rest[1:], rest[0]); end >= 0 {
			rest = rest[:end+2]
		}
	case key.from > 0 && strings.ContainsAny(line[key.from-1:key.from], `"'`): // "KEY=value"
		if end := closing(rest, line[key.from-1]); end >= 0 {
			rest = rest[:end]
		}
	case strings.HasPrefix(rest, "["):
		rest = through(rest, "]")
	case inFlow(line[:key.from]):
		rest = until(rest, ",]}")
	}
	if noSecret.MatchString(strings.TrimSpace(rest)) {
		return span{}
	}
	return span{value, value + len(rest)}
}

// isVariable says whether a key is written like those of the environment: nothing but text is below them.
func isVariable(key string) bool { return key != "" && key == strings.ToUpper(key) }

// inFlow says whether a line that begins so is within brackets.
func inFlow(begin string) bool {
	return strings.Count(begin, "{")+strings.Count(begin, "[") > strings.Count(begin, "}")+strings.Count(begin, "]")
}

// through is a text up to the first of what ends it, and that too.
func through(text, end string) string {
	if at := strings.Index(text, end); at >= 0 {
		return text[:at+len(end)]
	}
	return text
}

// until is a text up to the first of some characters, which are masked neither where they end a variable.
func until(text, ends string) string {
	from := 0
	if strings.HasPrefix(text, "${") {
		from = strings.Index(text, "}") + 1
	}
	if end := strings.IndexAny(text[from:], ends); end >= 0 {
		return text[:from+end]
	}
	return text
}

// closing is where a quoted text ends; -1 where it does not in this line.
func closing(text string, quote byte) int {
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '\\' && quote == '"':
			i++
		case text[i] == quote && quote == '\'' && strings.HasPrefix(text[i+1:], "'"):
			i++
		case text[i] == quote:
			return i
		}
	}
	return -1
}

// parent is a line that others are indented below.
type parent struct {
	indent int
	secret bool // its key is
	value  bool // what is below can only be the value, or more of it
	open   bool // nothing of it is in this line
	masked bool
}

// secretLines says which lines only go on with the value of a secret key above them: a block of text, a quoted text over several
// lines, entries of a list.
func secretLines(lines []string) []bool {
	secret := make([]bool, len(lines))
	var parents []parent
	for i, line := range lines {
		text := strings.TrimLeft(line, " \t")
		if strings.TrimSpace(text) == "" {
			continue
		}
		indent, item := len(line)-len(text), strings.HasPrefix(text, "- ")
		for len(parents) > 0 && !below(parents[len(parents)-1], indent, item) {
			parents = parents[:len(parents)-1]
		}
		key, value, mapping := keyOf(text)
		if len(parents) > 0 {
			above := parents[len(parents)-1]
			secret[i] = above.masked || above.secret && (above.value || !mapping)
		}
		parents = append(parents, parent{
			indent: indent, secret: isSecretKey(key), value: value || isVariable(key), open: !value, masked: secret[i],
		})
	}
	return secret
}

// below says whether a line is part of what another one begins. Entries of a list may stand right below their key.
func below(above parent, indent int, item bool) bool {
	return indent > above.indent || item && indent == above.indent && above.secret && above.open
}

// keyOf is the key that a line begins with, and whether a value begins in the same line. mapping says whether it is one of YAML's.
func keyOf(text string) (key string, value, mapping bool) {
	text = strings.TrimLeft(text, "- ")
	end := strings.IndexAny(text, ":= ")
	if end <= 0 {
		return "", false, false
	}
	key, rest := strings.Trim(text[:end], `"'`), strings.TrimLeft(text[end:], " ")
	switch {
	case strings.HasPrefix(rest, "="):
		return key, true, false
	case rest == ":", strings.HasPrefix(rest, ": "), strings.HasPrefix(rest, ":") && text[end-1] == '"':
		rest = strings.TrimSpace(rest[1:])
		return key, rest != "" && !strings.ContainsAny(rest[:1], "#&{["), true
	}
	return "", false, false
}
