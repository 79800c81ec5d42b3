package project

import (
	"cmp"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/format"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/mattn/go-shellwords"
)

// OneOff is what a command line says about a container beside a service's replicas; what is left empty is the service's own.
type OneOff struct {
	Name       string // of the container
	Command    []string
	Entrypoint *string // shell words; empty takes the image's away. With it the service's command does not count.
	User       string
	WorkingDir string
	// Variables are KEY=VALUE, or KEY for the value that it has in Env or in the project's environment; one that has none is left
	// out. EnvFiles come before them.
	Variables, EnvFiles []string
	Env                 []string // of the caller, KEY=VALUE
	Labels              []string // KEY=VALUE
	Volumes             []string // short form; relative paths are below Dir
	Dir                 string
	Ports               []string // short form, in place of the service's
	ServicePorts        bool     // publishes the service's
	CapAdd, CapDrop     []string
	Tty, Stdin          bool
}

// Slug is a one-off's random name, 64 hexadecimal digits.
func Slug() string {
	const bytes = 32
	random := make([]byte, bytes)
	_, _ = rand.Read(random) // it never fails
	return hex.EncodeToString(random)
}

// OneOffName is what a one-off's container is called where nobody names it: project, service and the beginning of its slug.
func (p *Project) OneOffName(service, slug string) string {
	return strings.Join([]string{p.Name, service, "run", shortID(slug)}, p.Separator())
}

// WithOneOff is the project with a service as a one-off of it has it: one replica, that nobody starts again, with no other hooks than
// those after its start. A volume that the command line names and the project does not have is there as an external one: it is the
// engine's, which makes it where it is missing. The project itself stays as it is.
func (p *Project) WithOneOff(name string, one OneOff) (*Project, error) {
	changed := p.withServices()
	service, ok := changed.Services[name]
	if !ok {
		return nil, &UnknownServiceError{Service: name, Suggestion: nearest(name, keys(p.AllServices()))}
	}
	if service.Provider != nil {
		return nil, fmt.Errorf("service %q is its provider's (%s): it has no containers to run a command in", name, service.Provider.Type)
	}
	replicas := 1
	service.Scale, service.Restart, service.PreStart = &replicas, "", nil
	if service.Deploy != nil {
		deploy := *service.Deploy
		deploy.RestartPolicy, deploy.Replicas, deploy.Mode = nil, nil, ""
		service.Deploy = &deploy
	}
	service.ContainerName, service.Tty, service.StdinOpen = one.Name, one.Tty, one.Stdin
	service.User = cmp.Or(one.User, service.User)
	service.WorkingDir = cmp.Or(one.WorkingDir, service.WorkingDir)
	one.setCapabilities(&service)
	for _, set := range []func(*Service) error{one.setProgram, one.setLabels, one.setVolumes, one.setPorts} {
		if err := set(&service); err != nil {
			return nil, err
		}
	}
	if err := one.setEnvironment(p, &service); err != nil {
		return nil, err
	}
	changed.Services[name] = service
	changed.Volumes = maps.Clone(p.Volumes)
	if changed.Volumes == nil {
		changed.Volumes = types.Volumes{}
	}
	for _, mount := range service.Volumes {
		if _, ours := changed.Volumes[mount.Source]; !ours && mount.Type == MountVolume && mount.Source != "" {
			changed.Volumes[mount.Source] = Volume{Name: mount.Source, External: true}
		}
	}
	return changed, nil
}

func (o OneOff) setProgram(service *Service) error {
	if o.Entrypoint != nil {
		words, err := shellwords.Parse(*o.Entrypoint)
		if err != nil {
			return fmt.Errorf("invalid --entrypoint %q: %w", *o.Entrypoint, err)
		}
		service.Entrypoint, service.Command = append(types.ShellCommand{}, words...), types.ShellCommand{}
	}
	if len(o.Command) > 0 {
		service.Command = o.Command
	}
	return nil
}

func (o OneOff) setCapabilities(service *Service) {
	without := func(list, names []string) []string {
		return slices.DeleteFunc(slices.Clone(list), func(name string) bool { return slices.Contains(names, name) })
	}
	service.CapAdd = slices.Concat(without(service.CapAdd, o.CapDrop), o.CapAdd)
	service.CapDrop = slices.Concat(without(service.CapDrop, o.CapAdd), o.CapDrop)
}

func (o OneOff) setLabels(service *Service) error {
	labels := maps.Clone(service.Labels)
	for _, entry := range o.Labels {
		name, value, _ := strings.Cut(entry, "=")
		if name == "" {
			return fmt.Errorf("label must be set as KEY=VALUE, not %q", entry)
		}
		labels = labels.Add(name, value)
	}
	service.Labels = labels
	return nil
}

func (o OneOff) setPorts(service *Service) error {
	if !o.ServicePorts {
		service.Ports = nil
	}
	for _, text := range o.Ports {
		ports, err := types.ParsePortConfig(text)
		if err != nil {
			return fmt.Errorf("invalid --publish %q: %w", text, err)
		}
		service.Ports = append(service.Ports, ports...)
	}
	return nil
}

// setVolumes puts the command line's mounts in the place of the service's.
func (o OneOff) setVolumes(service *Service) error {
	var mounts []Mount
	taken := map[string]bool{}
	for _, text := range o.Volumes {
		mount, err := format.ParseVolume(text)
		if err != nil {
			return fmt.Errorf("invalid --volume %q: %w", text, err)
		}
		if mount.Type == MountBind && !filepath.IsAbs(mount.Source) && !path.IsAbs(mount.Source) {
			mount.Source = filepath.Join(o.Dir, mount.Source)
		}
		taken[path.Clean(mount.Target)] = true
		mounts = append(mounts, mount)
	}
	for _, mount := range service.Volumes {
		if !taken[path.Clean(mount.Target)] {
			mounts = append(mounts, mount)
		}
	}
	service.Volumes = mounts
	return nil
}

// known are the project's variables with the caller's over them.
func (o OneOff) known(p *Project) map[string]string {
	known := map[string]string{}
	maps.Copy(known, p.Environment)
	for _, entry := range o.Env {
		name, value, _ := strings.Cut(entry, "=")
		known[name] = value
	}
	return known
}

// setEnvironment lays env files, and then the command line's variables, over the service's.
func (o OneOff) setEnvironment(p *Project, service *Service) error {
	known := o.known(p)
	files := make([]string, len(o.EnvFiles))
	for i, file := range o.EnvFiles {
		if files[i] = file; !filepath.IsAbs(file) {
			files[i] = filepath.Join(o.Dir, file)
		}
	}
	read, err := readEnvFiles(known, files, o.Dir)
	if err != nil {
		return err
	}
	environment := types.MappingWithEquals{}
	maps.Copy(environment, service.Environment)
	for name, value := range read {
		environment[name] = &value
	}
	for _, entry := range o.Variables {
		name, value, given := strings.Cut(entry, "=")
		if name == "" {
			return fmt.Errorf("invalid environment variable: %s", entry)
		}
		if !given {
			if value, given = known[name]; !given {
				continue
			}
		}
		environment[name] = &value
	}
	service.Environment = environment
	return nil
}
