package project

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/compose-spec/compose-go/v2/format"
	"github.com/compose-spec/compose-go/v2/types"
)

// valueCheck says what is wrong with the value of one attribute, beyond its type; empty for nothing. The library finds these
// while it loads, one at a time and mostly without a place. The messages quote no value that could be a secret.
type valueCheck struct {
	pattern string
	check   func(value any) string
}

// valueChecks by the last segment of their patterns.
func valueChecks() map[string][]valueCheck {
	list := []valueCheck{
		{"services.*.ports.[]", checkPort},
		{"services.*.volumes.[]", checkMount},
		{"services.*.devices.[]", checkDevice},
		{"services.*.gpus.[]", checkDeviceRequest},
		{"services.*.deploy.resources.reservations.devices.[]", checkDeviceRequest},
		{"services.*.command", checkCommand},
		{"services.*.entrypoint", checkCommand},
		{"services.*.develop.watch.[].path", checkFilled},
		{"volumes.*", checkExternalVolume},
		{"secrets.*", checkFileObject("file", "environment")},
		{"configs.*", checkFileObject("file", "environment", "content")},
	}
	for _, path := range []string{
		"stop_grace_period", "healthcheck.interval", "healthcheck.timeout", "healthcheck.start_period",
		"healthcheck.start_interval", "deploy.update_config.delay", "deploy.update_config.monitor",
		"deploy.rollback_config.delay", "deploy.rollback_config.monitor", "deploy.restart_policy.delay",
		"deploy.restart_policy.window",
	} {
		list = append(list, valueCheck{"services.*." + path, checkDuration})
	}
	for _, path := range []string{
		"mem_limit", "mem_reservation", "memswap_limit", "mem_swappiness", "shm_size", "build.shm_size",
		"deploy.resources.limits.memory", "deploy.resources.reservations.memory", "volumes.[].tmpfs.size",
	} {
		list = append(list, valueCheck{"services.*." + path, checkBytes})
	}
	byLast := map[string][]valueCheck{}
	for _, check := range list {
		last := check.pattern[strings.LastIndex(check.pattern, ".")+1:]
		byLast[last] = append(byLast[last], check)
	}
	return byLast
}

func checkDuration(value any) string {
	var duration types.Duration
	if text, ok := value.(string); ok && duration.DecodeMapstructure(text) != nil {
		return fmt.Sprintf(`%s is not a duration, like "1m30s"`, quote(text))
	}
	return ""
}

func checkBytes(value any) string {
	var bytes types.UnitBytes
	if text, ok := value.(string); ok && bytes.DecodeMapstructure(text) != nil {
		return fmt.Sprintf(`%s is not a number of bytes, like "512m"`, quote(text))
	}
	return ""
}

func checkPort(value any) string {
	switch port := value.(type) {
	case string:
		if _, err := types.ParsePortConfig(port); err != nil {
			return fmt.Sprintf("port %s does not parse: %s", quote(port), strings.TrimPrefix(err.Error(), "invalid port specification: "))
		}
	case int:
		if _, err := types.ParsePortConfig(fmt.Sprint(port)); err != nil {
			return fmt.Sprintf("port %d is not between 1 and 65535", port)
		}
	case float64:
		return "a port is a whole number"
	case map[string]any:
		if _, ok := port["target"]; !ok {
			return `key "target" is missing`
		}
		if address, ok := port["host_ip"].(string); ok && !isAddress(address) {
			return fmt.Sprintf("host_ip %s is not an IP address", quote(address))
		}
	}
	return ""
}

func isAddress(text string) bool {
	_, err := netip.ParseAddr(text)
	return err == nil
}

func checkMount(value any) string {
	switch mount := value.(type) {
	case string:
		if _, err := format.ParseVolume(mount); err != nil {
			return fmt.Sprintf("mount %s does not parse: %s", quote(mount), mountMessage(err))
		}
	case map[string]any:
		if _, ok := mount["target"]; !ok {
			return `key "target" is missing`
		}
		if _, ok := mount["source"]; !ok && mount["type"] == types.VolumeTypeBind {
			return `key "source" is missing`
		}
	}
	return ""
}

// mountMessage is the end of the library's text, which begins with the mount itself.
func mountMessage(err error) string {
	text := err.Error()
	return strings.TrimSpace(text[strings.LastIndex(text, ": ")+1:])
}

func checkDevice(value any) string {
	switch device := value.(type) {
	case string:
		if strings.Count(device, ":") > 2 {
			return fmt.Sprintf("device %s has more than three parts", quote(device))
		}
	case map[string]any:
		if _, ok := device["target"]; !ok {
			return `key "target" is missing`
		}
	}
	return ""
}

func checkDeviceRequest(value any) string {
	request, _ := value.(map[string]any)
	_, count := request["count"]
	if _, ids := request["device_ids"]; count && ids {
		return `"count" and "device_ids" exclude each other`
	}
	return ""
}

func checkCommand(value any) string {
	text, ok := value.(string)
	if !ok {
		return ""
	}
	var command types.ShellCommand
	if err := command.DecodeMapstructure(text); err != nil {
		return "does not parse as a command: look at the quotes in it"
	}
	return ""
}

func checkFilled(value any) string {
	if value == "" {
		return "must not be empty"
	}
	return ""
}

func checkExternalVolume(value any) string {
	volume, _ := value.(map[string]any)
	if volume["external"] != true {
		return ""
	}
	for _, key := range []string{"driver", "driver_opts", "labels"} {
		if _, ok := volume[key]; ok {
			return fmt.Sprintf("is external, so %s cannot be said here", quote(key))
		}
	}
	return ""
}

func checkFileObject(keys ...string) func(any) string {
	return func(value any) string {
		object, ok := value.(map[string]any)
		if !ok {
			return ""
		}
		var given []string
		for _, key := range keys {
			if _, ok := object[key]; ok {
				given = append(given, quote(key))
			}
		}
		switch {
		case len(given) > 1:
			return strings.Join(given, " and ") + " exclude each other"
		case len(given) == 0 && !hasOtherSource(object):
			return "needs one of " + strings.Join(keys, ", ")
		}
		return ""
	}
}

// hasOtherSource says whether a secret or config comes from elsewhere, or has a key that may be a mistyped one.
func hasOtherSource(object map[string]any) bool {
	for key := range object {
		switch key {
		case "name", "labels", "driver_opts", "template_driver":
		default:
			if !strings.HasPrefix(key, "x-") {
				return true
			}
		}
	}
	return false
}
