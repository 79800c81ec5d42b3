package docker

import (
	"cmp"
	"context"
	"errors"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/go-connections/nat"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/project"
)

// ListContainers implements [engine.Containers].
func (c *Client) ListContainers(ctx context.Context, filter engine.ContainerFilter) ([]engine.Container, error) {
	options := container.ListOptions{All: true, Filters: filters.NewArgs()}
	switch {
	case filter.Project != "":
		options.Filters.Add("label", project.LabelProject+"="+filter.Project)
	case filter.AnyProject:
		options.Filters.Add("label", project.LabelProject)
	}
	summaries, err := c.api.ContainerList(ctx, options)
	if err != nil {
		return nil, c.wrap(err)
	}
	containers := make([]engine.Container, 0, len(summaries))
	for i := range summaries {
		if one := fromSummary(&summaries[i]); one.Hook == "" || filter.Hooks {
			containers = append(containers, one)
		}
	}
	slices.SortFunc(containers, func(a, b engine.Container) int { return cmp.Compare(a.Name, b.Name) })
	return containers, nil
}

func fromSummary(summary *container.Summary) engine.Container {
	c := engine.Container{
		ID: summary.ID, Image: summary.Image, ImageID: summary.ImageID, Command: summary.Command,
		Created: time.Unix(summary.Created, 0),
		State:   engine.State(summary.State), Status: summary.Status, Labels: summary.Labels,
		NetworkMode: summary.HostConfig.NetworkMode,
		Mounts:      fromMountPoints(summary.Mounts),
	}
	if len(summary.Names) > 0 {
		c.Name = strings.TrimPrefix(ownName(summary.Names), "/")
	}
	c.Health, c.ExitCode = fromStatus(summary.Status)
	setOwner(&c)
	for _, port := range summary.Ports {
		c.Ports = append(c.Ports, engine.PublishedPort{
			HostIP: port.IP, HostPort: port.PublicPort, Port: port.PrivatePort, Protocol: port.Type,
		})
	}
	sortPorts(c.Ports)
	if summary.NetworkSettings != nil {
		c.Networks = fromEndpoints(summary.NetworkSettings.Networks)
	}
	return c
}

// ownName picks the container's own name: the others are links that other containers have to it, "/web/db".
func ownName(names []string) string {
	for _, name := range names {
		if !strings.Contains(strings.TrimPrefix(name, "/"), "/") {
			return name
		}
	}
	return names[0]
}

// setOwner reads whose the container is from its labels.
func setOwner(c *engine.Container) {
	c.Project = c.Labels[project.LabelProject]
	c.Service = c.Labels[project.LabelService]
	c.Number, _ = strconv.Atoi(c.Labels[project.LabelNumber])
	c.OneOff = c.Labels[project.LabelOneOff] == "True"
	c.Hook = c.Labels[project.LabelHook]
}

var exitStatus = regexp.MustCompile(`^(?:Exited|Restarting) \((\d+)\)`)

// fromStatus reads health and exit code out of the engine's words, "Up 3 minutes (healthy)" or "Exited (1) 2 hours ago": a
// list has no fields for them below API 1.52, and asking for each container would cost a call per container.
func fromStatus(status string) (health engine.Health, exitCode int) {
	switch {
	case strings.HasSuffix(status, "(healthy)"):
		health = engine.HealthHealthy
	case strings.HasSuffix(status, "(unhealthy)"):
		health = engine.HealthUnhealthy
	case strings.HasSuffix(status, "(health: starting)"):
		health = engine.HealthStarting
	}
	if match := exitStatus.FindStringSubmatch(status); match != nil {
		exitCode, _ = strconv.Atoi(match[1])
	}
	return health, exitCode
}

func fromMountPoints(points []container.MountPoint) []engine.MountPoint {
	mounts := make([]engine.MountPoint, 0, len(points))
	for _, point := range points {
		mounts = append(mounts, engine.MountPoint{
			Type: string(point.Type), Name: point.Name, Source: point.Source, Target: point.Destination, ReadOnly: !point.RW,
		})
	}
	slices.SortFunc(mounts, func(a, b engine.MountPoint) int { return cmp.Compare(a.Target, b.Target) })
	return mounts
}

