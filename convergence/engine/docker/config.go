package docker

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/strslice"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/project"
)

// containerConfig is the part of a create request that travels with the container: its process, and what it says of itself.
func containerConfig(request engine.CreateContainer, proxies map[string]string) (*container.Config, error) {
	service := request.Service
	exposed, err := exposedPorts(service)
	if err != nil {
		return nil, err
	}
	return &container.Config{
		Hostname:     service.Hostname,
		Domainname:   service.DomainName,
		User:         service.User,
		ExposedPorts: exposed,
		Tty:          service.Tty,
		OpenStdin:    service.StdinOpen,
		AttachStdin:  request.Attached && service.StdinOpen,
		StdinOnce:    request.Attached && service.StdinOpen,
		AttachStdout: true,
		AttachStderr: true,
		Env:          environment(service, proxies),
		Cmd:          strslice.StrSlice(service.Command),
		Entrypoint:   strslice.StrSlice(service.Entrypoint),
		Healthcheck:  healthConfig(service.HealthCheck),
		Image:        request.Image,
		WorkingDir:   service.WorkingDir,
		Labels:       request.Labels,
		StopSignal:   service.StopSignal,
		StopTimeout:  wholeSeconds(gracePeriod(service)),
		// The container-wide address is for APIs below 1.44; the client library drops it above, where the endpoint has it.
		MacAddress: primaryMAC(request), //nolint:staticcheck // deprecated above API 1.44, the only way below
	}, nil
}

// primaryMAC is the address that the container has in its first network.
func primaryMAC(request engine.CreateContainer) string {
	if len(request.Networks) > 0 && request.Networks[0].Options != nil && request.Networks[0].Options.MacAddress != "" {
		return request.Networks[0].Options.MacAddress
	}
	return request.Service.MacAddress
}

func gracePeriod(service project.Service) *time.Duration {
	return (*time.Duration)(service.StopGracePeriod)
}

// environment is the service's, over the proxies from the docker CLI's configuration; sorted, so that a request is always the
// same bytes. A variable without a value removes the image's.
func environment(service project.Service, proxies map[string]string) []string {
	entries := make([]string, 0, len(service.Environment)+len(proxies))
	for _, key := range slices.Sorted(maps.Keys(proxies)) {
		if _, set := service.Environment[key]; !set {
			entries = append(entries, key+"="+proxies[key])
		}
	}
	for _, key := range slices.Sorted(maps.Keys(service.Environment)) {
		if value := service.Environment[key]; value != nil {
			entries = append(entries, key+"="+*value)
		} else {
			entries = append(entries, key)
		}
	}
	return entries
}

// healthConfig is nil where the file says nothing: then the image's health check counts.
func healthConfig(check *project.HealthCheck) *container.HealthConfig {
	if check == nil {
		return nil
	}
	if check.Disable {
		return &container.HealthConfig{Test: []string{"NONE"}}
	}
	config := &container.HealthConfig{Test: check.Test}
	for source, target := range map[*project.Duration]*time.Duration{
		check.Interval: &config.Interval, check.Timeout: &config.Timeout,
		check.StartPeriod: &config.StartPeriod, check.StartInterval: &config.StartInterval,
	} {
		if source != nil {
			*target = time.Duration(*source)
		}
	}
	if check.Retries != nil {
		config.Retries = int(*check.Retries)
	}
	return config
}

func invalid(format string, arguments ...any) error {
	return fmt.Errorf(format+": %w", append(arguments, engine.ErrInvalid)...)
}
