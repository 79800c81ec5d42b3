package project

import (
	"fmt"
	"slices"
	"strings"
)

// checkReferences checks the services that a service names.
func (c *checker) checkReferences(service Service) {
	path := "services." + service.Name
	implied := map[string]bool{}
	for _, use := range impliedUses(service, path) {
		implied[use.name] = true
		c.checkService(service, use, true)
	}
	for _, name := range keys(service.DependsOn) {
		use := use{name: name, path: path + ".depends_on", place: path + ".depends_on." + name}
		if implied[name] {
			if _, written := c.places.find(use.place); !written {
				continue
			}
		}
		c.checkService(service, use, service.DependsOn[name].Required)
	}
	if service.Build == nil {
		return
	}
	for _, context := range keys(service.Build.AdditionalContexts) {
		if name, ok := strings.CutPrefix(service.Build.AdditionalContexts[context], ServicePrefix); ok {
			c.checkContext(use{name: name, path: path + ".build.additional_contexts." + context})
		}
	}
}

// impliedUses are the services that other attributes than depends_on name. Loading adds them to depends_on.
func impliedUses(service Service, path string) []use {
	var uses []use
	for _, link := range service.Links {
		name, _, _ := strings.Cut(link, ":")
		uses = append(uses, use{name: name, path: path + ".links", place: path + ".links." + name})
	}
	for _, mode := range []struct{ key, value string }{
		{"network_mode", service.NetworkMode},
		{"ipc", service.Ipc},
		{"pid", service.Pid},
		{"uts", service.Uts},
		{"cgroup", service.Cgroup},
	} {
		if name, ok := strings.CutPrefix(mode.value, ServicePrefix); ok {
			uses = append(uses, use{name: name, path: path + "." + mode.key, place: path + "." + mode.key})
		}
	}
	for _, from := range service.VolumesFrom {
		if name, _, _ := strings.Cut(from, ":"); name != "container" {
			uses = append(uses, use{name: name, path: path + ".volumes_from", place: path + ".volumes_from." + name})
		}
	}
	return uses
}

func (c *checker) checkService(service Service, use use, required bool) {
	if _, ok := c.model.Services[use.name]; ok || c.unknown(use.name) {
		return
	}
	if disabled, ok := c.model.DisabledServices[use.name]; ok {
		if required && !c.alone[service.Name] {
			c.reportUse(use, fmt.Sprintf("service %s is required by %s but is disabled. Can be enabled by profiles %s",
				use.name, service.Name, disabled.Profiles), "")
		}
		return
	}
	if _, ok := c.model.AllJobs()[use.name]; ok {
		c.reportUse(use, quote(use.name)+" is a job, and services can only depend on services", "")
		return
	}
	c.checkUse(use, "service", "services")
}

// checkContext checks a service whose image is a build context of another one.
func (c *checker) checkContext(use use) {
	use.place = use.path
	service, ok := c.model.Services[use.name]
	if !ok {
		service, ok = c.model.DisabledServices[use.name]
	}
	switch {
	case !ok:
		c.checkUse(use, "service", "services")
	case service.Build == nil && !c.lost[use.name]:
		c.reportUse(use, fmt.Sprintf("service %s is not built, so it is no build context", quote(use.name)), "")
	}
}

// checkResources checks the networks, volumes, secrets, configs and models that a service names.
func (c *checker) checkResources(service Service) {
	path := "services." + service.Name
	if service.NetworkMode != "" && len(service.Networks) > 0 {
		c.report(path+".network_mode", `"network_mode" and "networks" exclude each other`, "")
	}
	for _, name := range keys(service.Networks) {
		c.checkUse(use{name, path + ".networks", path + ".networks." + name}, "network", "networks")
	}
	for _, mount := range service.Volumes {
		if mount.Type == MountVolume && mount.Source != "" && !c.unknown(mount.Source) {
			c.checkVolume(use{mount.Source, path + ".volumes", path + ".volumes." + mount.Target})
		}
	}
	for _, secret := range service.Secrets {
		c.checkUse(use{secret.Source, path + ".secrets", path + ".secrets." + secret.Source}, "secret", "secrets")
	}
	for _, config := range service.Configs {
		c.checkUse(use{config.Source, path + ".configs", path + ".configs." + config.Source}, "config", "configs")
	}
	if service.Build != nil {
		path := path + ".build.secrets"
		for _, secret := range service.Build.Secrets {
			c.checkUse(use{secret.Source, path, path + "." + secret.Source}, "secret", "secrets")
		}
	}
	for _, name := range keys(service.Models) {
		c.checkUse(use{name, path + ".models", path + ".models." + name}, "model", "models")
	}
}

// checkVolume knows the most frequent reason for an unknown volume: a relative path without "./" is a volume's name.
func (c *checker) checkVolume(use use) {
	if strings.Contains(use.name, "/") && !slices.Contains(c.names["volumes"], use.name) {
		c.reportUse(use, fmt.Sprintf("volume %s does not exist", quote(use.name)),
			fmt.Sprintf("write %s for a folder next to the file", quote("./"+use.name)))
		return
	}
	c.checkUse(use, "volume", "volumes")
}

// checkJobs checks what jobs depend on.
func (c *checker) checkJobs() {
	jobs := c.model.AllJobs()
	for _, name := range keys(jobs) {
		path := "jobs." + name
		if slices.Contains(c.names["services"], name) {
			c.report(path, quote(name)+" is both a service and a job", "")
		}
	}
	for _, name := range keys(c.model.Jobs) {
		path := "jobs." + name + ".depends_on"
		job := c.model.Jobs[name]
		for _, needed := range keys(job.DependsOn) {
			if _, ok := jobs[needed]; !ok {
				depending := Service{Name: name}
				c.checkService(depending, use{needed, path, path + "." + needed}, job.DependsOn[needed].Required)
			}
		}
	}
}
