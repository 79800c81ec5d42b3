package project

import "strconv"

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

// ImageName is the image of a service: its `image`, or the name that a build of it is tagged with.
func (p *Project) ImageName(service Service) string {
	if service.Image != "" {
		return service.Image
	}
	return p.Name + p.Separator() + service.Name
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

// IsReplacementName says whether the name is [ReplacementName] of the final name, for whatever old container.
func IsReplacementName(name, finalName string) bool {
	const prefix = 12
	if len(name) != prefix+1+len(finalName) || name[prefix] != '_' || name[prefix+1:] != finalName {
		return false
	}
	for _, c := range name[:prefix] {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

func shortID(id string) string {
	const length = 12
	if len(id) > length {
		return id[:length]
	}
	return id
}
