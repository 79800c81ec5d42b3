package project

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// checker finds what cannot work in a loaded model: the references of the services, names and values that no engine takes, and
// attributes that exclude each other. It does not change the model, and looks for no dependency cycles: those are the graph's.
type checker struct {
	model   *Model
	places  *places
	raw     bool                // variables were not replaced: a value with a $ is not known yet
	alone   map[string]bool     // services whose dependencies will be dropped
	dropped map[string]bool     // paths that were left out because something is wrong with them, told already
	lost    map[string]bool     // services that miss something for that reason: what they lack is no problem of its own
	names   map[string][]string // the names in each section of the model, sorted
	owners  map[string]string   // the services of the container names
	found   []Problem
}

// problems checks everything, services in the order of their names.
func (c *checker) problems() []Problem {
	c.owners, c.lost = map[string]string{}, lostServices(c.dropped)
	c.names = map[string][]string{
		"networks": append(keys(c.model.Networks), "default"), "volumes": keys(c.model.Volumes), "models": keys(c.model.Models),
		"secrets": keys(c.model.Secrets), "configs": keys(c.model.Configs), "services": keys(c.model.AllServices()),
	}
	slices.Sort(c.names["networks"])
	for _, name := range keys(c.model.Services) {
		service := c.model.Services[name]
		for _, check := range []func(Service){
			c.checkSource, c.checkBuild, c.checkReferences, c.checkResources, c.checkContainerName, c.checkScale, c.checkLimits,
			c.checkRestart, c.checkHealth, c.checkPorts, c.checkMounts, c.checkFiles, c.checkWatch,
			c.checkNamespaces, c.checkNumbers, c.checkMountTypes, c.checkHosts, c.checkEndpoints,
			c.checkMode, c.checkRefresh, c.checkPreStarts,
		} {
			check(service)
		}
	}
	c.checkTopLevel()
	c.checkJobs()
	return c.found
}

// lostServices are the services that the paths are in. A path may have several readings, because names may have dots.
func lostServices(paths map[string]bool) map[string]bool {
	lost := map[string]bool{}
	for path := range paths {
		name, ok := strings.CutPrefix(path, "services.")
		for ok {
			lost[name] = true
			end := strings.LastIndexAny(name, ".[")
			if ok = end >= 0; ok {
				name = name[:end]
			}
		}
	}
	return lost
}

// report adds a problem with the value at a path.
func (c *checker) report(path, message, hint string) {
	c.found = append(c.found, c.places.problem(path, message, hint))
}

// reportUse adds a problem with a reference.
func (c *checker) reportUse(use use, message, hint string) {
	if use.place == use.path {
		c.report(use.path, message, hint)
		return
	}
	place, _ := c.places.find(use.place)
	c.found = append(c.found, place.problem(use.path, message, hint))
}

// checkUse reports the use of something that is not there.
func (c *checker) checkUse(use use, kind, section string) {
	known := c.names[section]
	if _, ok := slices.BinarySearch(known, use.name); ok || c.unknown(use.name) || c.dropped[section+"."+use.name] {
		return
	}
	hint := ""
	if len(c.found) < maxProblems {
		hint = didYouMean(nearest(use.name, known))
	}
	if hint == "" && section != "services" {
		hint = "declare it under " + quote(section)
	}
	c.reportUse(use, fmt.Sprintf("%s %s does not exist", kind, quote(use.name)), hint)
}

func keys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// use is a reference by name: the path of the attribute that has it, and where the name itself stands.
type use struct{ name, path, place string }

// unknown says whether a value has variables in it that were not replaced.
func (c *checker) unknown(value string) bool { return c.raw && strings.Contains(value, "$") }

func (c *checker) checkSource(service Service) {
	path := "services." + service.Name
	if service.Image == "" && service.Build == nil && service.Provider == nil && !c.lost[service.Name] {
		c.report(path, "has neither an image nor a build", `add "image" or "build"`)
	}
	if message := badImage(service.Image); message != "" && !c.unknown(service.Image) {
		c.report(path+".image", message, "")
	}
	for i, mount := range service.Volumes {
		if mount.Type != MountImage || c.unknown(mount.Source) {
			continue
		}
		if message := badImage(mount.Source); message != "" {
			c.report(fmt.Sprintf("%s.volumes[%d]", path, i), message, "")
		}
	}
}
