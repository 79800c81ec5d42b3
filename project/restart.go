package project

import (
	"cmp"
	"strconv"
	"strings"
	"time"

	"github.com/compose-spec/compose-go/v2/types"
)

// Restart policies as the engine names them.
const (
	RestartNo            = "no"
	RestartAlways        = "always"
	RestartUnlessStopped = "unless-stopped"
	RestartOnFailure     = "on-failure"
)

// RestartPolicy is what the engine shall do when a container of the service ends: `deploy.restart_policy` where there is one,
// else `restart`; an empty name means that the file says nothing, and the engine does not restart. maxRetries belongs to
// on-failure, 0 means no limit.
func RestartPolicy(service Service) (name string, maxRetries int) {
	if service.Deploy != nil && service.Deploy.RestartPolicy != nil {
		policy := service.Deploy.RestartPolicy
		if policy.MaxAttempts != nil {
			maxRetries = int(*policy.MaxAttempts)
		}
		return engineRestartName(service, policy.Condition), maxRetries
	}
	name, retries, _ := strings.Cut(service.Restart, ":")
	maxRetries, _ = strconv.Atoi(retries)
	return engineRestartName(service, name), maxRetries
}

// Restarts says whether the engine starts a container of the service again when it ends by itself.
func Restarts(service Service) bool {
	name, _ := RestartPolicy(service)
	return name != "" && name != RestartNo
}

// Monitor is how long a new container is watched before the one that it replaces goes for good; zero where the file does not say.
func Monitor(service Service) time.Duration {
	if service.Deploy == nil || service.Deploy.UpdateConfig == nil {
		return 0
	}
	return time.Duration(service.Deploy.UpdateConfig.Monitor)
}

// engineRestartName maps swarm's conditions, which `deploy` uses, to the engine's names. A job that has succeeded is never started
// again, as swarm has it.
func engineRestartName(service Service, condition string) string {
	name := condition
	switch condition {
	case "none":
		name = RestartNo
	case "any":
		name = RestartAlways
	}
	if IsJob(service) && (name == RestartAlways || name == RestartUnlessStopped) {
		return RestartOnFailure
	}
	return name
}

// MadeRestartPolicy is the restart policy that a container was made with, by its labels: what the engine has may be what a
// replacement that was cut short has left. It is not ok where the labels do not tell.
func MadeRestartPolicy(labels map[string]string) (name string, maxRetries int, ok bool) {
	made, err := OpenFingerprint(labels[LabelSpec])
	if err != nil {
		return "", 0, false
	}
	service := Service{Restart: made.Plain("restart")}
	condition, attempts := made.Plain("deploy.restart_policy.condition"), made.Plain("deploy.restart_policy.max_attempts")
	if condition+attempts != "" {
		policy := &types.RestartPolicy{Condition: condition}
		if most, err := strconv.ParseUint(attempts, 10, 64); err == nil {
			policy.MaxAttempts = &most
		}
		service.Deploy = &types.DeployConfig{RestartPolicy: policy}
	}
	name, maxRetries = RestartPolicy(service)
	return cmp.Or(name, RestartNo), maxRetries, true
}
