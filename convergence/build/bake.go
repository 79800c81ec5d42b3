package build

import (
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/project"
)

// Bake is a project's builds as `docker buildx bake` reads them, encoded as JSON. (Docker documentation, Bake file reference)
type Bake struct {
	Group  map[string]BakeGroup  `json:"group"`
	Target map[string]BakeTarget `json:"target"`
}

// BakeGroup are targets that are built together.
type BakeGroup struct {
	Targets []string `json:"targets"`
}

// BakeTarget is the build of an image.
type BakeTarget struct {
	Context          string            `json:"context,omitempty"`
	Contexts         map[string]string `json:"contexts,omitempty"`
	Dockerfile       string            `json:"dockerfile,omitempty"`
	DockerfileInline string            `json:"dockerfile-inline,omitempty"`
	Args             map[string]string `json:"args,omitempty"`
	Labels           map[string]string `json:"labels,omitempty"`
	Tags             []string          `json:"tags,omitempty"`
	CacheFrom        []string          `json:"cache-from,omitempty"`
	CacheTo          []string          `json:"cache-to,omitempty"`
	Target           string            `json:"target,omitempty"`
	Secrets          []string          `json:"secret,omitempty"`
	SSH              []string          `json:"ssh,omitempty"`
	Platforms        []string          `json:"platforms,omitempty"`
	Pull             bool              `json:"pull,omitempty"`
	NoCache          bool              `json:"no-cache,omitempty"`
	NoCacheFilter    []string          `json:"no-cache-filter,omitempty"`
	Network          string            `json:"network,omitempty"`
	ShmSize          string            `json:"shm-size,omitempty"`
	Ulimits          []string          `json:"ulimits,omitempty"`
	Entitlements     []string          `json:"entitlements,omitempty"`
	ExtraHosts       map[string]string `json:"extra-hosts,omitempty"`
	Output           []string          `json:"output,omitempty"`
	Call             string            `json:"call,omitempty"`
	Attest           []string          `json:"attest,omitempty"`
}

// NewBake makes it of a project: a target for each enabled service with a build section, whose name has "_" where the service's
// has "."; push says whether images go to their registries. Secrets are named, never told. The error joins what is wrong with the
// build sections, as [Request]'s does.
func NewBake(p *project.Project, push bool) (Bake, error) {
	bake := Bake{Group: map[string]BakeGroup{}, Target: map[string]BakeTarget{}}
	var names []string
	problems := project.LoadError{}
	for _, name := range slices.Sorted(maps.Keys(p.Services)) {
		service := p.Services[name]
		if service.Build == nil {
			continue
		}
		b := &builder{project: p, path: "services." + name + ".build"}
		section := *service.Build
		section.SSH = nil // whoever builds has to have the agent
		withoutAgents := service
		withoutAgents.Build = &section
		request := b.request(withoutAgents)
		problems.Problems = append(problems.Problems, b.problems...)
		names = append(names, targetName(name))
		bake.Target[targetName(name)] = bakeTarget(p, service, request, push)
	}
	bake.Group["default"] = BakeGroup{Targets: names}
	if len(problems.Problems) > 0 {
		return Bake{}, &problems
	}
	return bake, nil
}

// Checking is the same for checks of the Dockerfiles, of which no images come.
func (b Bake) Checking() Bake {
	b.Target = maps.Clone(b.Target)
	for name, target := range b.Target {
		target.Call, target.Output = "lint", nil
		b.Target[name] = target
	}
	return b
}

func targetName(service string) string { return strings.ReplaceAll(service, ".", "_") }

func bakeTarget(p *project.Project, service project.Service, request engine.BuildImage, push bool) BakeTarget {
	section := service.Build
	target := BakeTarget{
		Context: request.Context, Contexts: bakeContexts(section.AdditionalContexts), Dockerfile: request.Dockerfile,
		DockerfileInline: request.DockerfileInline, Args: request.Args, Labels: request.Labels,
		// docker compose puts the service's own name behind the others.
		Tags:      append(slices.Clone(request.Tags[1:]), request.Tags[0]),
		CacheFrom: section.CacheFrom, CacheTo: section.CacheTo, Target: request.Target, Platforms: request.Platforms,
		Pull: request.Pull, NoCache: request.NoCache, NoCacheFilter: request.NoCacheFilter, Network: request.Network,
		Entitlements: request.Entitlements,
	}
	switch {
	case target.DockerfileInline != "":
		target.Dockerfile = ""
	case filepath.IsAbs(target.Context) && target.Dockerfile != "" && !filepath.IsAbs(target.Dockerfile):
		target.Dockerfile = filepath.Join(target.Context, target.Dockerfile)
	}
	for i, use := range section.Secrets {
		target.Secrets = append(target.Secrets, bakeSecret(request.Secrets[i].ID, p.Secrets[use.Source]))
	}
	for _, key := range sortedKeys(service) {
		target.SSH = append(target.SSH, key.ID+"="+key.Path)
	}
	if request.ShmSize > 0 {
		target.ShmSize = strconv.FormatInt(request.ShmSize, 10)
	}
	for _, limit := range request.Ulimits {
		text := limit.Name + "=" + strconv.FormatInt(limit.Soft, 10)
		if limit.Hard != limit.Soft {
			text += ":" + strconv.FormatInt(limit.Hard, 10)
		}
		target.Ulimits = append(target.Ulimits, text)
	}
	for _, entry := range request.ExtraHosts {
		if target.ExtraHosts == nil {
			target.ExtraHosts = map[string]string{}
		}
		name, address, _ := strings.Cut(entry, "=")
		target.ExtraHosts[name] = address
	}
	target.Output = []string{output(len(request.Platforms), push)}
	target.Attest = append(attestation("provenance", request.Provenance), attestation("sbom", request.SBOM)...)
	return target
}

func bakeContexts(contexts map[string]string) map[string]string {
	named := map[string]string{}
	for name, place := range contexts {
		if other, ok := strings.CutPrefix(place, project.ServicePrefix); ok {
			place = "target:" + targetName(other)
		}
		named[name] = place
	}
	return named
}

// bakeSecret says where a secret is to be found.
func bakeSecret(id string, secret project.Secret) string {
	if secret.Environment != "" {
		return "id=" + id + ",type=env,env=" + secret.Environment
	}
	return "id=" + id + ",type=file,src=" + secret.File
}

func output(platforms int, push bool) string {
	switch {
	case push:
		return "type=registry"
	case platforms > 1:
		return "type=image,push=false"
	}
	return "type=docker"
}

// attestation is what an attribute asks for; nothing where it is empty.
func attestation(kind, options string) []string {
	wanted, err := strconv.ParseBool(options)
	switch {
	case options == "":
		return nil
	case err != nil:
		return []string{"type=" + kind + "," + options}
	case wanted:
		return []string{"type=" + kind}
	}
	return []string{"type=" + kind + ",disabled=true"}
}
