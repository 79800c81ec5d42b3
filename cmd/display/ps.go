package display

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/docker/go-units"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/plan"
)

// Containers writes docker compose's table of `ps`.
func Containers(w io.Writer, containers []engine.Container, now time.Time, whole bool) error {
	table := Table{Header: []string{"NAME", "IMAGE", "COMMAND", "SERVICE", "CREATED", "STATUS", "PORTS"}, Gap: 3}
	for _, c := range containers {
		table.Rows = append(table.Rows, []string{
			c.Name, c.Image, commandText(c.Command, whole), c.Service,
			units.HumanDuration(now.Sub(c.Created)) + " ago", c.Status, PortsText(c.Ports),
		})
	}
	return table.Write(w)
}

func commandText(command string, whole bool) string {
	const width = 20
	if !whole && len([]rune(command)) > width {
		command = string([]rune(command)[:width-1]) + "…"
	}
	return strconv.Quote(command)
}

// PortsText is a container's ports as docker writes them: "0.0.0.0:8080->80/tcp, [::]:8080->80/tcp, 443/tcp". Runs of ports that
// are published alike are one range.
func PortsText(ports []engine.PublishedPort) string {
	var texts []string
	for i := 0; i < len(ports); {
		run := 1
		for i+run < len(ports) && continues(ports[i], ports[i+run], run) {
			run++
		}
		texts = append(texts, portText(ports[i], run))
		i += run
	}
	return strings.Join(texts, ", ")
}

// continues says whether a port is the n-th of a range that begins with first.
func continues(first, next engine.PublishedPort, n int) bool {
	return next.HostIP == first.HostIP && next.Protocol == first.Protocol && int(next.Port) == int(first.Port)+n &&
		(first.HostPort == 0 && next.HostPort == 0 || first.HostPort != 0 && int(next.HostPort) == int(first.HostPort)+n)
}

func portText(first engine.PublishedPort, run int) string {
	span := func(port uint16) string {
		if run == 1 {
			return strconv.Itoa(int(port))
		}
		return fmt.Sprintf("%d-%d", port, int(port)+run-1)
	}
	target := span(first.Port) + "/" + first.Protocol
	if first.HostPort == 0 {
		return target
	}
	host := first.HostIP
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return host + ":" + span(first.HostPort) + "->" + target
}

// containerObject is docker compose's object of `ps`, for JSON and templates.
type containerObject struct {
	Command, CreatedAt, Engine    string
	ExitCode                      int
	Health, ID, Image, Labels     string
	LocalVolumes                  string
	Mounts, Name, Names, Networks string
	Ports, Project                string
	Publishers                    []publisher
	RunningFor, Service, Size     string
	State, Status                 string
	Unfinished                    plan.Part `json:",omitempty"`

	labelled
}

type publisher struct {
	URL           string
	TargetPort    int
	PublishedPort int
	Protocol      string
}

// Listing is what `ps` lists, and how.
type Listing struct {
	Containers []engine.Container
	// Parts says of containers that are half made what they are part of, by ID.
	Parts map[string]plan.Part
	Now   time.Time
	Whole bool // commands and IDs are not shortened
}

// ContainersBy writes containers as JSON, one object a line with docker compose's keys, or by a template. Like the table it
// shortens commands and IDs unless they are wanted whole. A container that is half made has one more key, Unfinished.
func ContainersBy(w io.Writer, form Form, l Listing) error {
	now, whole := l.Now, l.Whole
	objects := make([]containerObject, len(l.Containers))
	for i, c := range l.Containers {
		objects[i] = containerObject{
			Unfinished: l.Parts[c.ID],
			Command:    commandText(c.Command, whole), CreatedAt: c.Created.Local().Format("2006-01-02 15:04:05 -0700 MST"),
			ExitCode: c.ExitCode, Health: string(c.Health), ID: idText(c.ID, whole), Image: c.Image,
			Labels: labelsText(c.Labels), LocalVolumes: strconv.Itoa(volumes(c)), Mounts: mountsText(c),
			Name: c.Name, Names: c.Name, Networks: networksText(c), Ports: PortsText(c.Ports), Project: c.Project,
			Publishers: publishers(c.Ports), RunningFor: units.HumanDuration(now.Sub(c.Created)) + " ago", Service: c.Service,
			Size: "0B", State: string(c.State), Status: c.Status, labelled: c.Labels,
		}
	}
	if form.JSON {
		return writeLines(w, objects)
	}
	return writeForm(w, form, headers{
		"Command": "COMMAND", "CreatedAt": "CREATED AT", "Engine": "ENGINE", "ExitCode": "EXIT CODE", "Health": "HEALTH",
		"ID": "CONTAINER ID", "Image": "IMAGE", "Labels": "LABELS", "LocalVolumes": "LOCAL VOLUMES", "Mounts": "MOUNTS",
		"Name": "NAME", "Names": "NAMES", "Networks": "NETWORKS", "Ports": "PORTS", "Project": "PROJECT",
		"Publishers": "PUBLISHERS", "RunningFor": "CREATED", "Service": "SERVICE", "Size": "SIZE", "State": "STATE",
		"Status": "STATUS", "Unfinished": "UNFINISHED",
	}, objects)
}

