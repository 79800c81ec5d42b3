package project

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// maxContent is the most that a secret or a config may hold.
const maxContent = 64 << 20

// errContentTooLarge is what [readContent] returns for more than [maxContent].
var errContentTooLarge = errors.New("is larger than 64 MB")

// Content is what a secret or a config holds. Its text is only its size, so that it gets into no message by accident.
type Content struct{ bytes []byte }

// NewContent keeps the bytes, which must not change any more.
func NewContent(content []byte) Content { return Content{content} }

// Bytes are the content itself. They must not be changed, nor shown.
func (c Content) Bytes() []byte { return c.bytes }

func (c Content) String() string { return fmt.Sprintf("(%d bytes)", len(c.bytes)) }

// GoString is String, for %#v.
func (c Content) GoString() string { return c.String() }

// ReadContents reads what the secrets and configs hold: from files, from the environment, from the model itself. It keeps digests of
// all, and the contents of those that have to be copied into containers. It is the one method that changes the project: call it
// before others read it.
//
// The error is a [*LoadError] with all files that are missing or cannot be read, profiles of seccomp among them, and all variables
// that are not set.
func (p *Project) ReadContents() error {
	r := contentReader{project: p, uses: p.fileUses(), digests: map[string]string{}, contents: map[string]Content{}}
	for _, name := range keys(p.Secrets) {
		r.read("secret", name, FileObject(p.Secrets[name]))
	}
	for _, name := range keys(p.Configs) {
		r.read("config", name, FileObject(p.Configs[name]))
	}
	r.profiles()
	if len(r.problems) > 0 {
		return loadError(r.problems, p.places.sources())
	}
	p.Digests, p.contents = r.digests, r.contents
	return nil
}

// Content is what a secret or config holds, by [SecretKey] or [ConfigKey], where it has to be copied into containers: see
// [IsCopied]. There is none before [Project.ReadContents].
func (p *Project) Content(key string) (Content, bool) {
	content, ok := p.contents[key]
	return content, ok
}

// IsCopied says whether a use of a secret or config is a copy in the container. Else it is the file itself, bound for reading, as docker
// compose has it: that has the owner and the mode that it has on the engine's host.
func IsCopied(use FileReference, object FileObject) bool {
	return !bool(object.External) && (object.File == "" || use.UID != "" || use.GID != "" || use.Mode != nil)
}

// fileUses are the secrets and configs that enabled services use, by key; true where a use is a copy.
func (p *Project) fileUses() map[string]bool {
	uses := map[string]bool{}
	for _, service := range p.fileUsers() {
		for _, use := range service.Secrets {
			key := SecretKey(use.Source)
			uses[key] = IsCopied(FileReference(use), FileObject(p.Secrets[use.Source])) || uses[key]
		}
		for _, use := range service.Configs {
			key := ConfigKey(use.Source)
			uses[key] = IsCopied(FileReference(use), FileObject(p.Configs[use.Source])) || uses[key]
		}
	}
	return uses
}

// fileUsers are the enabled services, and what their pre_start hooks run in.
func (p *Project) fileUsers() []Service {
	var users []Service
	for _, service := range p.Services {
		users = append(users, service)
		for _, hook := range PreStarts(p, service) {
			users = append(users, hook.Service)
		}
	}
	return users
}

// contentReader collects what secrets and configs hold.
type contentReader struct {
	project  *Project
	uses     map[string]bool
	digests  map[string]string
	contents map[string]Content
	problems []Problem
}

// read reads one of either kind. Variables are only missed where a service uses them: those of builds are the builds' concern.
func (r *contentReader) read(kind, name string, object FileObject) {
	key := kind + " " + name
	copied, used := r.uses[key]
	path := kind + "s." + name
	var content []byte
	switch {
	case bool(object.External):
		return
	case object.File != "":
		var err error
		if content, err = readContent(r.project.absolute(object.File)); err != nil {
			path += ".file"
			r.problems = append(r.problems, r.project.places.problem(path, fileMessage("file", object.File, err), ""))
			return
		}
	case object.Environment != "":
		value, isSet := r.variable(object)
		if !isSet && used {
			r.problems = append(r.problems, r.project.places.problem(path+".environment", fmt.Sprintf(
				"environment variable %s required by %s %s is not set", quote(object.Environment), kind, quote(name)), ""))
		}
		if !isSet {
			return
		}
		content = []byte(value)
	default:
		content = []byte(object.Content)
	}
	if copied {
		r.contents[key] = NewContent(content)
	}
	if key == ConfigKey(apiSocketConfig) {
		return // credentials come and go: that is no change of the file
	}
	sum := sha256.Sum256(content)
	r.digests[key] = hex.EncodeToString(sum[:])
}

// variable is the value that a secret or config has from the environment. Loading has put it into the model, which counts for what an
// included file's own env file says; an empty one cannot be told from none there.
func (r *contentReader) variable(object FileObject) (value string, isSet bool) {
	if object.Content != "" {
		return object.Content, true
	}
	value, isSet = r.project.Environment[object.Environment]
	return value, isSet
}

// absolute resolves a path of the model that loading may have left relative.
func (p *Project) absolute(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(p.WorkingDir, path)
}

// readContent reads a regular file.
func readContent(path string) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular() && path != os.DevNull:
		return nil, fmt.Errorf("%s is not a regular file", path)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	var content bytes.Buffer
	size, err := io.Copy(&content, io.LimitReader(file, maxContent+1))
	switch {
	case err != nil:
		return nil, err
	case size > maxContent:
		return nil, errContentTooLarge
	}
	return content.Bytes(), nil
}
