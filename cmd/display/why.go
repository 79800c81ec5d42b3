package display

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/docker/go-units"
	"github.com/mattn/go-runewidth"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/plan"
	"github.com/muster-dev/muster/project"
)

// WhySchema names the form of [WhyJSON], as [Schema] has it.
const WhySchema = "muster.why/1"

// origin is what a container's labels tell of how it came to be.
type origin struct {
	muster  bool   // else docker compose made it
	version string // of docker compose
	deploy  int    // the number of the `up`; 0 where it is not known
	known   bool   // whether the reasons are
	why     project.Why
	reasons []plan.Reason
}

func originOf(c engine.Container) origin {
	o := origin{version: c.Labels[project.LabelVersion]}
	o.deploy, _ = strconv.Atoi(c.Labels[project.LabelDeploy])
	why, err := project.ParseWhyLabel(c.Labels[project.LabelWhy])
	o.known = err == nil
	o.muster = o.known || o.deploy > 0 || c.Labels[project.LabelSpec] != ""
	o.why = why
	for _, reason := range why.Reasons {
		o.reasons = append(o.reasons, plan.Reason{Text: reason.Text, Change: project.Change{
			Path: reason.Path, Old: reason.Old, New: reason.New, Added: reason.Added, Removed: reason.Removed, Hidden: reason.Untold,
		}})
	}
	return o
}

// words are what was done, by whom: "replaced by up 4, in place of 9fd6f12c2ffa".
func (o origin) words() string {
	done, by, rest := "created", "docker compose", ""
	if o.known && o.why.Kind == string(plan.Replace) {
		done = "replaced"
	}
	switch {
	case o.muster && o.deploy > 0:
		by = fmt.Sprintf("up %d", o.deploy)
	case o.muster:
		by = "muster"
	case o.version != "":
		by += " " + o.version
	}
	if o.why.Was != "" {
		rest = ", in place of " + o.why.Was
	}
	return done + " by " + by + rest
}

// WhyOptions say how [Why] tells.
type WhyOptions struct {
	Now    time.Time
	Colors bool
}

// Why tells people when each container was made, by what, and why, from the containers' labels.
func Why(streams Streams, containers []engine.Container, options WhyOptions) {
	s, w, width, names := style{options.Colors}, streams.Out, 0, 0
	if streams.OutTerminal {
		width = streams.width()
	}
	for _, c := range containers {
		names = max(names, runewidth.StringWidth(harmless(c.Name)))
	}
	const gap = 2
	for _, c := range containers {
		o := originOf(c)
		ago := units.HumanDuration(options.Now.Sub(c.Created)) + " ago"
		words := harmless(strings.Join([]string{o.words() + ",", ago, "(" + c.Created.Local().Format(time.DateTime) + ")"}, " "))
		if !o.known {
			words += "; why was not noted"
		}
		lines := wrap(strings.Fields(words), " ", width-names-gap)
		_, _ = fmt.Fprintf(w, "%s  %s\n", s.bold(pad(harmless(c.Name), names)), lines[0])
		margin := strings.Repeat(" ", names+gap)
		for _, line := range lines[1:] {
			_, _ = fmt.Fprintln(w, margin+line)
		}
		writeReasons(w, o.reasons, names+gap, width)
		if o.why.More > 0 {
			_, _ = fmt.Fprintf(w, "%s... and %d more\n", margin, o.why.More)
		}
	}
}

type jsonWhy struct {
	Schema     string             `json:"schema"`
	Project    string             `json:"project"`
	Containers []jsonWhyContainer `json:"containers"`
}

type jsonWhyContainer struct {
	Name    string       `json:"name"`
	ID      string       `json:"id"`
	Service string       `json:"service"`
	Number  int          `json:"number,omitempty"`
	OneOff  bool         `json:"one_off,omitempty"`
	Created time.Time    `json:"created"`
	By      string       `json:"by"` // muster, docker compose
	Version string       `json:"version,omitempty"`
	Deploy  int          `json:"deploy,omitempty"`
	Kind    string       `json:"kind,omitempty"` // create, replace; none where it was not noted
	Was     string       `json:"was,omitempty"`
	Reasons []jsonReason `json:"reasons"`
	More    int          `json:"more,omitempty"`
}

// WhyJSON tells machines when each container was made, by what, and why.
func WhyJSON(w io.Writer, projectName string, containers []engine.Container) error {
	document := jsonWhy{Schema: WhySchema, Project: projectName, Containers: []jsonWhyContainer{}}
	for _, c := range containers {
		o := originOf(c)
		one := jsonWhyContainer{
			Name: c.Name, ID: c.ID, Service: c.Service, Number: c.Number, OneOff: c.OneOff, Created: c.Created.UTC(), By: "muster",
			Deploy: o.deploy, Kind: o.why.Kind, Was: o.why.Was, Reasons: []jsonReason{}, More: o.why.More,
		}
		if !o.muster {
			one.By, one.Version = "docker compose", o.version
		}
		for _, reason := range o.reasons {
			one.Reasons = append(one.Reasons, toJSONReason(reason))
		}
		document.Containers = append(document.Containers, one)
	}
	return writeIndented(w, document)
}