func idText(id string, whole bool) string {
	const length = 12
	if whole {
		return id
	}
	return id[:min(len(id), length)]
}

func labelsText(labels map[string]string) string {
	texts := make([]string, 0, len(labels))
	for key, value := range labels {
		texts = append(texts, key+"="+value)
	}
	slices.Sort(texts)
	return strings.Join(texts, ",")
}

func volumes(c engine.Container) int {
	n := 0
	for _, mount := range c.Mounts {
		if mount.Type == "volume" {
			n++
		}
	}
	return n
}

func mountsText(c engine.Container) string {
	texts := make([]string, 0, len(c.Mounts))
	for _, mount := range c.Mounts {
		if mount.Name != "" {
			texts = append(texts, mount.Name)
		} else {
			texts = append(texts, mount.Source)
		}
	}
	return strings.Join(texts, ",")
}

func networksText(c engine.Container) string {
	texts := make([]string, 0, len(c.Networks))
	for _, network := range c.Networks {
		texts = append(texts, network.Network)
	}
	return strings.Join(texts, ",")
}

func publishers(ports []engine.PublishedPort) []publisher {
	list := []publisher{}
	for _, port := range ports {
		list = append(list, publisher{port.HostIP, int(port.Port), int(port.HostPort), port.Protocol})
	}
	return list
}

// Missing is a replica that the file expects and the engine does not have.
type Missing struct {
	Service string
	Number  int
}

// Replicas writes the narrow table of `ps` for people at a terminal: what is running, how it is, where it is reached, and then
// what is missing. What is half made says so beside its number.
func Replicas(w io.Writer, l Listing, missing []Missing, colors bool) error {
	s := style{colors}
	table := Table{Header: []string{"SERVICE", "REPLICA", "STATE", "HEALTH", "UP", "PORTS"}, Gap: 2}
	looks := []func(string) string{s.dim}
	for _, c := range l.Containers {
		state, up := stateText(c)
		table.Rows = append(table.Rows, []string{c.Service, replicaText(c, l.Parts[c.ID]), state, string(c.Health), up, shortPorts(c.Ports)})
		if l.Parts[c.ID] != "" {
			looks = append(looks, s.busy)
			continue
		}
		looks = append(looks, s.ofContainer(c))
	}
	for _, m := range missing {
		table.Rows = append(table.Rows, []string{m.Service, strconv.Itoa(m.Number), "missing", "", "", ""})
		looks = append(looks, s.busy)
	}
	if !colors {
		return table.Write(w)
	}
	var plain strings.Builder
	if err := table.Write(&plain); err != nil {
		return err
	}
	for i, line := range strings.Split(strings.TrimRight(plain.String(), "\n"), "\n") {
		if _, err := fmt.Fprintln(w, strings.TrimRight(looks[i](line), " ")); err != nil {
			return err
		}
	}
	return nil
}

// ofContainer is how the line of a container looks.
func (s style) ofContainer(c engine.Container) func(string) string {
	switch {
	case c.Health == engine.HealthUnhealthy || c.ExitCode != 0 && !c.Running():
		return s.bad
	case c.Health == engine.HealthStarting || c.State == engine.StateRestarting:
		return s.busy
	}
	return func(line string) string { return line }
}

func replicaText(c engine.Container, part plan.Part) string {
	number := strconv.Itoa(max(c.Number, 1))
	switch {
	case part == plan.FilesPart, part == plan.HookPart:
		return string(part)
	case part != "":
		return number + " " + string(part)
	case c.OneOff:
		return "one-off"
	}
	return number
}

// stateText is a container's state and how long it has had it.
func stateText(c engine.Container) (state, since string) {
	switch {
	case c.State == engine.StateExited && c.ExitCode == 0:
		state = "done (0)"
	case c.State == engine.StateExited, c.State == engine.StateDead:
		state = fmt.Sprintf("exited (%d)", c.ExitCode)
	case c.State == engine.StateRestarting:
		state = fmt.Sprintf("restarting (%d)", c.ExitCode)
	default:
		state = string(c.State)
	}
	if match := statusSince.FindStringSubmatch(c.Status); match != nil {
		since = strings.NewReplacer(
			"Less than a second", "0 s", "About a minute", "1 min", "About an hour", "1 h",
			" seconds", " s", " second", " s", " minutes", " min", " hours", " h",
		).Replace(match[1])
	}
	return state, since
}

// statusSince finds the time in the engine's words: "Up 3 minutes (healthy)", "Exited (1) 2 hours ago".
var statusSince = regexp.MustCompile(`^(?:Up|(?:Exited|Restarting) \(\d+\)) (.*?)(?: ago)?(?: \([^)]*\))?$`)

// shortPorts are the published ports, "8080->80, 9090->9090/udp", once for all addresses.
func shortPorts(ports []engine.PublishedPort) string {
	var texts []string
	for _, port := range ports {
		if port.HostPort == 0 {
			continue
		}
		text := fmt.Sprintf("%d->%d", port.HostPort, port.Port)
		if port.Protocol != "tcp" {
			text += "/" + port.Protocol
		}
		if !slices.Contains(texts, text) {
			texts = append(texts, text)
		}
	}
	return strings.Join(texts, ", ")
}
