package docker

import (
	"context"
	"strings"
	"time"

	"github.com/muster-dev/muster/convergence/engine"
)

// Info implements [engine.System].
func (c *Client) Info(ctx context.Context) (engine.Info, error) {
	answer, err := c.api.Info(ctx)
	if err != nil {
		return engine.Info{}, c.wrap(err)
	}
	info := engine.Info{
		Version: engine.Version{
			Engine: answer.ServerVersion, API: c.api.ClientVersion(), OS: answer.OSType, Arch: goArch(answer.Architecture),
		},
		ID: answer.ID, Host: answer.Name, Labels: map[string]string{},
		CPUs: answer.NCPU, Memory: answer.MemTotal, Cgroups: answer.CgroupVersion,
	}
	if at, err := time.Parse(time.RFC3339Nano, answer.SystemTime); err == nil {
		info.Time = at.UTC()
	}
	for _, label := range answer.Labels {
		key, value, _ := strings.Cut(label, "=")
		info.Labels[key] = value
	}
	for _, pool := range answer.DefaultAddressPools {
		info.AddressPools = append(info.AddressPools, engine.AddressPool{Base: pool.Base, Size: pool.Size})
	}
	return info, nil
}

// goArch is an architecture under the name that images have for it: an engine tells its kernel's.
func goArch(kernel string) string {
	names := map[string]string{
		"x86_64": "amd64", "aarch64": "arm64", "armv6l": "arm", "armv7l": "arm", "i386": "386", "i686": "386",
	}
	if name, ok := names[kernel]; ok {
		return name
	}
	return kernel
}
