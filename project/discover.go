package project

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/consts"
	"github.com/compose-spec/compose-go/v2/types"
)

// setting is what the options, the environment and the folders decide before any Compose file is opened.
type setting struct {
	options     Options
	environment types.Mapping
	files       []string // absolute, or [stdin]; empty where nobody named one and none was found
	origin      string   // who chose the files; empty where the options did
	workingDir  string
	envFiles    []string // those that somebody named, absolute
	warnings    []Warning
}

// settle decides. `.env` is read twice, as docker compose does: first that of the folder that is known from the options, which
// may say COMPOSE_FILE, then that of the folder of the files.
func settle(options Options) (*setting, error) {
	chosen := &setting{options: options, environment: processEnvironment(options)}
	for _, name := range options.Files {
		if err := refuseRemote(name); err != nil {
			return nil, err
		}
		chosen.files = append(chosen.files, chosen.absolute(name))
	}
	chosen.envFiles = chosen.namedEnvFiles()
	chosen.workingDir = chosen.projectDir()
	if err := chosen.addEnvFiles(); err != nil {
		return nil, err
	}
	if len(chosen.files) > 0 {
		return chosen, nil
	}
	if err := chosen.findFiles(); err != nil {
		return nil, err
	}
	dir := chosen.projectDir()
	moved := dir != chosen.workingDir
	chosen.workingDir = dir
	if moved && len(chosen.envFiles) == 0 {
		return chosen, chosen.addEnvFiles()
	}
	return chosen, nil
}

// absolute resolves a path against the current folder, "~" against the home folder.
func (s *setting) absolute(path string) string {
	if path == stdin {
		return path
	}
	if rest, ok := strings.CutPrefix(path, "~"); ok && (rest == "" || os.IsPathSeparator(rest[0])) {
		path = filepath.Join(s.environment["HOME"], rest)
	}
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(s.options.Dir, path)
}

// projectDir is what relative paths of the files are relative to: --project-directory, else the folder of the first file, else
// the current one.
func (s *setting) projectDir() string {
	if s.options.ProjectDirectory != "" {
		return s.absolute(s.options.ProjectDirectory)
	}
	for _, file := range s.files {
		if file != stdin {
			return filepath.Dir(file)
		}
	}
	return s.options.Dir
}

// findFiles takes the files that COMPOSE_FILE names, else looks in the project's folder and in those above it.
func (s *setting) findFiles() error {
	if names := s.environment[consts.ComposeFilePath]; names != "" {
		return s.takeFiles(names)
	}
	s.origin = "found in this folder or above"
	for dir := s.workingDir; ; dir = filepath.Dir(dir) {
		if file := s.pick("config", dir, cli.DefaultFileNames); file != "" {
			s.files = []string{file}
			if override := s.pick("override", dir, cli.DefaultOverrideFileNames); override != "" {
				s.files = append(s.files, override)
			}
			return nil
		}
		if dir == filepath.Dir(dir) {
			return nil
		}
	}
}

func (s *setting) takeFiles(names string) error {
	separator := s.environment[consts.ComposePathSeparator]
	if separator == "" {
		separator = string(os.PathListSeparator)
	}
	s.origin = "set by COMPOSE_FILE"
	for name := range strings.SplitSeq(names, separator) {
		if err := refuseRemote(name); err != nil {
			return err
		}
		s.files = append(s.files, s.absolute(name))
	}
	return nil
}

// pick is the first of the names that the folder has; a second one is worth a warning.
func (s *setting) pick(kind, dir string, names []string) string {
	var found []string
	for _, name := range names {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			found = append(found, filepath.Join(dir, name))
		}
	}
	if len(found) == 0 {
		return ""
	}
	if len(found) > 1 {
		message := fmt.Sprintf("Found multiple %s files with supported names: %s", kind, strings.Join(found, ", "))
		s.warnings = append(s.warnings, Warning{Message: message, Hint: "Using " + found[0]})
	}
	return found[0]
}

func (s *setting) warn(message string) {
	s.warnings = append(s.warnings, Warning{Message: clean(message)})
}

// profiles are those of --profile, else those of COMPOSE_PROFILES.
func (s *setting) profiles() []string {
	if len(s.options.Profiles) > 0 {
		return s.options.Profiles
	}
	var profiles []string
	for name := range strings.SplitSeq(s.environment[consts.ComposeProfiles], ",") {
		if name = strings.TrimSpace(name); name != "" {
			profiles = append(profiles, name)
		}
	}
	return profiles
}

// refuseRemote is an error for what docker compose would fetch.
func refuseRemote(path string) error {
	if !isRemote(path) {
		return nil
	}
	return fmt.Errorf("remote files are not supported yet: %s", quote(path))
}

func isRemote(path string) bool {
	prefixes := []string{"oci://", "git://", "git@", "ssh://", "http://", "https://", "github.com/"}
	return slices.ContainsFunc(prefixes, func(prefix string) bool { return strings.HasPrefix(path, prefix) })
}
