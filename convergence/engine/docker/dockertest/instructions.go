package dockertest

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	apicontainer "github.com/docker/docker/api/types/container"
)

// apply changes an image as one instruction of a Dockerfile says. It knows the forms that an import of the adapter's sends:
// commands as JSON lists, one assignment an instruction.
func apply(i *Image, instruction string) error {
	name, rest, _ := strings.Cut(instruction, " ")
	switch strings.ToUpper(name) {
	case "ENTRYPOINT":
		return json.Unmarshal([]byte(rest), &i.Entrypoint)
	case "CMD":
		return json.Unmarshal([]byte(rest), &i.Cmd)
	case "VOLUME":
		return json.Unmarshal([]byte(rest), &i.Volumes)
	case "ENV":
		key, value, err := assignment(rest)
		i.Env = append(i.Env, key+"="+value)
		return err
	case "LABEL":
		key, value, err := assignment(rest)
		if i.Labels == nil {
			i.Labels = map[string]string{}
		}
		i.Labels[key] = value
		return err
	case "EXPOSE":
		i.Expose = strings.Fields(rest)
	case "USER":
		i.User = rest
	case "WORKDIR":
		i.WorkingDir = rest
	case "STOPSIGNAL":
		i.StopSignal = rest
	case "HEALTHCHECK":
		return applyHealthCheck(i, rest)
	default:
		return fmt.Errorf("dockertest does not know the instruction %q", instruction)
	}
	return nil
}

// assignment reads name="value" with backslashes before quotes, dollars and backslashes, or name=value.
func assignment(text string) (name, value string, err error) {
	name, value, ok := strings.Cut(text, "=")
	if !ok {
		return "", "", fmt.Errorf("dockertest cannot read the assignment %q", text)
	}
	if len(value) < 2 || value[0] != '"' {
		return name, value, nil
	}
	return name, strings.NewReplacer(`\\`, `\`, `\"`, `"`, `\$`, `$`).Replace(value[1 : len(value)-1]), nil
}

func applyHealthCheck(i *Image, text string) error {
	i.HealthCheck = &apicontainer.HealthConfig{}
	durations := map[string]*time.Duration{
		"--interval": &i.HealthCheck.Interval, "--timeout": &i.HealthCheck.Timeout,
		"--start-period": &i.HealthCheck.StartPeriod, "--start-interval": &i.HealthCheck.StartInterval,
	}
	for strings.HasPrefix(text, "--") {
		var option string
		option, text, _ = strings.Cut(text, " ")
		key, value, _ := strings.Cut(option, "=")
		var err error
		if key == "--retries" {
			i.HealthCheck.Retries, err = strconv.Atoi(value)
		} else if target, ok := durations[key]; ok {
			*target, err = time.ParseDuration(value)
		}
		if err != nil {
			return err
		}
	}
	if text == "NONE" {
		i.HealthCheck.Test = []string{"NONE"}
		return nil
	}
	var command []string
	if err := json.Unmarshal([]byte(strings.TrimPrefix(text, "CMD ")), &command); err != nil {
		return err
	}
	i.HealthCheck.Test = append([]string{"CMD"}, command...)
	return nil
}
