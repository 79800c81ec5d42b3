package plan

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/step"
	"github.com/muster-dev/muster/graph"
	"github.com/muster-dev/muster/project"
)

// takenPorts are the ports that the plan's containers would not get.
func (p *Plan) takenPorts(wanted *project.Project, around Surroundings) []*Problem {
	holders := holders{wanted: wanted, around: around, freed: p.freed(), bindings: p.bindings(wanted)}
	var problems []*Problem
	told := map[string]bool{}
	for _, b := range holders.bindings {
		holder := holders.of(b)
		if holder == nil || told[b.path] {
			continue // the replicas of a service need no word each
		}
		told[b.path] = true
		problem := &Problem{
			Ref: graph.Service(b.service), Kind: "port-taken",
			Message: fmt.Sprintf("service %q: port %s is taken by %s", b.service, b.ports(), holder.words(p.Project)),
			Try:     holders.advice(b, *holder, p.Project),
		}
		if wanted != nil {
			problem.Position = wanted.Place(b.path)
		}
		problems = append(problems, problem)
	}
	return problems
}

// freed are the containers that the plan ends, by ID.
func (p *Plan) freed() map[string]bool {
	freed := map[string]bool{}
	for _, node := range p.Nodes {
		switch s := node.Step.(type) {
		case step.StopContainer:
			freed[s.ID] = true
		case step.KillContainer:
			freed[s.ID] = true
		case step.RemoveContainer:
			freed[s.ID] = true
		}
	}
	return freed
}

// holder is who has a port: a container or a program.
type holder struct {
	container *engine.Container
	program   *Listener
}

func (h holder) words(own string) string {
	switch {
	case h.program != nil && h.program.Program == "":
		return "a program of this host"
	case h.program != nil:
		return fmt.Sprintf("%s (process %d) of this host", h.program.Program, h.program.PID)
	case h.container.Project == "":
		return fmt.Sprintf("container %s, which belongs to no project", h.container.Name)
	case h.container.Project == own:
		return fmt.Sprintf("container %s of this project", h.container.Name)
	}
	name := h.container.Name
	if h.container.Service != "" && h.container.Number > 0 && !h.container.OneOff {
		name = h.container.Service + "-" + strconv.Itoa(h.container.Number)
	}
	return fmt.Sprintf("%s of project %q", name, h.container.Project)
}

// holders looks for who has ports.
type holders struct {
	wanted   *project.Project // nil where there is no file
	around   Surroundings
	freed    map[string]bool
	bindings []binding
}

// of is who has what a container would bind; nil where one of the ports is free, or will be.
func (h holders) of(b binding) *holder {
	var first *holder
	for port := int(b.first); port <= int(b.last); port++ {
		found := h.at(b, uint16(port))
		if found == nil {
			return nil
		}
		if first == nil {
			first = found
		}
	}
	return first
}

// at is who has one port. Where a container has it that the plan ends, what listens there is the engine for that container.
func (h holders) at(b binding, port uint16) *holder {
	for i := range h.around.Containers {
		container := &h.around.Containers[i]
		if !publishes(container, b, port) {
			continue
		}
		if h.freed[container.ID] || container.Name == b.container {
			return nil
		}
		return &holder{container: container}
	}
	for i := range h.around.Listeners {
		listener := &h.around.Listeners[i]
		if listener.Port == port && listener.Protocol == b.protocol && overlap(listener.Address, b.address) {
			return &holder{program: listener}
		}
	}
	return nil
}

func publishes(container *engine.Container, b binding, port uint16) bool {
	return container.Running() && slices.ContainsFunc(container.Ports, func(p engine.PublishedPort) bool {
		return p.HostPort == port && p.Protocol == b.protocol && overlap(p.HostIP, b.address)
	})
}

// advice is what to try: another port, or to end who has this one.
func (h holders) advice(b binding, has holder, own string) string {
	text := "publish another port"
	if free := h.free(b); free > 0 {
		text += fmt.Sprintf(", %d is free", free)
	}
	switch {
	case has.program != nil && has.program.PID > 0:
		return text + ", or end that program"
	case has.program != nil:
		return text + fmt.Sprintf(", or see which program it is: sudo ss -lntup 'sport = :%d'", b.first)
	case has.container.Project == "" || has.container.OneOff:
		return text + ", or stop the one that has it: docker stop " + has.container.Name
	case has.container.Project == own && h.wanted != nil && h.isInFile(has.container.Service):
		return text + ", or stop the one that has it: muster stop " + has.container.Service
	case has.container.Project == own:
		return text + ", or remove what the file does not have any more with --remove-orphans"
	}
	return text + fmt.Sprintf(", or stop the one that has it: muster -p %s stop %s", has.container.Project, has.container.Service)
}

func (h holders) isInFile(service string) bool {
	_, enabled := h.wanted.Services[service]
	_, disabled := h.wanted.DisabledServices[service]
	return enabled || disabled
}

// free is the next port that nobody has or wants, as far as that is known; 0 where none was found nearby.
func (h holders) free(b binding) uint16 {
	const nearby, highest = 100, 1<<16 - 1
	for port := int(b.last) + 1; port <= min(int(b.last)+nearby, highest); port++ {
		one := b
		one.container, one.first, one.last = "", uint16(port), uint16(port)
		wants := func(other binding) bool {
			return int(other.first) <= port && port <= int(other.last) // whatever the protocol: less to be taken for another
		}
		if h.at(one, uint16(port)) == nil && !slices.ContainsFunc(h.bindings, wants) {
			return uint16(port)
		}
	}
	return 0
}
