package project

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// link is one service on the way along `extends`.
type link struct {
	source  *source
	service string
}

// extend finds what a service extends, reads its file, and goes on from there. The chain is the services that led here.
func (r *reader) extend(from *source, service string, chain []link) {
	extends := entry(from.services[service].value, "extends")
	if extends.value == nil {
		return
	}
	place := spot{source: from, key: extends.key, value: extends.value}
	path := at{"services", service, "extends"}.String()
	if first := slices.IndexFunc(chain, func(earlier link) bool {
		return earlier.service == service && earlier.source.identity == from.identity
	}); first >= 0 {
		last := chain[len(chain)-1]
		delete(last.source.bases, last.service)
		r.problems = append(r.problems, place.problem(path, "cycle: "+serviceChain(chain[first:]), ""))
		return
	}
	if _, done := from.bases[service]; done {
		return
	}
	wanted, ok := r.extension(from, extends.value, path)
	if !ok {
		return
	}
	wanted.node = extends.value
	from.bases[service] = wanted
	r.extend(wanted.source, wanted.service, append(chain, link{from, service}))
}

// extension is the base that an `extends` names, its file read.
func (r *reader) extension(from *source, node *yaml.Node, path string) (base, bool) {
	named := node
	if target(node).Kind == yaml.MappingNode {
		named = entry(node, "service").value
	}
	if named == nil {
		return base{}, false
	}
	service, ok := r.text(from, named)
	if !ok {
		return base{}, false
	}
	file := entry(node, "file").value
	if file == nil {
		return base{source: from.owner(service), service: service}, true
	}
	read, ok := r.readExtended(from, file, path)
	return base{source: read, service: service}, ok
}

func (r *reader) readExtended(from *source, file *yaml.Node, path string) (*source, bool) {
	text, ok := r.text(from, file)
	if !ok {
		return nil, false
	}
	place := spot{source: from, value: file}
	if isRemote(text) {
		r.problems = append(r.problems, place.problem(path, refuseRemote(text).Error(), ""))
		return nil, false
	}
	absolute := absoluteIn(from.dir, text)
	key := sourceKey{path: absolute, dir: filepath.Dir(absolute), scope: from.environment, extended: true}
	read, _ := r.read(place, path, key, nil)
	return read, read != nil
}

// owner is the file that has a service of this name: this one, or one that it includes; this one where none has it.
func (s *source) owner(service string) *source {
	if found := s.search(service, map[*source]bool{}); found != nil {
		return found
	}
	return s
}

func (s *source) search(service string, seen map[*source]bool) *source {
	if _, ok := s.services[service]; ok {
		return s
	}
	seen[s] = true
	for _, included := range s.includes {
		if seen[included] {
			continue
		}
		if found := included.search(service, seen); found != nil {
			return found
		}
	}
	return nil
}

// followJobs reads what jobs extend. Only the files matter: the library checks the rest.
func (r *reader) followJobs(from *source) {
	for _, document := range from.documents {
		for _, job := range pairs(entry(document, "jobs").value) {
			extends := entry(job.value, "extends").value
			if extends == nil {
				continue
			}
			if wanted, ok := r.extension(from, extends, at{"jobs", job.key.Value, "extends"}.String()); ok {
				r.extend(wanted.source, wanted.service, nil)
			}
		}
	}
}

func serviceChain(chain []link) string {
	words := make([]string, 0, len(chain)+1)
	for _, link := range append(slices.Clone(chain), chain[0]) {
		words = append(words, fmt.Sprintf("%s in %s", quote(link.service), link.source.name))
	}
	return strings.Join(words, " -> ")
}

// unknownBases are the services that extend one which is not there.
func (s *source) unknownBases() []Problem {
	var problems []Problem
	for _, service := range keys(s.bases) {
		wanted := s.bases[service]
		if _, ok := wanted.source.services[wanted.service]; ok || wanted.source.broken {
			continue
		}
		message := fmt.Sprintf("service %s does not exist", quote(wanted.service))
		if wanted.source != s {
			message += " in " + wanted.source.name
		}
		node := wanted.node
		if named := entry(node, "service").value; named != nil {
			node = named
		}
		hint := ""
		if len(problems) < maxProblems {
			hint = didYouMean(nearest(wanted.service, keys(wanted.source.services)))
		}
		place := spot{source: s, value: node}
		problems = append(problems, place.problem(at{"services", service, "extends"}.String(), message, hint))
	}
	return problems
}
