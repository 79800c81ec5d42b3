package display

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/docker/go-units"

	"github.com/muster-dev/muster/convergence/engine"
)

// Processes are those of a container.
type Processes struct {
	Service string
	Number  int // of the replica; 0 for a one-off
	engine.Processes
}

// Top writes docker compose's table of `top`: every process with its container, what it runs last. Columns are those that any of
// the containers has.
func Top(w io.Writer, containers []Processes) error {
	const narrowest, own = 2, 2 // columns, and how many are not the engine's
	table := Table{Header: []string{"SERVICE", "#"}, Gap: 2}
	for _, c := range containers {
		for _, title := range c.Titles {
			if !slices.Contains(table.Header, title) && title != commandTitle {
				table.Header = append(table.Header, title)
			}
		}
	}
	table.Header = append(table.Header, commandTitle)
	for _, c := range containers {
		for _, process := range c.Rows {
			table.Rows = append(table.Rows, c.row(process, table.Header[own:]))
		}
	}
	if len(table.Rows) == 0 {
		return nil
	}
	for i, title := range table.Header {
		table.Header[i] = pad(title, narrowest)
	}
	return table.Write(w)
}

// commandTitle is the column that comes last.
const commandTitle = "CMD"

// row is a process in the columns of those titles.
func (p Processes) row(process, titles []string) []string {
	const none = "-"
	number := none
	if p.Number > 0 {
		number = strconv.Itoa(p.Number)
	}
	row := []string{p.Service, number}
	for _, title := range titles {
		cell := none
		if at := slices.Index(p.Titles, title); at >= 0 && at < len(process) {
			cell = process[at]
		}
		row = append(row, cell)
	}
	return row
}

// Usage is what a container uses.
type Usage struct {
	ID, Name string
	// Stats is nil as long as nothing is known.
	*engine.Stats
}

// usageObject has the docker CLI's keys of `stats`.
type usageObject struct {
	BlockIO, CPUPerc, Container, ID, MemPerc, MemUsage, Name, NetIO, PIDs string
}

func usageHeaders() headers {
	return headers{
		"ID": "CONTAINER ID", "Container": "CONTAINER", "Name": "NAME", "CPUPerc": "CPU %", "MemUsage": "MEM USAGE / LIMIT",
		"MemPerc": "MEM %", "NetIO": "NET I/O", "BlockIO": "BLOCK I/O", "PIDs": "PIDS",
	}
}

// Stats writes the docker CLI's table of `stats`, or what the form asks for. whole does not shorten IDs.
func Stats(w io.Writer, form Form, whole bool, usage []Usage) error {
	objects := make([]usageObject, len(usage))
	for i, one := range usage {
		objects[i] = one.object(whole)
	}
	switch {
	case form.JSON:
		return writeLines(w, objects)
	case form.Table():
		form, _ = ParseForm("table {{.ID}}\t{{.Name}}\t{{.CPUPerc}}\t{{.MemUsage}}\t{{.MemPerc}}\t{{.NetIO}}\t{{.BlockIO}}\t{{.PIDs}}")
	}
	return writeForm(w, form, usageHeaders(), objects)
}

func (u Usage) object(whole bool) usageObject {
	const unknown, figures, percent = "--", 3, 100
	object := usageObject{
		ID: idText(u.ID, whole), Container: idText(u.ID, whole), Name: u.Name, CPUPerc: unknown, MemPerc: unknown, PIDs: unknown,
		MemUsage: unknown + " / " + unknown, NetIO: unknown, BlockIO: unknown,
	}
	if u.Stats == nil {
		return object
	}
	pair := func(in, out uint64) string {
		return units.HumanSizeWithPrecision(float64(in), figures) + " / " + units.HumanSizeWithPrecision(float64(out), figures)
	}
	share := 0.0
	if u.MemoryLimit > 0 {
		share = float64(u.Memory) / float64(u.MemoryLimit) * percent
	}
	object.CPUPerc, object.MemPerc = fmt.Sprintf("%.2f%%", u.CPU), fmt.Sprintf("%.2f%%", share)
	object.MemUsage = units.BytesSize(float64(u.Memory)) + " / " + units.BytesSize(float64(u.MemoryLimit))
	object.NetIO, object.BlockIO = pair(u.Received, u.Sent), pair(u.Read, u.Written)
	object.PIDs = strconv.FormatUint(u.Processes, 10)
	return object
}

// Event writes an event of a container as docker compose does: a line, and an empty one. Which labels are told is up to the caller.
func Event(w io.Writer, event engine.Event, attributes map[string]string) error {
	var words []string
	for _, key := range slices.Sorted(maps.Keys(attributes)) {
		words = append(words, key+"="+attributes[key])
	}
	_, err := fmt.Fprintf(w, "%s container %s %s (%s)\n\n", event.Time.Local().Format("2006-01-02 15:04:05.000000"),
		harmless(event.Whole()), harmless(event.ID), harmless(strings.Join(words, ", ")))
	return err
}

// EventJSON writes it as an object on a line.
func EventJSON(w io.Writer, event engine.Event, attributes map[string]string) error {
	return encodeLine(w, struct {
		Action     string            `json:"action"`
		Attributes map[string]string `json:"attributes"`
		ID         string            `json:"id"`
		Service    string            `json:"service"`
		Time       time.Time         `json:"time"`
		Type       string            `json:"type"`
	}{event.Whole(), attributes, event.ID, event.Service, event.Time.Local(), string(event.Kind)})
}

// Screen is the end of a terminal's output that is drawn again and again.
type Screen struct {
	Streams Streams
	drawn   int // lines
}

// Draw puts lines in place of those before, cut to the terminal's width, and no more of them than it has.
func (s *Screen) Draw(lines []string) error {
	width, height := s.Streams.width(), 0
	if s.Streams.Size != nil {
		_, height = s.Streams.Size()
	}
	if height > 1 && len(lines) >= height {
		lines = lines[:height-1]
	}
	for i := range lines {
		lines[i] = cut(strings.TrimRight(lines[i], " "), width-1)
	}
	var screen bytes.Buffer
	writeOver(&screen, s.drawn, lines)
	s.drawn = len(lines)
	_, err := s.Streams.Out.Write(screen.Bytes())
	return err
}
