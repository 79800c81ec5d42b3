package chaos

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

// stack is what the rounds work on: health checks, dependents that restart, shared namespaces, anonymous volumes, replicas, secrets in
// a read-only container, a one-shot. The version makes every service another one; the replicas are the API's.
type stack struct {
	version, replicas int
}

// Programs are what the services run, as a compose file has commands.
type Programs struct {
	Image string
	Stay  string // runs until it is told to end
	End   string // ends by itself, well
	Probe string // is a health check that succeeds
}

// Busybox are programs of an image with its tools.
func Busybox(image string) Programs {
	return Programs{Image: image, Stay: `["sleep", "3600"]`, End: `["true"]`, Probe: `["CMD", "true"]`}
}

const compose = `
services:
  web:
    image: %[3]s
    init: true
    command: %[4]s
    restart: unless-stopped
    environment: {VERSION: "%[1]d"}
    stop_grace_period: 1s
    depends_on:
      api: {condition: service_healthy, restart: true}
      job: {condition: service_completed_successfully}
  side:
    image: %[3]s
    init: true
    command: %[4]s
    restart: always
    stop_grace_period: 1s
    network_mode: "service:web"
  api:
    image: %[3]s
    init: true
    command: %[4]s
    restart: unless-stopped
    environment: {VERSION: "%[1]d"}
    stop_grace_period: 1s
    scale: %[2]d
    volumes: ["data:/data", "/own"]
    healthcheck: {test: %[6]s, interval: 100ms, timeout: 2s, retries: 50}
  hidden:
    image: %[3]s
    init: true
    command: %[4]s
    restart: always
    read_only: true
    tmpfs: [/run]
    environment: {VERSION: "%[1]d"}
    stop_grace_period: 1s
    secrets: [password]
    networks: [back]
  job:
    image: %[3]s
    command: %[5]s
    environment: {VERSION: "%[1]d"}
networks: {default: , back: {internal: true}}
volumes: {data: }
secrets: {password: {environment: CHAOS_PASSWORD}}
`

// write writes the stack's file into a folder and returns its path.
func (s stack) write(folder string, p Programs) (string, error) {
	path := filepath.Join(folder, "compose.yaml")
	const private = 0o600
	if err := os.WriteFile(path, fmt.Appendf(nil, compose, s.version, s.replicas, p.Image, p.Stay, p.End, p.Probe), private); err != nil {
		return "", fmt.Errorf("write the stack's file: %w", err)
	}
	return path, nil
}

// policies are the restart policies that the services' containers have in the end.
func policies() map[string]string {
	return map[string]string{"web": "unless-stopped", "side": "always", "api": "unless-stopped", "hidden": "always", "job": "no"}
}

// containers are the names that the project has in the end.
func (s stack) containers(project string) map[string]bool {
	names := map[string]bool{}
	for service := range policies() {
		names[project+"-"+service+"-1"] = true
	}
	for number := 1; number <= s.replicas; number++ {
		names[project+"-api-"+strconv.Itoa(number)] = true
	}
	return names
}
