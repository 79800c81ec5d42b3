package buildkit

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/distribution/reference"
	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"
	"github.com/tonistiigi/fsutil"
	"github.com/tonistiigi/fsutil/types"

	"github.com/muster-dev/muster/convergence/engine"
)

// The names under which BuildKit asks for the context and for the folder of the Dockerfile (buildkit, frontend/dockerui).
const (
	contextName    = "context"
	dockerfileName = "dockerfile"
	// namedPrefix keeps what the user calls contexts apart from these.
	namedPrefix = "named-"
)

// source is what a build reads on this side.
type source struct {
	folder     string             // of the context; empty where the engine fetches it
	folders    map[string]offered // what BuildKit may ask for
	attributes map[string]string  // of the request, to say where things are
	dockerfile string             // as messages name it
	content    []byte             // of the Dockerfile; nil where the engine fetches it
	ignore     *patternmatcher.PatternMatcher
	ignoreFile string // the name of the file that ignore was read from
	sharedKey  string
	stores     stores
}

// openSource looks at all that will be read and says what is wrong with it before anything is sent.
func openSource(request engine.BuildImage) (*source, error) {
	s := &source{folders: map[string]offered{}, attributes: map[string]string{}}
	if filepath.IsAbs(request.Context) {
		if err := s.openContext(request.Context); err != nil {
			return nil, err
		}
	} else {
		s.attributes[contextName] = request.Context
	}
	s.sharedKey = sharedKey(request.Context)
	if err := s.openDockerfile(request); err != nil {
		return nil, err
	}
	for name, place := range request.AdditionalContexts {
		if err := s.addNamed(name, place); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// sharedKey is what BuildKit remembers a context's files under: with the same key only what changed since is sent. It names
// this machine too, because several may build with the same engine. (buildkit, the session's shared key)
func sharedKey(context string) string {
	host, _ := os.Hostname()
	machine, _ := os.ReadFile("/etc/machine-id") // where there is none the host's name has to do
	return digest(host, string(machine), context)
}

// digest tells texts apart.
func digest(texts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(texts, "\x00")))
	return hex.EncodeToString(sum[:])
}

// offer adds a folder that BuildKit may ask for; two with the same identity have the same files.
func (s *source) offer(name string, files fsutil.FS, identity string) {
	s.folders[name] = offered{FS: files, identity: identity}
}

func (s *source) openContext(folder string) error {
	context, err := openFolder("the build context", folder)
	if err != nil {
		return err
	}
	s.folder = folder
	s.offer(contextName, context, folder)
	return nil
}

// openFolder is a folder whose files can be sent. Owners are not: they mean nothing on another machine.
func openFolder(what, folder string) (fsutil.FS, error) {
	info, err := os.Stat(folder)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, advised{fmt.Errorf("%s %s does not exist", what, folder), "check the path, which is relative to the project's folder"}
	case err != nil:
		return nil, fmt.Errorf("%s: %w", what, err)
	case !info.IsDir():
		return nil, advised{
			fmt.Errorf("%s %s is not a folder", what, folder), "name the folder that it is in; the Dockerfile is named by dockerfile",
		}
	}
	opened, err := os.Open(folder)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	_ = opened.Close()
	files, err := fsutil.NewFS(folder)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	return fsutil.NewFilterFS(files, &fsutil.FilterOpt{Map: func(_ string, stat *types.Stat) fsutil.MapResult {
		stat.Uid, stat.Gid = 0, 0
		return fsutil.MapResultKeep
	}})
}

// addNamed is a context beside the main one: a folder or an OCI layout here, or what the engine fetches.
func (s *source) addNamed(name, place string) error {
	name = contextKey(name)
	switch {
	case strings.HasPrefix(place, layoutPrefix):
		layout, err := s.stores.addLayout(place)
		if err != nil {
			return fmt.Errorf("the additional context %q: %w", name, err)
		}
		place = layout
	case filepath.IsAbs(place):
		return s.addFolder(name, place)
	}
	s.attributes[contextPrefix+name] = place
	return nil
}

// contextPrefix is before the name of an additional context (buildkit, frontend/dockerui).
const contextPrefix = "context:"

// contextKey is the form in which BuildKit looks names of contexts up.
func contextKey(name string) string {
	named, err := reference.ParseNormalizedNamed(name)
	if err != nil {
		return name
	}
	return strings.TrimSuffix(reference.FamiliarString(named), ":latest")
}

// addFolder is a folder here as a context beside the main one.
func (s *source) addFolder(name, place string) error {
	files, err := openFolder(fmt.Sprintf("the additional context %q", name), place)
	if err != nil {
		return err
	}
	s.attributes[contextPrefix+name] = "local:" + namedPrefix + name
	s.offer(namedPrefix+name, files, place)
	return nil
}

// readIgnore reads the patterns of what is not to be sent, which BuildKit will ask for and apply: those beside the Dockerfile,
// under its name, else those of the context.
func (s *source) readIgnore(content []byte, name string) error {
	if content == nil && s.folder != "" {
		var err error
		name = ".dockerignore"
		content, err = os.ReadFile(filepath.Join(s.folder, name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	patterns, err := ignorefile.ReadAll(strings.NewReader(string(content)))
	if err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	s.ignoreFile = name
	if s.ignore, err = patternmatcher.New(patterns); err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	return nil
}
