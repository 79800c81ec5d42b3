package project

import (
	"strconv"
	"strings"
)

// Labels that docker compose puts on what it makes, and Muster too, key for key: they are how a project is found again,
// by either tool and by everything that reads them.
const (
	LabelProject         = "com.docker.compose.project"
	LabelService         = "com.docker.compose.service"
	LabelVersion         = "com.docker.compose.version"
	LabelWorkingDir      = "com.docker.compose.project.working_dir"
	LabelConfigFiles     = "com.docker.compose.project.config_files"
	LabelEnvironmentFile = "com.docker.compose.project.environment_file"
	LabelOneOff          = "com.docker.compose.oneoff"
	LabelConfigHash      = "com.docker.compose.config-hash"
	LabelNumber          = "com.docker.compose.container-number"
	LabelDependsOn       = "com.docker.compose.depends_on"
	LabelImage           = "com.docker.compose.image"
	LabelReplace         = "com.docker.compose.replace"
	LabelSlug            = "com.docker.compose.slug"
	LabelNetwork         = "com.docker.compose.network"
	LabelVolume          = "com.docker.compose.volume"
	// LabelHook is on the containers of hooks, which are nobody's replicas: its value is the kind of hook.
	LabelHook = "com.docker.compose.hook"

	// LabelAnonymous is the engine's own mark on a volume that it named itself.
	LabelAnonymous = "com.docker.volume.anonymous"

	// LabelSpec holds what makes a container, network or volume "the same", field by field: see [Fingerprint].
	LabelSpec = "dev.muster.spec"
	// LabelFiles is on volumes that hold the secrets and configs of one container, and go with it, and on the containers through which
	// they are filled. Its value is the project.
	LabelFiles = "dev.muster.files"
	// LabelHooks holds the service's post_start and pre_stop hooks, see [Hooks]: a stop finds them where there is no file.
	LabelHooks = "dev.muster.hooks"
	// LabelDeploy is the number of the `up` that made the object, counted per project from 1.
	LabelDeploy = "dev.muster.deploy"
	// LabelLock is on the volume that is a project's lock while something changes the project. Its value is the project; the labels that
	// begin with it say who holds the lock. The volume is none of the project's and lacks docker compose's labels.
	LabelLock = "dev.muster.lock"
	// LabelWhy holds why the container was made, see [Why].
	LabelWhy = "dev.muster.why"
)

// ComposeVersion is the docker compose version whose labels, names and config hash Muster writes. It is the value of
// [LabelVersion], because readers of that label want to know how to read its neighbours.
const ComposeVersion = "5.5.0"

// ServiceLabels are docker compose's labels of any container of the service, one-off or not, without those that depend on
// the replica or the image (number, image digest, config hash).
func ServiceLabels(p *Project, service Service) Labels {
	labels := Labels{
		LabelProject:     p.Name,
		LabelService:     service.Name,
		LabelVersion:     ComposeVersion,
		LabelWorkingDir:  p.WorkingDir,
		LabelConfigFiles: strings.Join(p.ComposeFiles, ","),
		LabelOneOff:      "False",
		LabelDependsOn:   dependsOnLabel(p, service),
	}
	if len(p.EnvFiles) > 0 {
		labels[LabelEnvironmentFile] = strings.Join(p.EnvFiles, ",")
	}
	return labels
}

// dependsOnLabel is `dep:condition:restart`, comma-separated, in the order of the names, without what need not be there and is not.
// docker compose writes them in random order and nobody reads them as ordered.
func dependsOnLabel(p *Project, service Service) string {
	var entries []string
	for _, name := range keys(service.DependsOn) {
		dependency := service.DependsOn[name]
		if _, enabled := p.Services[name]; enabled || dependency.Required {
			entries = append(entries, name+":"+dependency.Condition+":"+strconv.FormatBool(dependency.Restart))
		}
	}
	return strings.Join(entries, ",")
}

// ParseDependsOnLabel reads [LabelDependsOn] back; entries that do not parse are left out.
func ParseDependsOnLabel(value string) map[string]Dependency {
	dependencies := map[string]Dependency{}
	for entry := range strings.SplitSeq(value, ",") {
		name, rest, _ := strings.Cut(entry, ":")
		if name == "" {
			continue
		}
		condition, restart, _ := strings.Cut(rest, ":")
		if condition == "" {
			condition = ConditionStarted
		}
		dependencies[name] = Dependency{Condition: condition, Restart: restart == "true", Required: true}
	}
	return dependencies
}
