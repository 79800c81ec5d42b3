package project

import (
	"fmt"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// valueMessage says what the schema wants of a value.
func valueMessage(wrong jsonschema.ErrorKind, path at) (message, hint string) {
	switch what := wrong.(type) {
	case *kind.Type:
		return typeMessage(what)
	case *kind.Enum:
		return enumMessage(what)
	case *kind.Pattern:
		return patternMessage(what, path)
	case *kind.Minimum:
		return "must be greater than or equal to " + what.Want.RatString(), ""
	case *kind.Maximum:
		return "must be less than or equal to " + what.Want.RatString(), ""
	}
	return "does not fit the Compose schema", ""
}

func typeMessage(what *kind.Type) (message, hint string) {
	var words []string
	for _, known := range []struct{ name, words string }{
		{"string", "a string"},
		{"number", "a number"},
		{"integer", "an integer"},
		{"boolean", "true or false"},
		{"object", "a mapping"},
		{"array", "a list"},
	} {
		if slices.Contains(what.Want, known.name) {
			words = append(words, known.words)
		}
	}
	if len(words) == 0 {
		return "must be empty", ""
	}
	message = "must be " + words[0]
	if last := len(words) - 1; last > 0 {
		message = "must be " + strings.Join(words[:last], ", ") + " or " + words[last]
	}
	if slices.Contains(what.Want, "string") && slices.Contains([]string{"number", "boolean"}, what.Got) {
		hint = "write it in quotes"
	}
	return message, hint
}

func enumMessage(what *kind.Enum) (message, hint string) {
	words := make([]string, len(what.Want))
	names := make([]string, len(what.Want))
	for i, want := range what.Want {
		names[i] = fmt.Sprint(want)
		words[i] = quote(names[i])
	}
	if got, ok := what.Got.(string); ok {
		hint = didYouMean(nearest(got, names))
	}
	return "must be one of " + strings.Join(words, ", "), hint
}

func patternMessage(what *kind.Pattern, path at) (message, hint string) {
	switch path[len(path)-1] {
	case "pull_policy":
		return badPullPolicy(what.Got)
	case "container_name":
		return "container name " + quote(what.Got) + " is not one that the engine takes", containerNameHint
	}
	return "does not match " + what.Want, ""
}

const containerNameHint = `use at least two letters, digits, ".", "_" and "-", and begin with a letter or a digit`

// badPullPolicy says that a pull policy is none.
func badPullPolicy(policy string) (message, hint string) {
	policies := []string{PullAlways, PullMissing, PullNever, PullBuild, PullRefresh, "if_not_present", "daily", "weekly"}
	return "pull policy " + quote(policy) + " is none of " + strings.Join(policies, ", ") + ", every_<duration>",
		didYouMean(nearest(policy, policies))
}
