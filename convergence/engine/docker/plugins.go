package docker

import (
	"os/exec"
	"path/filepath"
	"slices"
)

// pluginFolders are where the docker CLI looks for its plugins beside its own folders (docker/cli, cli-plugins/manager).
func pluginFolders() []string {
	return []string{
		"/usr/local/lib/docker/cli-plugins", "/usr/local/libexec/docker/cli-plugins",
		"/usr/lib/docker/cli-plugins", "/usr/libexec/docker/cli-plugins",
	}
}

// FindProvider finds the program of a type of provider service, as docker compose does: the docker CLI's plugin "docker-TYPE", else a
// program TYPE of the PATH, or of the folder that it names. The error matches [exec.ErrNotFound] where there is none.
func (o Options) FindProvider(kind string) (string, error) {
	s := o.settings()
	folders := append(slices.Clone(s.file.CLIPluginsExtraDirs), filepath.Join(s.folder, "cli-plugins"))
	for _, folder := range append(folders, pluginFolders()...) {
		if filepath.Base(kind) != kind {
			break
		}
		if path, err := exec.LookPath(filepath.Join(folder, "docker-"+kind)); err == nil {
			return path, nil
		}
	}
	if filepath.Base(kind) != kind {
		return exec.LookPath(kind)
	}
	return s.program(kind)
}
