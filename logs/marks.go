package logs

import "strconv"

// Marks says how a [Printer] tells of what happens to containers.
type Marks uint8

const (
	// MarksPlain are docker compose's own words, for scripts: "web-1 exited with code 1 (restarting)".
	MarksPlain Marks = iota
	// MarksBrief are for people: one line for a restart, when it has happened: "web-1  - restarted, exit 137, out of memory".
	MarksBrief
	// MarksAll are a line for each thing that happens, in the form of MarksBrief.
	MarksAll
)

// mark makes the line of an item that is none; false where it has no form.
func (p *Printer) mark(item Item) bool {
	switch {
	case p.options.Marks == MarksAll:
		return p.told(item.Source.Name(), happening(item))
	case p.options.Marks == MarksBrief && item.Kind == KindStarted && item.Again:
		return p.told(item.Source.Name(), "restarted, "+ending(item))
	case p.options.Marks == MarksBrief && item.Kind == KindExited && item.Restarting:
		return false // its restart is going to be told
	case item.Kind == KindExited:
		p.exited(item)
		return true
	}
	return false
}

func (p *Printer) told(name, what string) bool {
	if what == "" {
		return false
	}
	p.prefix(name) // the name may make the column wider
	p.buffer = append(append(append(p.buffer[:0], p.paint(name, p.column(name, "- "))...), what...), '\n')
	return true
}

// happening is what has happened, in few words.
func happening(item Item) string {
	switch item.Kind {
	case KindStarted:
		if item.Again {
			return "restarted"
		}
		return "started"
	case KindExited:
		text := ending(item)
		if item.Restarting {
			text += ", restarting"
		}
		if item.Replaced {
			text += ", replaced"
		}
		return "ended, " + text
	case KindOutOfMemory:
		return "out of memory, a process was killed"
	case KindHealth:
		return string(item.Health)
	case KindLine, KindUnreadable:
	}
	return ""
}

// ending is how a run ended.
func ending(item Item) string {
	text := "exit " + strconv.Itoa(item.ExitCode)
	if item.ExitCode == UnknownExit {
		text = "nobody saw how"
	}
	if item.OutOfMemory {
		text += ", out of memory"
	}
	return text
}

// exited is an end in docker compose's words.
func (p *Printer) exited(item Item) {
	name := item.Source.Name()
	text := name + " exited with code " + strconv.Itoa(item.ExitCode)
	switch {
	case item.Replaced:
		text = name + " has been recreated"
	case item.ExitCode == UnknownExit:
		text = name + " is gone"
	case item.Restarting:
		text += " (restarting)"
	}
	p.buffer = append(append(p.buffer[:0], p.paint(name, text)...), '\n')
}
