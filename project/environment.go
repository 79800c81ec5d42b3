package project

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/compose-spec/compose-go/v2/consts"
	"github.com/compose-spec/compose-go/v2/dotenv"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/compose-spec/compose-go/v2/utils"
)

// Environment is the variables that the files of a project see: the process environment, then what --env-file names, or else
// the `.env` of the current folder, then that of the project's folder. What comes first wins. The COMPOSE_* settings are
// among them.
//
// The error is a [*LoadError] where an env file does not parse, otherwise says which file cannot be read.
func Environment(options Options) (map[string]string, error) {
	chosen, err := settle(options)
	if err != nil {
		return nil, err
	}
	return chosen.environment, nil
}

// processEnvironment is the environment as a map. PWD is set where it was not, because files use it.
func processEnvironment(options Options) types.Mapping {
	environment := types.Mapping(utils.GetAsEqualsMap(options.Env))
	if _, set := environment["PWD"]; !set {
		environment["PWD"] = options.Dir
	}
	return environment
}

// namedEnvFiles are the env files that --env-file or COMPOSE_ENV_FILES name, absolute.
func (s *setting) namedEnvFiles() []string {
	names := s.options.EnvFiles
	if len(names) == 0 {
		names = strings.FieldsFunc(s.environment["COMPOSE_ENV_FILES"], func(c rune) bool { return c == ',' })
	}
	files := make([]string, len(names))
	for i, name := range names {
		files[i] = s.absolute(name)
	}
	return files
}

// addEnvFiles adds the variables of the env files, or of the default one, to those that are there already.
func (s *setting) addEnvFiles() error {
	files := s.envFiles
	if len(files) == 0 {
		file, err := s.defaultEnvFile()
		if err != nil || file == "" {
			return err
		}
		files = []string{file}
	}
	variables, err := readEnvFiles(s.environment, files, s.options.Dir)
	if err != nil {
		return err
	}
	s.environment.Merge(variables)
	return nil
}

// defaultEnvFile is the `.env` of the project's folder; empty where there is none or it is not to be read.
func (s *setting) defaultEnvFile() (string, error) {
	if value := s.environment[consts.ComposeDisableDefaultEnvFile]; value != "" {
		disabled, err := strconv.ParseBool(value)
		if err != nil {
			return "", fmt.Errorf("%s is neither true nor false: %s", consts.ComposeDisableDefaultEnvFile, quote(value))
		}
		if disabled {
			return "", nil
		}
	}
	file := filepath.Join(s.workingDir, dotenv.DotEnv)
	info, err := os.Stat(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", nil
	case errors.Is(err, fs.ErrPermission):
		s.warn(fmt.Sprintf("cannot access %s, ignoring default env file", file))
		return "", nil
	case err != nil:
		return "", err
	case info.IsDir():
		return "", nil
	}
	return file, nil
}
