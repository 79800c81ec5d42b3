// Package build makes the requests with which the images of a project's services are built. It is pure: what a request needs to
// know is in the project, and whether files are there is for the engine's adapter to find out.
package build

import (
	"cmp"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/project"
)

// Request is the request for a service's image, which gets the name that [project.Project.ImageName] has for it, and
// build.tags. The service has a build section. What is not honoured is left out: [Unsupported] tells it. An error is a
// [*project.LoadError] with the places of what is wrong.
func Request(p *project.Project, service project.Service) (engine.BuildImage, error) {
	b := &builder{project: p, path: "services." + service.Name + ".build"}
	request := b.request(service)
	if len(b.problems) > 0 {
		return engine.BuildImage{}, &project.LoadError{Problems: b.problems}
	}
	return request, nil
}

type builder struct {
	project  *project.Project
	path     string // of the build section
	problems []project.Problem
}

func (b *builder) report(path, message, hint string) {
	b.problems = append(b.problems, project.Problem{
		Position: b.project.Place(path), Path: path, Message: message, Hint: hint,
	})
}

func (b *builder) request(service project.Service) engine.BuildImage {
	section := service.Build
	return engine.BuildImage{
		Service:            service.Name,
		Context:            section.Context,
		Dockerfile:         section.Dockerfile,
		DockerfileInline:   section.DockerfileInline,
		Target:             section.Target,
		Args:               b.arguments(service),
		Tags:               b.tags(service),
		Labels:             b.labels(service),
		Network:            section.Network,
		ExtraHosts:         slices.Sorted(slices.Values(section.ExtraHosts.AsList("="))),
		ShmSize:            int64(section.ShmSize),
		Ulimits:            ulimits(service),
		Pull:               section.Pull,
		NoCache:            section.NoCache,
		NoCacheFilter:      section.NoCacheFilter,
		CacheFrom:          b.caches(section.CacheFrom),
		CacheTo:            b.caches(section.CacheTo),
		Platforms:          b.platforms(service),
		Secrets:            b.secrets(service),
		SSH:                b.ssh(service),
		AdditionalContexts: b.contexts(service),
		ImageContexts:      b.imageContexts(service),
		Entitlements:       entitlements(service),
		Provenance:         section.Provenance,
		SBOM:               section.SBOM,
	}
}

// arguments are build.args; one without a value has it from the environment, or is not set.
func (b *builder) arguments(service project.Service) map[string]string {
	arguments := map[string]string{}
	for name, value := range service.Build.Args {
		if value != nil {
			arguments[name] = *value
		} else if inherited, ok := b.project.Environment[name]; ok {
			arguments[name] = inherited
		}
	}
	return arguments
}

// tags are the image's name and build.tags, each once.
func (b *builder) tags(service project.Service) []string {
	name := b.project.ImageName(service)
	if strings.Contains(name, "@") {
		b.report("services."+service.Name+".image", "a build cannot be given a digest as its name", "leave out what follows the @")
	}
	tags := []string{name}
	for _, tag := range service.Build.Tags {
		if !slices.Contains(tags, tag) {
			tags = append(tags, tag)
		}
	}
	return tags
}

// labels are build.labels and docker compose's own, by which images are found again.
func (b *builder) labels(service project.Service) map[string]string {
	labels := map[string]string{}
	maps.Copy(labels, service.Build.Labels)
	labels[project.LabelProject] = b.project.Name
	labels[project.LabelService] = service.Name
	labels[project.LabelVersion] = project.ComposeVersion
	return labels
}

// platforms are the one that the service runs on, as `platform` or DOCKER_DEFAULT_PLATFORM has it, else build.platforms.
func (b *builder) platforms(service project.Service) []string {
	wanted := b.project.PlatformOf(service)
	listed := service.Build.Platforms
	switch {
	case wanted == "":
		return listed
	case len(listed) > 0 && !slices.Contains(listed, wanted):
		b.report(b.path+".platforms", "must include "+wanted+", which DOCKER_DEFAULT_PLATFORM asks for", "add it, or set platform")
	}
	return []string{wanted}
}

