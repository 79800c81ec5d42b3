package cli

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/muster-dev/muster/convergence"
)

// advice is what to try about an error of the engine, by its words: it has no better mark. $1 is what was found, %s the service.
type advice struct {
	words *regexp.Regexp
	try   string
}

func advices() []advice {
	return []advice{
		{
			regexp.MustCompile(`:(\d+) failed: port is already allocated`),
			"publish another port than $1, or see which container has it: docker ps --filter publish=$1",
		},
		{
			regexp.MustCompile(`:(\d+)(?::\S+/\w+)?: (?:bind: )?address already in use`),
			"publish another port than $1, or see which program has it: ss -lntup 'sport = :$1'",
		},
		{
			regexp.MustCompile(`exec: "(.+?)":.*(?:no such file or directory|executable file not found)`),
			`look at "command" and "entrypoint" of service "%s": its image has no $1`,
		},
		{
			regexp.MustCompile(`exec: "(.+?)":.*permission denied`),
			`look at "command" and "entrypoint" of service "%s": $1 is no program that may be run`,
		},
		{
			regexp.MustCompile(`[cC]ontainer name "/?(.+?)" is already in use`),
			"give another container_name, or remove the container that has it: docker rm $1",
		},
		{
			regexp.MustCompile(`Pool overlaps with other one|address pools have been fully subnetted`),
			"give the network another subnet, or remove networks that nobody uses: docker network prune",
		},
		{
			regexp.MustCompile(`no space left on device`),
			"see what takes the engine's room: docker system df",
		},
	}
}

// adviceOn is what to try about an error that does not say so itself; empty where nothing is known.
func adviceOn(err error) string {
	text, service := err.Error(), ""
	var failed *convergence.StepError
	if errors.As(err, &failed) {
		service = failed.Step.Ref().Name
	}
	for _, known := range advices() {
		found := known.words.FindStringSubmatch(text)
		if found == nil {
			continue
		}
		try := known.try
		if strings.Contains(try, "%s") {
			try = fmt.Sprintf(try, service)
		}
		return strings.ReplaceAll(try, "$1", strings.Join(found[1:], ""))
	}
	return ""
}

// tryAbout is what to try about an error, fit to be copied: what it says itself, else what its words tell.
func (g *globals) tryAbout(err error) string {
	var hinted interface{ Hint() string }
	if errors.As(err, &hinted) && hinted.Hint() != "" {
		return g.hintOf(hinted.Hint())
	}
	return adviceOn(err)
}
