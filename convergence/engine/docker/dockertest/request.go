package dockertest

import (
	"cmp"
	"maps"
	"net/http"
	"strings"
	"time"

	apicontainer "github.com/docker/docker/api/types/container"
	"github.com/docker/go-connections/nat"
)

// checkRequest is what the engine refuses before it looks at anything else.
func checkRequest(request apicontainer.CreateRequest) error {
	host := request.HostConfig
	if err := apicontainer.ValidateRestartPolicy(host.RestartPolicy); err != nil {
		return fail(http.StatusBadRequest, "%v", err)
	}
	const leastMemory = 6 << 20
	if host.Memory != 0 && host.Memory < leastMemory {
		return fail(http.StatusBadRequest, "Minimum memory limit allowed is 6MB")
	}
	if err := checkHealth(request.Healthcheck); err != nil {
		return err
	}
	for _, bindings := range host.PortBindings {
		for _, binding := range bindings {
			if _, _, err := nat.ParsePortRangeToInt(binding.HostPort); err != nil {
				return fail(http.StatusBadRequest, "invalid port specification: %q", binding.HostPort)
			}
		}
	}
	if host.NetworkMode.IsContainer() {
		switch {
		case len(host.PortBindings) > 0:
			return fail(http.StatusBadRequest, "conflicting options: port publishing and the container type network mode")
		case len(request.ExposedPorts) > 0:
			return fail(http.StatusBadRequest, "conflicting options: port exposing and the container type network mode")
		case request.Hostname != "":
			return fail(http.StatusBadRequest, "conflicting options: hostname and the network mode")
		}
	}
	return nil
}

func checkHealth(check *apicontainer.HealthConfig) error {
	if check == nil {
		return nil
	}
	for name, value := range map[string]time.Duration{
		"Interval": check.Interval, "Timeout": check.Timeout, "StartPeriod": check.StartPeriod, "StartInterval": check.StartInterval,
	} {
		if value != 0 && value < time.Millisecond {
			return fail(http.StatusBadRequest, "%s in Healthcheck cannot be less than 1ms", name)
		}
	}
	if check.Retries < 0 {
		return fail(http.StatusBadRequest, "Retries in Healthcheck cannot be negative")
	}
	return nil
}

// merge adds to a request what the image says and the request leaves open.
func merge(config *apicontainer.Config, i *image) {
	if len(config.Entrypoint) == 0 {
		config.Entrypoint = i.Entrypoint
		if len(config.Cmd) == 0 {
			config.Cmd = i.Cmd
		}
	}
	config.User = cmp.Or(config.User, i.User)
	config.WorkingDir = cmp.Or(config.WorkingDir, i.WorkingDir)
	config.StopSignal = cmp.Or(config.StopSignal, i.StopSignal)
	config.Env = mergeEnvironment(i.Env, config.Env)
	config.Healthcheck = mergeHealth(config.Healthcheck, i.HealthCheck)
	labels := maps.Clone(i.Labels)
	if labels == nil {
		labels = map[string]string{}
	}
	maps.Copy(labels, config.Labels)
	config.Labels = labels
	for _, port := range i.Expose {
		if config.ExposedPorts == nil {
			config.ExposedPorts = nat.PortSet{}
		}
		config.ExposedPorts[completePort(port)] = struct{}{}
	}
	for _, target := range i.Volumes {
		if config.Volumes == nil {
			config.Volumes = map[string]struct{}{}
		}
		config.Volumes[target] = struct{}{}
	}
}

// mergeEnvironment puts the image's variables after the request's, but for those that the request names too.
func mergeEnvironment(fromImage, asked []string) []string {
	named := map[string]bool{}
	merged := append([]string{}, asked...)
	for _, entry := range asked {
		name, _, _ := strings.Cut(entry, "=")
		named[name] = true
	}
	for _, entry := range fromImage {
		if name, _, _ := strings.Cut(entry, "="); !named[name] {
			merged = append(merged, entry)
		}
	}
	return merged
}

func mergeHealth(asked, fromImage *apicontainer.HealthConfig) *apicontainer.HealthConfig {
	switch {
	case asked == nil:
		return fromImage
	case fromImage == nil:
		return asked
	}
	merged := *asked
	if len(merged.Test) == 0 {
		merged.Test = fromImage.Test
	}
	for own, theirs := range map[*time.Duration]time.Duration{
		&merged.Interval: fromImage.Interval, &merged.Timeout: fromImage.Timeout,
		&merged.StartPeriod: fromImage.StartPeriod, &merged.StartInterval: fromImage.StartInterval,
	} {
		if *own == 0 {
			*own = theirs
		}
	}
	if merged.Retries == 0 {
		merged.Retries = fromImage.Retries
	}
	return &merged
}
