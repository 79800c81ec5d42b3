package project

import (
	"fmt"
	"strings"
	"sync"

	"go.yaml.in/yaml/v4"
)

// Place is where something of the model stands in the files: "services.web.environment.LOG_LEVEL", "services.web.ports[0]",
// "services.web.depends_on.db" whether the file has a list or a mapping there, "services.web.volumes./data" by the mount's
// target. For what the files do not say it is the place of what is around it; for what they say nothing of, and for a project
// that was not loaded from files, it is the zero Position. The first call costs a walk over the files.
func (p *Project) Place(path string) Position {
	place, _ := p.places.find(path)
	position, _ := place.position()
	return position
}

// places knows where things of the model stand in the files. A nil one knows nothing.
type places struct {
	main  []*source // in the order in which later ones win
	all   []*source
	once  sync.Once
	index map[string]spot
	count map[string]int // how many entries a list has that several files add to
}

// sources are the files, for their texts.
func (p *places) sources() []*source {
	if p == nil {
		return nil
	}
	return p.all
}

// find is the spot of the longest known part of the path, and whether that is all of it.
func (p *places) find(path string) (found spot, exact bool) {
	if p == nil {
		return spot{}, false
	}
	p.once.Do(p.build)
	for part := path; ; {
		if found, ok := p.index[part]; ok {
			return found, part == path
		}
		end := strings.LastIndexAny(part, ".[")
		if end < 0 {
			return spot{}, false
		}
		part = part[:end]
	}
}

// problem is a problem with the value at a path: at the value where it is a plain one, else where the thing begins.
func (p *places) problem(path, message, hint string) Problem {
	place, _ := p.find(path)
	if node := target(place.value); node != nil && node.Kind == yaml.ScalarNode && node.Value != "" {
		return place.valueProblem(path, message, hint)
	}
	return place.problem(path, message, hint)
}

func (p *places) build() {
	p.index, p.count = map[string]spot{}, map[string]int{}
	seen := map[*source]bool{}
	for _, source := range p.main {
		p.addSource(source, seen)
	}
}

// addSource adds what a file says over what it includes, as loading does.
func (p *places) addSource(from *source, seen map[*source]bool) {
	if seen[from] {
		return
	}
	seen[from] = true
	for _, included := range from.includes {
		p.addSource(included, seen)
	}
	for _, document := range from.documents {
		for _, top := range pairs(document) {
			if top.key.Value != "services" {
				p.add(spot{from, top.key, top.value}, top.key.Value)
				continue
			}
			p.index["services"] = spot{from, top.key, top.value}
			for _, service := range pairs(top.value) {
				p.addService(spot{from, service.key, service.value}, "services."+service.key.Value)
			}
		}
	}
}

// addService adds what a service says over what it extends.
func (p *places) addService(place spot, path string) {
	if base, ok := place.source.bases[place.key.Value]; ok {
		if service, ok := base.source.services[base.service]; ok {
			p.addService(spot{base.source, service.key, service.value}, path)
		}
	}
	p.add(place, path)
}

func (p *places) add(place spot, path string) {
	node := target(place.value)
	before, known := p.index[path]
	p.index[path] = place
	switch node.Kind {
	case yaml.MappingNode:
		for _, child := range pairs(node) {
			p.add(spot{place.source, child.key, child.value}, path+"."+child.key.Value)
		}
	case yaml.SequenceNode:
		first := 0
		if known && place.key != nil && appends(place.key.Value) && node.Tag != tagOverride && before.source != nil {
			first = p.count[path]
		}
		list := items(node)
		for i, item := range list {
			p.addItem(spot{source: place.source, value: item}, path, first+i)
		}
		p.count[path] = first + len(list)
	}
}

// appends says whether a later file's list comes after an earlier one's; the others take its place.
func appends(key string) bool {
	return key != "command" && key != "entrypoint" && key != "test"
}

func (p *places) addItem(place spot, list string, number int) {
	p.add(place, fmt.Sprintf("%s[%d]", list, number))
	key := list[strings.LastIndex(list, ".")+1:]
	if name := itemName(key, place); name != "" {
		p.add(place, list+"."+name)
	}
}

// itemName is what an entry of a list is known by in the model, where that has a mapping, or where the entry has a target.
func itemName(key string, place spot) string {
	node := target(place.value)
	text := node.Value
	if lookup := place.source.environment; lookup != nil && strings.Contains(text, "$") {
		text, _ = newSubstitution().replace(text, lookup.variables.Resolve)
	}
	switch key {
	case "environment", "labels", "args", "annotations", "sysctls", "additional_contexts":
		text, _, _ = strings.Cut(text, "=")
	case "extra_hosts", "links", "external_links", "volumes_from", "tmpfs":
		if end := strings.IndexAny(text, "=:"); end >= 0 {
			text = text[:end]
		}
	case "depends_on", "networks", "models":
	case "secrets", "configs":
		if source := entry(node, "source").value; source != nil {
			text = source.Value
		}
	case "volumes":
		return mountTarget(node, text)
	default:
		return ""
	}
	return text
}

func mountTarget(node *yaml.Node, text string) string {
	if at := entry(node, "target").value; at != nil {
		return at.Value
	}
	volume, err := parseMount(text)
	if err != nil {
		return ""
	}
	return volume.Target
}