func fromEndpoints(endpoints map[string]*network.EndpointSettings) []engine.Attachment {
	attachments := make([]engine.Attachment, 0, len(endpoints))
	for name, endpoint := range endpoints {
		attachment := engine.Attachment{Network: name}
		if endpoint != nil {
			attachment.NetworkID, attachment.IPv4 = endpoint.NetworkID, endpoint.IPAddress
		}
		attachments = append(attachments, attachment)
	}
	slices.SortFunc(attachments, func(a, b engine.Attachment) int { return cmp.Compare(a.Network, b.Network) })
	return attachments
}

func sortPorts(ports []engine.PublishedPort) {
	slices.SortFunc(ports, func(a, b engine.PublishedPort) int {
		return cmp.Or(cmp.Compare(a.Port, b.Port), cmp.Compare(a.Protocol, b.Protocol),
			cmp.Compare(a.HostIP, b.HostIP), cmp.Compare(a.HostPort, b.HostPort))
	})
}

// InspectContainer implements [engine.Containers].
func (c *Client) InspectContainer(ctx context.Context, ref string) (engine.ContainerDetails, error) {
	answer, err := c.api.ContainerInspect(ctx, ref)
	if err != nil {
		return engine.ContainerDetails{}, c.wrap(err)
	}
	return fromInspect(&answer), nil
}

func fromInspect(answer *container.InspectResponse) engine.ContainerDetails {
	details := engine.ContainerDetails{
		Container: engine.Container{
			ID: answer.ID, Name: strings.TrimPrefix(answer.Name, "/"), ImageID: answer.Image,
			Created: parseTime(answer.Created), Mounts: fromMountPoints(answer.Mounts),
		},
		RestartCount: answer.RestartCount,
	}
	if answer.Config != nil {
		details.Image, details.Labels, details.Tty = answer.Config.Image, answer.Config.Labels, answer.Config.Tty
		details.OpenStdin, details.StdinOnce = answer.Config.OpenStdin, answer.Config.StdinOnce
		details.Environment = make(map[string]string, len(answer.Config.Env))
		for _, entry := range answer.Config.Env {
			key, value, _ := strings.Cut(entry, "=")
			details.Environment[key] = value
		}
	}
	setOwner(&details.Container)
	if answer.HostConfig != nil {
		details.NetworkMode = string(answer.HostConfig.NetworkMode)
		policy := answer.HostConfig.RestartPolicy
		details.Restart = engine.RestartPolicy{Name: string(policy.Name), MaxRetries: policy.MaximumRetryCount}
	}
	if answer.NetworkSettings != nil {
		details.Networks = fromEndpoints(answer.NetworkSettings.Networks)
		details.Endpoints = askedEndpoints(answer.NetworkSettings.Networks)
		details.Ports = fromPortMap(answer.NetworkSettings.Ports)
	}
	setState(&details, answer)
	return details
}

// fromPortMap gives an inspect's ports the form of a list's.
func fromPortMap(bindings nat.PortMap) []engine.PublishedPort {
	var ports []engine.PublishedPort
	for target, hosts := range bindings {
		port := engine.PublishedPort{Port: uint16(target.Int()), Protocol: target.Proto()}
		if len(hosts) == 0 {
			ports = append(ports, port)
		}
		for _, host := range hosts {
			number, _ := strconv.ParseUint(host.HostPort, 10, 16)
			port.HostIP, port.HostPort = host.HostIP, uint16(number)
			ports = append(ports, port)
		}
	}
	sortPorts(ports)
	return ports
}

func setState(details *engine.ContainerDetails, answer *container.InspectResponse) {
	state := answer.State
	if state == nil {
		return
	}
	details.State, details.ExitCode = engine.State(state.Status), state.ExitCode
	details.OOMKilled, details.Error = state.OOMKilled, state.Error
	details.StartedAt, details.FinishedAt = parseTime(state.StartedAt), parseTime(state.FinishedAt)
	if state.Health == nil || state.Health.Status == container.NoHealthcheck {
		return
	}
	status := engine.Health(state.Health.Status)
	if state.Running {
		details.Health = status
	}
	details.HealthCheck = &engine.HealthCheck{
		Status: status, FailingStreak: state.Health.FailingStreak, Retries: retries(answer.Config),
	}
	for _, result := range state.Health.Log {
		details.HealthCheck.Probes = append(details.HealthCheck.Probes, engine.ProbeResult{
			Start: result.Start, End: result.End, ExitCode: result.ExitCode, Output: result.Output,
		})
	}
}

