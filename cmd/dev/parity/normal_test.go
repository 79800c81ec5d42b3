package parity

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

const (
	someID  = "1111111111111111111111111111111111111111111111111111111111111111"
	otherID = "2222222222222222222222222222222222222222222222222222222222222222"
	imageID = "3333333333333333333333333333333333333333333333333333333333333333"
)

func TestNormalize(t *testing.T) {
	t.Parallel()
	object := `{
		"Id": "` + someID + `", "Created": "now", "Name": "/p-web-1", "Image": "sha256:` + imageID + `",
		"State": {"StartedAt": "2026-01-01T00:00:00Z", "Pid": 7, "Health": {"Status": "starting"}},
		"Config": {
			"Hostname": "111111111111", "Env": ["B=2", "A=1"], "Cmd": ["b", "a"], "Entrypoint": [],
			"Labels": {
				"com.docker.compose.version": "1", "dev.muster.spec": "x", "com.docker.compose.config-hash": "` + otherID + `",
				"com.docker.compose.depends_on": "b:x:true,a:y:false", "com.docker.compose.image": "sha256:` + imageID + `"
			}
		},
		"HostConfig": {"NetworkMode": "container:` + someID + `", "Memory": 9007199254740993, "Dns": null, "Binds": ["/b:/b", "/a:/a"]},
		"NetworkSettings": {
			"Ports": {
				"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "32768"}], "81/tcp": [{"HostIp": "::", "HostPort": "8080"}],
				"82/tcp": [{"HostIp": "127.0.0.1", "HostPort": "9005"}],
				"83/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8082"}, {"HostIp": "::", "HostPort": "8080"}, {"HostIp": "0.0.0.0", "HostPort": "8080"}]
			},
			"Networks": {"n": {
				"IPAddress": "172.18.0.2", "GlobalIPv6Address": "fd00::2", "MacAddress": "02:42:ac:12:00:02", "EndpointID": "` + otherID + `",
				"Gateway": "10.1.2.1", "DNSNames": ["web", "111111111111"], "IPPrefixLen": 16
			}}
		},
		"Mounts": [{"Type": "volume", "Name": "` + otherID + `", "Destination": "/v"}]
	}`
	want := `
Config.Cmd[0] = b
Config.Cmd[1] = a
Config.Env[A] = A=1
Config.Env[B] = B=2
Config.Hostname = <container p-web-1>
Config.Labels.com.docker.compose.config-hash = ` + otherID + `
Config.Labels.com.docker.compose.depends_on = a:y:false,b:x:true
Config.Labels.com.docker.compose.image = sha256:<image p-web>
HostConfig.Binds[/a:/a] = /a:/a
HostConfig.Binds[/b:/b] = /b:/b
HostConfig.Memory = 9007199254740993
HostConfig.NetworkMode = container:<container p-web-1>
Image = sha256:<image p-web>
Mounts[/v].Destination = /v
Mounts[/v].Name = <id>
Mounts[/v].Type = volume
Name = /p-web-1
NetworkSettings.Networks.n.DNSNames[<container p-web-1>] = <container p-web-1>
NetworkSettings.Networks.n.DNSNames[web] = web
NetworkSettings.Networks.n.Gateway = 10.1.2.1
NetworkSettings.Networks.n.GlobalIPv6Address = <address>
NetworkSettings.Networks.n.IPAddress = <address>
NetworkSettings.Networks.n.IPPrefixLen = <length>
NetworkSettings.Networks.n.MacAddress = <address>
NetworkSettings.Ports.80/tcp[0].HostIp = 0.0.0.0
NetworkSettings.Ports.80/tcp[0].HostPort = <port>
NetworkSettings.Ports.81/tcp[0].HostIp = ::
NetworkSettings.Ports.81/tcp[0].HostPort = 8080
NetworkSettings.Ports.82/tcp[0].HostIp = 127.0.0.1
NetworkSettings.Ports.82/tcp[0].HostPort = <of 9000-9010>
NetworkSettings.Ports.83/tcp[0].HostIp = 0.0.0.0
NetworkSettings.Ports.83/tcp[0].HostPort = 8080
NetworkSettings.Ports.83/tcp[1].HostIp = ::
NetworkSettings.Ports.83/tcp[1].HostPort = 8080
NetworkSettings.Ports.83/tcp[2].HostIp = 0.0.0.0
NetworkSettings.Ports.83/tcp[2].HostPort = 8082
State.(has a health) = true
State.(started) = true
`
	seen := snapshot{
		objects: map[string]any{"container p-web-1": decode(t, object)},
		ids:     map[string]string{"container p-web-1": someID, "image p-web": "sha256:" + imageID},
	}
	all := normalize("ports: [8080:81, 8082:83, 9000-9010:82], gateway: 10.1.2.1", seen)
	var lines []string
	for path, value := range all["container p-web-1"] {
		lines = append(lines, path+" = "+value)
	}
	slices.Sort(lines)
	if got := "\n" + strings.Join(lines, "\n") + "\n"; got != want {
		t.Errorf("fields%s\nwant%s", got, want)
	}
}

func decode(t *testing.T, text string) any {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		t.Fatal(err)
	}
	return value
}

func TestCompare(t *testing.T) {
	t.Parallel()
	differences := compare(
		map[string]fields{"container a": {"X": "1", "Y": "2", "Z": "3"}, "network n": {}},
		map[string]fields{"container a": {"X": "1", "Y": "other", "W": "4"}, "volume v": {}},
	)
	list := &intended{Differences: []intendedDifference{
		{Path: "container.Y", Files: []string{"elsewhere"}, Reason: "not here", pattern: patterns("container.Y")},
		{Path: "container.Y", Peer: "2", Muster: "3", Reason: "not this value", pattern: patterns("container.Y")},
		{Path: "container.Z", Peer: "3", Muster: absent, Reason: "that value", pattern: patterns("container.Z")},
		{Path: "container.W*", Reason: "on purpose", pattern: patterns("container.W*")},
	}}
	list.explain("file", differences)
	var lines []string
	for _, d := range differences {
		lines = append(lines, fmt.Sprintf("%v [%s]", d, d.Reason))
	}
	want := []string{
		`container a W: docker compose (absent), muster "4" [on purpose]`,
		`container a Y: docker compose "2", muster "other" []`,
		`container a Z: docker compose "3", muster (absent) [that value]`,
		`network n : docker compose "has it", muster (absent) []`,
		`volume v : docker compose (absent), muster "has it" []`,
	}
	if !slices.Equal(lines, want) {
		t.Errorf("differences\n%s\nwant\n%s", strings.Join(lines, "\n"), strings.Join(want, "\n"))
	}
	for i, want := range []bool{false, false, true, true} {
		if got := list.Differences[i].seen; got != want {
			t.Errorf("reason %d was met: %v", i, got)
		}
	}
}