func ulimits(service project.Service) []engine.Ulimit {
	var limits []engine.Ulimit
	for _, name := range slices.Sorted(maps.Keys(service.Build.Ulimits)) {
		limit := engine.Ulimit{Name: name}
		if value := service.Build.Ulimits[name]; value != nil {
			limit.Soft, limit.Hard = int64(value.Soft), int64(value.Hard)
			if value.Single != 0 {
				limit.Soft, limit.Hard = int64(value.Single), int64(value.Single)
			}
		}
		limits = append(limits, limit)
	}
	return limits
}

// secrets are build.secrets; what the Dockerfile calls one is its target, else its name.
func (b *builder) secrets(service project.Service) []engine.BuildSecret {
	var secrets []engine.BuildSecret
	for _, use := range service.Build.Secrets {
		path := b.path + ".secrets." + use.Source
		found, known := b.project.Secrets[use.Source]
		secret := engine.BuildSecret{ID: use.Source, File: found.File}
		if use.Target != "" {
			secret.ID = use.Target
		}
		value, isSet := b.project.Environment[found.Environment]
		switch {
		case !known:
			b.report(path, `there is no secret "`+use.Source+`"`, "add it to secrets at the end of the file")
		case bool(found.External):
			b.report(path, "an external secret cannot be used in a build", "give it a file or environment")
		case found.Environment != "" && !isSet:
			b.report(path, `the variable "`+found.Environment+`" that it is to hold is not set`, "")
		case found.Environment != "":
			secret.Content = []byte(value)
		}
		secrets = append(secrets, secret)
	}
	return secrets
}

// ssh are build.ssh; one without a path is the agent of the environment.
func (b *builder) ssh(service project.Service) []engine.BuildSSH {
	var agents []engine.BuildSSH
	for _, key := range sortedKeys(service) {
		path := key.Path
		if path == "" {
			path = b.project.Environment["SSH_AUTH_SOCK"]
		}
		if path == "" {
			b.report(b.path+".ssh", `"`+key.ID+`" is to be the SSH agent, and there is none: SSH_AUTH_SOCK is not set`,
				"start one (eval $(ssh-agent); ssh-add), or name a key: "+key.ID+"=PATH")
		}
		agents = append(agents, engine.BuildSSH{ID: key.ID, Paths: []string{path}})
	}
	return agents
}

// sortedKeys are build.ssh by ID: those of a file's map come in any order.
func sortedKeys(service project.Service) []project.SSHKey {
	return slices.SortedFunc(slices.Values(service.Build.SSH), func(a, b project.SSHKey) int { return cmp.Compare(a.ID, b.ID) })
}

// contexts are build.additional_contexts, but for the images of services.
func (b *builder) contexts(service project.Service) map[string]string {
	const layout = "oci-layout://"
	contexts := map[string]string{}
	for name, place := range service.Build.AdditionalContexts {
		if strings.HasPrefix(place, project.ServicePrefix) {
			continue
		}
		if folder, ok := strings.CutPrefix(place, layout); ok {
			place = layout + b.absolute(folder)
		}
		contexts[name] = place
	}
	return contexts
}

// imageContexts are those of build.additional_contexts that are the images of services.
func (b *builder) imageContexts(service project.Service) map[string]string {
	images := map[string]string{}
	for name, place := range service.Build.AdditionalContexts {
		other, ok := strings.CutPrefix(place, project.ServicePrefix)
		if !ok {
			continue
		}
		found, known := b.project.AllServices()[other]
		if !known {
			b.report(b.path+".additional_contexts."+name, `there is no service "`+other+`"`, "")
			continue
		}
		images[name] = b.project.ImageName(found)
	}
	return images
}

// absolute is a path that counts from the project's folder.
func (b *builder) absolute(path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(b.project.WorkingDir, path)
}

func entitlements(service project.Service) []string {
	const insecure = "security.insecure"
	wanted := slices.Clone(service.Build.Entitlements)
	if service.Build.Privileged && !slices.Contains(wanted, insecure) {
		wanted = append(wanted, insecure)
	}
	return wanted
}
