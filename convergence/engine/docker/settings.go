package docker

import (
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"

	"github.com/docker/cli/cli/config"
	"github.com/docker/cli/cli/config/configfile"
	"github.com/docker/cli/cli/config/credentials"
)

// settings are a caller's options with what the docker CLI's configuration adds to them.
type settings struct {
	Options
	folder   string // of the docker CLI's configuration
	file     *configfile.ConfigFile
	warnings []string
}

// settings reads the configuration. One that cannot be read, or only in part, is a warning and counts as far as it was read:
// the docker CLI goes on too.
func (o Options) settings() settings {
	if o.Env == nil {
		o.Env = os.Getenv
	}
	s := settings{Options: o, folder: configFolder(o.Env)}
	var err error
	if s.file, err = config.Load(s.folder); err != nil {
		s.warnings = append(s.warnings, fmt.Sprintf("the docker CLI's configuration is not read in full: %v", err))
	}
	if !s.file.ContainsAuth() {
		s.file.CredentialsStore = credentials.DetectDefaultStore(s.file.CredentialsStore)
	}
	return s
}

// ContainerFormat is how the docker CLI's configuration wants containers to be listed, psFormat; empty where it does not say.
func (o Options) ContainerFormat() string {
	if file := o.settings().file; file != nil {
		return file.PsFormat
	}
	return ""
}

// DetachKeys is what the docker CLI's configuration wants typed to leave a container alone, detachKeys; empty where it does not say.
func (o Options) DetachKeys() string {
	if file := o.settings().file; file != nil {
		return file.DetachKeys
	}
	return ""
}

func configFolder(env func(string) string) string {
	if folder := env("DOCKER_CONFIG"); folder != "" {
		return folder
	}
	variable := "HOME"
	if runtime.GOOS == "windows" {
		variable = "USERPROFILE"
	}
	home := env(variable)
	if current, err := user.Current(); home == "" && err == nil {
		home = current.HomeDir
	}
	return filepath.Join(home, ".docker")
}

// proxies are the variables that the configuration adds to every container's environment.
func (s settings) proxies(host string) map[string]string {
	proxies := map[string]string{}
	for name, value := range s.file.ParseProxyConfig(host, nil) {
		if value != nil {
			proxies[name] = *value
		}
	}
	return proxies
}

// program finds a program in the environment's PATH.
func (s settings) program(name string) (string, error) {
	path := s.Env("PATH")
	if path == "" {
		return exec.LookPath(name)
	}
	for _, folder := range filepath.SplitList(path) {
		if !filepath.IsAbs(folder) { // as in package exec: what lies about in the current folder is not run
			continue
		}
		if found, err := exec.LookPath(filepath.Join(folder, name)); err == nil {
			return found, nil
		}
	}
	return "", &exec.Error{Name: name, Err: exec.ErrNotFound}
}
