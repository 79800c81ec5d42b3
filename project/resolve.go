package project

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/compose-spec/compose-go/v2/types"
)

// resolver reads the env files and label files of services into their environment and labels. It does what the library's
// functions do, and keeps the size limit, knows the format "raw", and tells all problems with their places.
type resolver struct {
	project  *Project
	folder   string
	contents map[string][]byte
	problems []Problem
}

// resolveFiles resolves the enabled services, in place.
func (p *Project) resolveFiles(folder string) error {
	r := &resolver{project: p, folder: folder, contents: map[string][]byte{}}
	p.fromFile = map[string]bool{}
	for _, name := range keys(p.Services) {
		service := p.Services[name]
		path := "services." + name
		own := service.ContainerSpec
		r.container(&service.ContainerSpec, path)
		p.noteOrigins(name, own, service.ContainerSpec)
		for i := range service.PreStart {
			r.container(&service.PreStart[i].ContainerSpec, fmt.Sprintf("%s.pre_start[%d]", path, i))
		}
		p.Services[name] = service
	}
	return loadError(r.problems, p.places.sources())
}

// noteOrigins notes what of a service's environment and labels its files have added to its own.
func (p *Project) noteOrigins(service string, own, resolved types.ContainerSpec) {
	for name := range resolved.Environment {
		if _, ok := own.Environment[name]; !ok {
			p.fromFile[originKey(service, "environment."+name)] = true
		}
	}
	for name := range resolved.Labels {
		if _, ok := own.Labels[name]; !ok {
			p.fromFile[originKey(service, "labels."+name)] = true
		}
	}
}

// isFromFile says whether a service has a variable or a label, by its field's path, from an env file or a label file.
func (p *Project) isFromFile(service, path string) bool { return p.fromFile[originKey(service, path)] }

func originKey(service, path string) string { return service + "\x00" + path }

func (r *resolver) container(spec *types.ContainerSpec, path string) {
	r.environment(spec, path)
	if len(spec.LabelFiles) > 0 {
		r.labels(spec, path)
	}
}

// environment fills in variables without a value from the project's environment, and puts those of the env files below the
// service's own. Later files win over earlier ones.
func (r *resolver) environment(spec *types.ContainerSpec, path string) {
	variables := types.Mapping(r.project.Environment)
	own := types.MappingWithEquals{}.OverrideBy(spec.Environment).Resolve(variables.Resolve)
	if len(spec.EnvFiles) == 0 {
		if spec.Environment != nil {
			spec.Environment = own
		}
		return
	}
	merged := own.ToMapping()
	lookup := func(name string) (string, bool) {
		if value, ok := variables[name]; ok {
			return value, true
		}
		if value := own[name]; value != nil {
			return *value, true
		}
		return "", false
	}
	for i, file := range spec.EnvFiles {
		content, ok := r.read("env file", file.Path, fmt.Sprintf("%s.env_file[%d]", path, i), bool(file.Required))
		if ok {
			r.parsed(file.Path, content, parseEnv(content, merged, lookup, file.Format))
		}
	}
	spec.Environment = merged.ToMappingWithEquals().OverrideBy(own)
	spec.EnvFiles = nil
}

// labels puts the labels of the label files below the service's own. The list of files stays: docker compose's hash has it.
func (r *resolver) labels(spec *types.ContainerSpec, path string) {
	labels := types.Mapping{}
	for i, file := range spec.LabelFiles {
		if content, ok := r.read("label file", file, fmt.Sprintf("%s.label_file[%d]", path, i), true); ok {
			r.parsed(file, content, parseEnv(content, labels, labels.Resolve, ""))
		}
	}
	for name, value := range spec.Labels {
		labels[name] = value
	}
	if len(labels) > 0 {
		spec.Labels = Labels(labels)
	}
}

// read reads a file once, however many services name it.
func (r *resolver) read(kind, file, path string, required bool) ([]byte, bool) {
	if content, ok := r.contents[file]; ok {
		return content, true
	}
	content, err := readRegular(file)
	if err == nil {
		r.contents[file] = content
		return content, true
	}
	if required || !errors.Is(err, fs.ErrNotExist) {
		r.problems = append(r.problems, r.project.places.problem(path, fileMessage(kind, file, err), ""))
	}
	return nil, false
}

func (r *resolver) parsed(file string, content []byte, err error) {
	if err == nil {
		return
	}
	r.problems = append(r.problems, envProblem(displayName(r.folder, file), content, err))
}