// retries is how many failures in a row make the container unhealthy; the engine takes 3 where none is given.
func retries(config *container.Config) int {
	const engineDefault = 3
	if config != nil && config.Healthcheck != nil && config.Healthcheck.Retries > 0 {
		return config.Healthcheck.Retries
	}
	return engineDefault
}

// parseTime reads the engine's times; "0001-01-01T00:00:00Z", its word for never, is the zero time.
func parseTime(text string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return time.Time{}
	}
	return t
}

// CreateContainer implements [engine.Containers].
func (c *Client) CreateContainer(ctx context.Context, request engine.CreateContainer) (engine.Created, error) {
	parts, err := c.translate(request)
	if err != nil {
		return engine.Created{}, err
	}
	answer, err := c.api.ContainerCreate(ctx, parts.config, parts.host, parts.networking, parts.platform, request.Name)
	if err != nil {
		return engine.Created{}, c.wrap(err)
	}
	for _, endpoint := range parts.connectLater {
		if err := c.ConnectNetwork(ctx, answer.ID, endpoint); err != nil {
			removal := container.RemoveOptions{Force: true, RemoveVolumes: true}
			return engine.Created{}, errors.Join(err, c.wrap(c.api.ContainerRemove(context.WithoutCancel(ctx), answer.ID, removal)))
		}
	}
	return engine.Created{ID: answer.ID, Warnings: answer.Warnings}, nil
}

// StartContainer implements [engine.Containers].
func (c *Client) StartContainer(ctx context.Context, ref string) error {
	err := c.wrapAs(c.api.ContainerStart(ctx, ref, container.StartOptions{}), engine.ErrDenied, engine.ErrConflict)
	// A taken port comes as an internal error, so that only the words tell.
	return wrapWords(err, engine.ErrConflict, "port is already allocated", "address already in use")
}

// StopContainer implements [engine.Containers].
func (c *Client) StopContainer(ctx context.Context, ref string, timeout *time.Duration) error {
	return c.wrap(c.api.ContainerStop(ctx, ref, container.StopOptions{Timeout: wholeSeconds(timeout)}))
}

// wholeSeconds rounds up: a grace period is never cut short.
func wholeSeconds(timeout *time.Duration) *int {
	if timeout == nil {
		return nil
	}
	seconds := int(math.Ceil(timeout.Seconds()))
	return &seconds
}

// KillContainer implements [engine.Containers].
func (c *Client) KillContainer(ctx context.Context, ref, signal string) error {
	return c.wrap(c.api.ContainerKill(ctx, ref, signal))
}

// PauseContainer implements [engine.Containers].
func (c *Client) PauseContainer(ctx context.Context, ref string) error {
	return c.wrap(c.api.ContainerPause(ctx, ref))
}

// UnpauseContainer implements [engine.Containers].
func (c *Client) UnpauseContainer(ctx context.Context, ref string) error {
	return wrapWords(c.wrap(c.api.ContainerUnpause(ctx, ref)), engine.ErrConflict, "is not paused") // an error 500
}

// CommitContainer implements [engine.Images].
func (c *Client) CommitContainer(ctx context.Context, request engine.CommitContainer) (string, error) {
	made, err := c.api.ContainerCommit(ctx, request.Ref, container.CommitOptions{
		Reference: request.Reference, Author: request.Author, Comment: request.Message, Changes: request.Changes, Pause: request.Pause,
	})
	return made.ID, wrapWords(c.wrap(err), engine.ErrInvalid, "invalid reference format", "repository name must be lowercase", "is not a valid change command")
}

// RemoveContainer implements [engine.Containers].
func (c *Client) RemoveContainer(ctx context.Context, ref string, options engine.RemoveContainer) error {
	return c.wrap(c.api.ContainerRemove(ctx, ref, container.RemoveOptions{Force: options.Force, RemoveVolumes: options.Volumes}))
}

// RenameContainer implements [engine.Containers].
func (c *Client) RenameContainer(ctx context.Context, ref, name string) error {
	return c.wrap(c.api.ContainerRename(ctx, ref, name))
}

// SetRestartPolicy implements [engine.Containers].
func (c *Client) SetRestartPolicy(ctx context.Context, ref string, policy engine.RestartPolicy) error {
	_, err := c.api.ContainerUpdate(ctx, ref, container.UpdateConfig{RestartPolicy: restartPolicy(policy.Name, policy.MaxRetries)})
	return c.wrap(err)
}
