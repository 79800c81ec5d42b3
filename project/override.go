package project

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/compose-spec/compose-go/v2/types"
)

// WithScale is the project with other numbers of replicas, by service; the project itself stays as it is.
func (p *Project) WithScale(replicas map[string]int) (*Project, error) {
	if len(replicas) == 0 {
		return p, nil
	}
	changed := p.withServices()
	for _, name := range slices.Sorted(maps.Keys(replicas)) {
		service, ok := changed.Services[name]
		if !ok {
			return nil, fmt.Errorf("no such service: %s", name)
		}
		if replicas[name] > 1 && service.ContainerName != "" {
			return nil, fmt.Errorf(
				"service %q cannot have %d replicas: its container_name %q can only be given once", name, replicas[name], service.ContainerName)
		}
		number := replicas[name]
		if service.Deploy != nil {
			deploy := *service.Deploy
			deploy.Replicas = &number
			service.Deploy = &deploy
		}
		service.Scale = &number
		changed.Services[name] = service
	}
	return changed, nil
}

// WithPullPolicy is the project with one pull policy for all its services, as --pull takes it; "policy" and "" leave each its
// own, and so does "build" where there is nothing to build. The project itself stays as it is.
func (p *Project) WithPullPolicy(policy string) (*Project, error) {
	switch policy {
	case "", "policy":
		return p, nil
	case "if_not_present":
		policy = PullMissing
	case PullAlways, PullMissing, PullNever, PullBuild:
	default:
		return nil, fmt.Errorf("invalid --pull option %q", policy)
	}
	changed := p.withServices()
	for name, service := range changed.Services {
		if policy == PullBuild && service.Build == nil {
			continue
		}
		service.PullPolicy = policy
		service.PreStart = slices.Clone(service.PreStart)
		for i := range service.PreStart {
			service.PreStart[i].PullPolicy = policy
		}
		changed.Services[name] = service
	}
	return changed, nil
}

// BuildOverrides are what a command line says about all builds of a project.
type BuildOverrides struct {
	Args    map[string]*string // over build.args; one without a value has it from the environment
	Pull    bool               // asks registries for base images that are here
	NoCache bool               // runs every step
	SSH     map[string]string  // over build.ssh: keys, or an agent's socket, by ID; an empty path is the agent of the environment

	Provenance, SBOM string // over those of the sections, where they are not empty
}

// WithBuild is the project with what the overrides say in all build sections; the project itself stays as it is.
func (p *Project) WithBuild(overrides BuildOverrides) *Project {
	changed := p.withServices()
	for name, service := range changed.Services {
		if service.Build == nil {
			continue
		}
		section := *service.Build
		section.Args = maps.Clone(section.Args)
		if section.Args == nil {
			section.Args = types.MappingWithEquals{}
		}
		maps.Copy(section.Args, overrides.Args)
		section.Pull, section.NoCache = section.Pull || overrides.Pull, section.NoCache || overrides.NoCache
		section.SSH = withKeys(section.SSH, overrides.SSH)
		section.Provenance = cmp.Or(overrides.Provenance, section.Provenance)
		section.SBOM = cmp.Or(overrides.SBOM, section.SBOM)
		service.Build = &section
		changed.Services[name] = service
	}
	return changed
}

// withKeys are SSH keys and agents, in the place of those with the same ID.
func withKeys(keys types.SSHConfig, over map[string]string) types.SSHConfig {
	kept := slices.DeleteFunc(slices.Clone(keys), func(key types.SSHKey) bool {
		_, ok := over[key.ID]
		return ok
	})
	for _, id := range slices.Sorted(maps.Keys(over)) {
		kept = append(kept, types.SSHKey{ID: id, Path: over[id]})
	}
	return kept
}

// withServices is a copy of the project whose map of services may be changed.
func (p *Project) withServices() *Project {
	changed, model := *p, *p.Model
	model.Services = maps.Clone(p.Services)
	changed.Model = &model
	return &changed
}
