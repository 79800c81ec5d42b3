package daemon

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Launch is an engine to be started.
type Launch struct {
	Cache    string // what is kept: data, log, record
	Programs string // the folder that the packages were unpacked in
	Release  string
	Features map[string]bool // for the daemon's configuration
}

// layout is where an engine has its things. Sockets and state are under /run: a socket's path must be short, and what is
// there is gone after a boot, as the processes are.
type layout struct {
	run, socket, pidFile, exec string
	data, log, config          string
}

const runPrefix = "/run/muster-dev-"

// IsOwn says whether an address is one that engines get here.
func IsOwn(host string) bool { return strings.HasPrefix(host, "unix://"+runPrefix) }

func layoutOf(cache, release string) layout {
	const length = 4
	sum := sha256.Sum256([]byte(cache))
	run := runPrefix + hex.EncodeToString(sum[:length]) + "-" + release
	return layout{
		run:     run,
		socket:  filepath.Join(run, "docker.sock"),
		pidFile: filepath.Join(run, "docker.pid"),
		exec:    filepath.Join(run, "exec"),
		data:    filepath.Join(cache, "data-"+release),
		log:     filepath.Join(cache, "engine-"+release+".log"),
		config:  filepath.Join(cache, "engine-"+release+".config.json"),
	}
}

// host is the address for DOCKER_HOST.
func (l layout) host() string { return "unix://" + l.socket }

// arguments are dockerd's. The configuration file is our own, because the machine's would be read otherwise.
func (l layout) arguments() []string {
	return []string{
		"--config-file", l.config,
		"--data-root", l.data,
		"--exec-root", l.exec,
		"--pidfile", l.pidFile,
		"--host", l.host(),
	}
}

// prepare makes the folders and the configuration, and keeps the last run's log beside the new one.
func (l Launch) prepare() error {
	const folderMode, fileMode = 0o711, 0o600
	at := layoutOf(l.Cache, l.Release)
	for _, folder := range []string{at.run, at.data} {
		if err := os.MkdirAll(folder, folderMode); err != nil {
			return fmt.Errorf("make folder for engine: %w", err)
		}
	}
	config, err := l.configuration()
	if err != nil {
		return fmt.Errorf("write engine's configuration: %w", err)
	}
	if err := os.WriteFile(at.config, config, fileMode); err != nil {
		return fmt.Errorf("write engine's configuration: %w", err)
	}
	return rotate(at.log)
}

// configuration is the daemon's. An engine's own choice is to throw away the whole build cache, once a minute, while less than a
// fifth of the disk is free; what tests see of the cache must not depend on the disk that they run on. It also refuses builds with
// rights of their own (security.insecure), which have to be compared with docker compose's.
func (l Launch) configuration() ([]byte, error) {
	const keptBuilds = "5GB"
	settings := map[string]any{"builder": map[string]any{
		"gc":           map[string]any{"enabled": true, "policy": []map[string]any{{"all": true, "keepStorage": keptBuilds}}},
		"entitlements": map[string]any{"security-insecure": true},
	}}
	if len(l.Features) > 0 {
		settings["features"] = l.Features
	}
	config, err := json.Marshal(settings)
	if err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	return config, nil
}

// rotate keeps the log of the last run and makes room for the next one's.
func rotate(log string) error {
	if err := os.Rename(log, log+".1"); err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("keep last log: %w", err)
	}
	return nil
}

// path puts the engine's own programs first; root's folders are added because not every shell of root's has them.
func (l Launch) path(inherited string) string {
	own := filepath.Join(l.Programs, "usr", "bin") + ":" + filepath.Join(l.Programs, "usr", "sbin")
	return own + ":" + inherited + ":/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin"
}
