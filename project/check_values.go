package project

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
)

func (c *checker) checkBuild(service Service) {
	build := service.Build
	if build == nil {
		return
	}
	path := "services." + service.Name + ".build"
	// Loading fills in the name of the Dockerfile only where nothing is inline.
	if build.DockerfileInline != "" && build.Dockerfile != "" {
		c.report(path+".dockerfile", `"dockerfile" and "dockerfile_inline" exclude each other`, "")
	}
	if service.Platform != "" && len(build.Platforms) > 0 && !slices.Contains(build.Platforms, service.Platform) {
		c.report(path+".platforms", fmt.Sprintf("must include the service's platform %s", quote(service.Platform)), "")
	}
}

func (c *checker) checkScale(service Service) {
	path := "services." + service.Name
	var replicas *int
	if service.Deploy != nil {
		replicas = service.Deploy.Replicas
	}
	if service.Scale != nil && replicas != nil && *service.Scale != *replicas {
		c.report(path+".scale", fmt.Sprintf("is %d, but deploy.replicas is %d", *service.Scale, *replicas), "say it once")
	}
	if service.Scale != nil && *service.Scale < 0 {
		c.report(path+".scale", "must be greater than or equal to 0", "")
	}
	if replicas != nil && *replicas < 0 {
		c.report(path+".deploy.replicas", "must be greater than or equal to 0", "")
	}
}

// checkLimits checks the limits that can be said in two ways. As docker compose has it, one on the service is also refused
// where `deploy` has limits, or reservations, without that one.
func (c *checker) checkLimits(service Service) {
	if service.Deploy == nil {
		return
	}
	path := "services." + service.Name
	limits, reservations := service.Deploy.Resources.Limits, service.Deploy.Resources.Reservations
	twice := func(key, other string, distinct bool) {
		if distinct {
			c.report(path+"."+key, fmt.Sprintf("can't set distinct values on %q and %q", key, other), "say it once")
		}
	}
	if limits != nil {
		twice("cpus", "deploy.resources.limits.cpus", service.CPUS != 0 && limits.NanoCPUs.Value() != service.CPUS)
		twice("mem_limit", "deploy.resources.limits.memory", service.MemLimit != 0 && limits.MemoryBytes != service.MemLimit)
		twice("pids_limit", "deploy.resources.limits.pids", service.PidsLimit != 0 && limits.Pids != service.PidsLimit)
	}
	if reservations != nil {
		twice("mem_reservation", "deploy.resources.reservations.memory",
			service.MemReservation != 0 && reservations.MemoryBytes != service.MemReservation)
	}
}

func (c *checker) checkRestart(service Service) {
	path := "services." + service.Name
	policies := []string{RestartNo, RestartAlways, RestartOnFailure, RestartUnlessStopped}
	name, retries, counted := strings.Cut(service.Restart, ":")
	_, err := strconv.ParseUint(retries, 10, 31)
	switch {
	case service.Restart == "" || c.unknown(service.Restart):
	case !slices.Contains(policies, name):
		c.report(path+".restart", "restart policy "+quote(service.Restart)+" is none of "+strings.Join(policies, ", "),
			didYouMean(nearest(name, policies)))
	case counted && (name != RestartOnFailure || err != nil):
		c.report(path+".restart", "restart policy "+quote(service.Restart)+" does not parse", `only "on-failure" takes a number, "on-failure:3"`)
	}
	if service.Deploy == nil || service.Deploy.RestartPolicy == nil {
		return
	}
	conditions := append([]string{"none", "any"}, policies...)
	if condition := service.Deploy.RestartPolicy.Condition; condition != "" && !c.unknown(condition) && !slices.Contains(conditions, condition) {
		c.report(path+".deploy.restart_policy.condition", "restart condition "+quote(condition)+" is none of none, on-failure, any",
			didYouMean(nearest(condition, conditions)))
	}
}

func (c *checker) checkHealth(service Service) {
	health := service.HealthCheck
	if health == nil || health.Disable {
		return
	}
	path := "services." + service.Name + ".healthcheck"
	if len(health.Test) > 0 && !slices.Contains([]string{"CMD", "CMD-SHELL", "NONE"}, health.Test[0]) {
		c.report(path+".test", `must begin with "CMD", "CMD-SHELL" or "NONE"`, "or be a string, which is run by a shell")
	}
	if health.StartInterval != nil && health.StartPeriod == nil {
		c.report(path+".start_interval", `needs "start_period"`, "")
	}
}

func (c *checker) checkPorts(service Service) {
	for i, port := range service.Ports {
		path := fmt.Sprintf("services.%s.ports[%d]", service.Name, i)
		if port.Target == 0 && c.raw {
			continue
		}
		if port.Target < 1 || port.Target > maxPort {
			c.report(path, fmt.Sprintf("container port %d is not between 1 and %d", port.Target, maxPort), "")
		}
		if port.Published != "" && !c.unknown(port.Published) && !isPortRange(port.Published) {
			c.report(path, fmt.Sprintf("published port %s is neither a port nor a range", quote(port.Published)), "")
		}
		if protocols := []string{"tcp", "udp", "sctp"}; !slices.Contains(protocols, cmp.Or(port.Protocol, "tcp")) && !c.unknown(port.Protocol) {
			c.report(path, fmt.Sprintf("protocol %s is none of %s", quote(port.Protocol), strings.Join(protocols, ", ")), "")
		}
	}
}

const maxPort = 65535

func isPortRange(text string) bool {
	first, last, isRange := strings.Cut(text, "-")
	from, err := strconv.ParseUint(first, 10, 16)
	if err != nil {
		return false
	}
	if !isRange {
		return true
	}
	to, err := strconv.ParseUint(last, 10, 16)
	return err == nil && from <= to
}

// checkMounts checks that no two mounts have the same target.
func (c *checker) checkMounts(service Service) {
	root := "services." + service.Name
	taken := map[string]string{}
	mount := func(target, where string) {
		target = path.Clean(target)
		if other, ok := taken[target]; ok {
			c.report(where, fmt.Sprintf("target %s is already mounted as %s", quote(target), other), "")
			return
		}
		taken[target] = where
	}
	for i, tmpfs := range service.Tmpfs {
		target, _, _ := strings.Cut(tmpfs, ":")
		mount(target, fmt.Sprintf("%s.tmpfs[%d]", root, i))
	}
	for i, volume := range service.Volumes {
		mount(volume.Target, fmt.Sprintf("%s.volumes[%d]", root, i))
	}
}

func (c *checker) checkWatch(service Service) {
	if service.Develop == nil {
		return
	}
	for i, watch := range service.Develop.Watch {
		if watch.Target == "" && watch.Action != "rebuild" && watch.Action != "restart" {
			c.report(fmt.Sprintf("services.%s.develop.watch[%d]", service.Name, i), `needs "target" for this action`, "")
		}
	}
}
