package convergence

import (
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/project"
)

// Writer is who changes a project, as others are told who wait for it.
type Writer struct {
	Command string // the verb alone: arguments may be secret
	User    string
	Host    string
	PID     int
}

// Holder is who holds a project's lock, as the lock's labels have it: anybody can write those, so texts are bounded and free of
// control characters.
type Holder struct {
	Writer
	// Since is when the lock was taken, by the clock of the holder's host; zero where it does not say.
	Since time.Time

	id string
	// known says that the engine can be asked whether it lives.
	known bool
}

// sessions are the IDs of which the holder has one at a time. An ID is free only seconds after its connection was lost: with another
// one at hand there is no moment in which a holder that lives has none.
func (h Holder) sessions() [2]string { return [2]string{h.id, h.id + "-again"} }

// String says who it is: "`up` of ann@laptop (pid 4711)".
func (h Holder) String() string {
	text := "a command"
	if h.Command != "" {
		text = "`" + h.Command + "`"
	}
	switch {
	case h.User != "" && h.Host != "":
		text += " of " + h.User + "@" + h.Host
	case h.User+h.Host != "":
		text += " of " + h.User + h.Host
	}
	if h.PID > 0 {
		text += fmt.Sprintf(" (pid %d)", h.PID)
	}
	return text
}

// SinceText is when the lock was taken, in the local time zone: the time of day where that was today.
func (h Holder) SinceText() string {
	since := h.Since.Local()
	switch {
	case h.Since.IsZero():
		return "an unknown time"
	case since.Format(time.DateOnly) == time.Now().Format(time.DateOnly):
		return since.Format(time.TimeOnly)
	}
	return since.Format(time.DateTime)
}

// Labels of a lock.
const (
	labelHolder  = project.LabelLock + ".holder"
	labelSession = project.LabelLock + ".session"
	labelCommand = project.LabelLock + ".command"
	labelUser    = project.LabelLock + ".user"
	labelHost    = project.LabelLock + ".host"
	labelPID     = project.LabelLock + ".pid"
	labelSince   = project.LabelLock + ".since"
)

// lockPrefix begins the names of the volumes that are locks.
const lockPrefix = "muster-lock-"

func (h Holder) labels(projectName string) project.Labels {
	labels := project.Labels{
		project.LabelLock: projectName, labelHolder: h.id, labelCommand: tame(h.Command), labelUser: tame(h.User),
		labelHost: tame(h.Host), labelPID: strconv.Itoa(h.PID), labelSince: h.Since.UTC().Format(time.RFC3339),
	}
	maps.DeleteFunc(labels, func(_, value string) bool { return value == "" })
	if h.known {
		labels[labelSession] = h.id
	}
	return labels
}

// readHolder is who holds a lock.
func readHolder(lock engine.Volume) Holder {
	labels := lock.Labels
	holder := Holder{id: labels[labelHolder], known: labels[labelSession] != ""}
	holder.Command, holder.User, holder.Host = tame(labels[labelCommand]), tame(labels[labelUser]), tame(labels[labelHost])
	holder.PID, _ = strconv.Atoi(labels[labelPID])
	holder.Since, _ = time.Parse(time.RFC3339, labels[labelSince])
	return holder
}

// tame makes a text of others fit to be shown on a line.
func tame(text string) string {
	const longest = 100
	runes := []rune(strings.ToValidUTF8(text, "?"))
	if len(runes) > longest {
		runes = append(runes[:longest], '…')
	}
	for i, r := range runes {
		if !unicode.IsPrint(r) || r == '`' {
			runes[i] = '?'
		}
	}
	return string(runes)
}
