package project

import (
	"slices"
	"strconv"
	"strings"

	"github.com/distribution/reference"
)

// Separator is what stands between the parts of a container's name.
func (p *Project) Separator() string {
	if p.Compatibility {
		return "_"
	}
	return "-"
}

// ContainerName is the name of a replica: container_name where the file gives one, else project, service and number.
func (p *Project) ContainerName(service Service, number int) string {
	if service.ContainerName != "" {
		return service.ContainerName
	}
	return p.Name + p.Separator() + service.Name + p.Separator() + strconv.Itoa(number)
}

// ServiceOfContainer is the enabled service whose first replica has a name.
func (p *Project) ServiceOfContainer(name string) (service string, ok bool) {
	for _, candidate := range p.Services {
		if candidate.GetScale() > 0 && p.ContainerName(candidate, 1) == name {
			return candidate.Name, true
		}
	}
	return "", false
}

// ImageName is the image of a service: its `image`, or the name that a build of it is tagged with.
func (p *Project) ImageName(service Service) string {
	if service.Image != "" {
		return service.Image
	}
	return p.Name + p.Separator() + service.Name
}

// FamiliarImage is an image's reference as engines list it: "nginx" is "nginx:latest", "docker.io/library/nginx:1" is "nginx:1". What
// is no reference stays as it is.
func FamiliarImage(name string) string {
	named, err := reference.ParseNormalizedNamed(name)
	if err != nil {
		return name
	}
	if digested, ok := named.(reference.Digested); ok {
		return reference.FamiliarName(named) + "@" + digested.Digest().String()
	}
	return reference.FamiliarString(reference.TagNameOnly(named))
}

// IsBuiltName says whether a familiar reference is the one that a build gets where the file names no image.
func IsBuiltName(familiar, projectName, service string) bool {
	return familiar == projectName+"-"+service+":latest" || familiar == projectName+"_"+service+":latest"
}

// BuildContexts are the services whose images a service's build has as contexts (`additional_contexts: service:`), sorted.
func BuildContexts(service Service) []string {
	if service.Build == nil {
		return nil
	}
	var names []string
	for _, context := range service.Build.AdditionalContexts {
		if name, ok := strings.CutPrefix(context, ServicePrefix); ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// BuiltServices are the enabled services with a build section, and those whose images these have as contexts, which need not be
// enabled: to be built is not to be started.
func (p *Project) BuiltServices() map[string]Service {
	built := map[string]Service{}
	var add func(service Service)
	add = func(service Service) {
		if _, known := built[service.Name]; known || service.Build == nil {
			return
		}
		built[service.Name] = service
		for _, name := range BuildContexts(service) {
			add(p.AllServices()[name])
		}
	}
	for _, service := range p.Services {
		add(service)
	}
	return built
}

// ReplacementName is the name under which a new container is created while the one that it replaces still has the final
// name: the first twelve characters of the old one's ID, then the final name, as docker compose has it.
func ReplacementName(oldID, finalName string) string {
	return shortID(oldID) + "_" + finalName
}

// RetiredName is the name that a replaced container carries between giving its own away and being removed.
func RetiredName(oldID, finalName string) string {
	return finalName + "_retired_" + shortID(oldID)
}

// IsTemporaryName says whether a name is one that a container only has in the middle of a replacement: [ReplacementName] or
// [RetiredName] of the final name, for whatever old container.
func IsTemporaryName(name, finalName string) bool {
	if prefix, ok := strings.CutSuffix(name, "_"+finalName); ok && isShortID(prefix) {
		return true
	}
	suffix, ok := strings.CutPrefix(name, RetiredName("", finalName))
	return ok && isShortID(suffix)
}

// PermanentName is the final name of a container that may have one of those: a name that is none comes back as it is.
func PermanentName(name string) string {
	final := ""
	if end := len(name) - shortIDLength; end > 0 {
		final = strings.TrimSuffix(name[:end], RetiredName("", ""))
	}
	if final == "" || !IsTemporaryName(name, final) {
		_, final, _ = strings.Cut(name, "_")
	}
	if final == "" || !IsTemporaryName(name, final) {
		return name
	}
	return final
}

func isShortID(text string) bool {
	return len(text) == shortIDLength && strings.Trim(text, "0123456789abcdef") == ""
}

const shortIDLength = 12

func shortID(id string) string {
	if len(id) > shortIDLength {
		return id[:shortIDLength]
	}
	return id
}
