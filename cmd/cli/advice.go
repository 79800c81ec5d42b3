package cli

import (
	"errors"
	"regexp"
	"strings"

	"github.com/muster-dev/muster/cmd/display"
	"github.com/muster-dev/muster/convergence"
)

// advice is what an error of the engine means and what to try about it, by its words: it has no better mark. $1 is what was found, %s
// the service.
type advice struct {
	words *regexp.Regexp
	code  string
	short string
	try   string
}

func advices() []advice {
	return []advice{
		{
			regexp.MustCompile(`:(\d+) failed: port is already allocated`),
			codePort, "port $1 of the host is already taken by a container",
			"publish another port than $1, or see which container has it: docker ps --filter publish=$1",
		},
		{
			regexp.MustCompile(`:(\d+)(?::\S+/\w+)?: (?:bind: )?address already in use`),
			codePort, "port $1 of the host is already taken by a program",
			"publish another port than $1, or see which program has it: ss -lntup 'sport = :$1'",
		},
		{
			regexp.MustCompile(`exec: "(.+?)":.*(?:no such file or directory|executable file not found)`),
			"command-not-found", "the image has no $1",
			`look at "command" and "entrypoint" of service "%s": its image has no $1`,
		},
		{
			regexp.MustCompile(`exec: "(.+?)":.*permission denied`),
			"command-not-found", "$1 may not be run",
			`look at "command" and "entrypoint" of service "%s": $1 is no program that may be run`,
		},
		{
			regexp.MustCompile(`[cC]ontainer name "/?(.+?)" is already in use`),
			"name-taken", "the name $1 is taken",
			"give another container_name, or remove the container that has it: docker rm $1",
		},
		{
			regexp.MustCompile(`Pool overlaps with other one|address pools have been fully subnetted`),
			"address-pools", "",
			"give the network another subnet, or remove networks that nobody uses: docker network prune",
		},
		{
			regexp.MustCompile(`bind source path does not exist: (\S+)`),
			"path-missing", "",
			"make $1 on the engine's host, or let the engine make it with create_host_path: true",
		},
		{
			regexp.MustCompile(`no space left on device`),
			"disk-full", "",
			"see what takes the engine's room: docker system df",
		},
	}
}

// adviceOn is what the words of an error tell.
func adviceOn(err error) (known display.Explanation, ok bool) {
	text, service := err.Error(), ""
	var failed *convergence.StepError
	if errors.As(err, &failed) {
		service = failed.Step.Ref().Name
	}
	for _, one := range advices() {
		found := one.words.FindStringSubmatch(text)
		if found == nil {
			continue
		}
		fill := strings.NewReplacer("$1", strings.Join(found[1:], ""), "%s", service).Replace
		return display.Explanation{Code: one.code, Short: fill(one.short), Try: fill(one.try)}, true
	}
	return display.Explanation{}, false
}

// explain is what is known about an error: what it says itself, else what its words tell. What to try is fit to be copied.
func (g *globals) explain(err error) display.Explanation {
	known, _ := adviceOn(err)
	known.Code = codeOf(err)
	var hinted interface{ Hint() string }
	if errors.As(err, &hinted) && hinted.Hint() != "" {
		known.Try = g.hintOf(hinted.Hint())
	}
	return known
}
