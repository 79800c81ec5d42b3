package project

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"
)

// HookPreStart is the value of [LabelHook] on the containers of pre_start hooks.
const HookPreStart = "pre_start"

// PreStart is a hook that runs to its end in a container of its own before its service starts.
type PreStart struct {
	// Service is what the container is made of, under the name of the hook's service. The hook has inherited from that what it does
	// not say itself, but for mounts, which it has through volumes_from, and labels.
	Service Service
	// PerReplica hooks run for each replica that starts, others once where none of the service runs.
	PerReplica bool
	// Path is where the hook is in the model, "services.web.pre_start[0]".
	Path string
}

// PreStarts are a service's pre_start hooks, in their order.
func PreStarts(p *Project, service Service) []PreStart {
	var hooks []PreStart
	for i, written := range service.PreStart {
		hook := PreStart{
			Service:    Service{Name: service.Name, ContainerSpec: written.ContainerSpec},
			PerReplica: written.PerReplica, Path: hookPath(service.Name, i),
		}
		if hook.Service.Image == "" {
			hook.Service.Image = p.ImageName(service)
		}
		hook.Service.Labels = ownLabels(written.Labels, service.Labels)
		hooks = append(hooks, hook)
	}
	return hooks
}

func hookPath(service string, i int) string {
	return "services." + service + ".pre_start" + at{}.item(i).String()
}

// ownLabels are those that a hook does not have from its service: programs find services' containers by them.
func ownLabels(labels, inherited Labels) Labels {
	own := maps.Clone(labels)
	maps.DeleteFunc(own, func(name, value string) bool {
		old, ok := inherited[name]
		return ok && old == value
	})
	return own
}

// PreStartName is the name of a hook's container: no service's container has it, because those end in a dash and a number. number is that
// of the replica that the hook runs for, 0 for a hook of all. Hooks count from 0.
func (p *Project) PreStartName(service string, number, hook int) string {
	name := p.Name + p.Separator() + service
	if number > 0 {
		name += p.Separator() + strconv.Itoa(number)
	}
	return name + ".pre_start." + strconv.Itoa(hook+1)
}

// checkPreStarts checks what the hooks name that they do not have from their service.
func (c *checker) checkPreStarts(service Service) {
	for i, hook := range service.PreStart {
		path := hookPath(service.Name, i)
		if message := badImage(hook.Image); message != "" && hook.Image != service.Image && !c.unknown(hook.Image) {
			c.report(path+".image", message, "")
		}
		for _, name := range volumeSources(hook.ContainerSpec) {
			if !c.unknown(name) {
				c.checkVolume(use{name, path + ".volumes", path + ".volumes"})
			}
		}
		c.checkOwnUses(path, usesOf(hook.ContainerSpec), usesOf(service.ContainerSpec))
	}
}

// checkOwnUses checks the names that a hook does not have from its service.
func (c *checker) checkOwnUses(path string, uses, inherited map[string][]string) {
	for section, names := range uses {
		for _, name := range names {
			if !slices.Contains(inherited[section], name) {
				c.checkUse(use{name, path + "." + section, path + "." + section + "." + name}, strings.TrimSuffix(section, "s"), section)
			}
		}
	}
}

// usesOf are the names that a container has of networks, secrets and configs, by the section that they are in.
func usesOf(spec types.ContainerSpec) map[string][]string {
	uses := map[string][]string{"networks": keys(spec.Networks)}
	for _, secret := range spec.Secrets {
		uses["secrets"] = append(uses["secrets"], secret.Source)
	}
	for _, config := range spec.Configs {
		uses["configs"] = append(uses["configs"], config.Source)
	}
	return uses
}

// withHookResources gives a model back what only pre_start hooks of its services use, of what it has lost to
// [types.Project.WithoutUnnecessaryResources], which does not look at them.
func withHookResources(model, all *Model) {
	for _, service := range model.Services {
		for _, hook := range service.PreStart {
			uses := usesOf(hook.ContainerSpec)
			restore(model.Networks, all.Networks, uses["networks"])
			restore(model.Volumes, all.Volumes, volumeSources(hook.ContainerSpec))
			restore(model.Secrets, all.Secrets, uses["secrets"])
			restore(model.Configs, all.Configs, uses["configs"])
		}
	}
}

func volumeSources(spec types.ContainerSpec) []string {
	var sources []string
	for _, mount := range spec.Volumes {
		if mount.Type == MountVolume && mount.Source != "" {
			sources = append(sources, mount.Source)
		}
	}
	return sources
}

func restore[V any](kept, all map[string]V, names []string) {
	for _, name := range names {
		if value, ok := all[name]; ok {
			kept[name] = value
		}
	}
}
