package buildkittest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/moby/buildkit/session"
	"github.com/moby/buildkit/session/filesync"
	"github.com/moby/patternmatcher/ignorefile"
	"github.com/tonistiigi/fsutil"
	"github.com/tonistiigi/fsutil/types"
)

// syncer brings files of the client's.
type syncer struct {
	server  *Server
	caller  session.Caller
	job     *job
	ignore  []byte          // what the Dockerfile's own ignore file says; nil where there is none
	sources []string        // what is needed of the context
	files   map[string]File // of the context, by absolute path
}

// tree is a folder of files that a client sent: what of it has not changed is not sent again.
type tree struct {
	mutex  sync.Mutex // one transfer at a time
	folder string
}

// dockerfile brings the Dockerfile, and the ignore file beside it.
func (s *syncer) dockerfile(ctx context.Context, folder, name string) (string, []byte, error) {
	wanted := []string{name, name + ".dockerignore"}
	if path.Base(name) == "Dockerfile" {
		wanted = append(wanted, path.Join(path.Dir(name), "dockerfile"))
	}
	files, err := s.bring(ctx, folder, "[internal] load build definition from "+name, transfer{follow: wanted})
	if err != nil {
		return "", nil, err
	}
	if ignore, ok := files["/"+name+".dockerignore"]; ok {
		s.ignore = ignore.Content
	}
	for _, candidate := range []string{name, wanted[len(wanted)-1]} {
		if found, ok := files["/"+candidate]; ok {
			return name, found.Content, nil
		}
	}
	return "", nil, fmt.Errorf("failed to read dockerfile: open %s: no such file or directory", name)
}

// context brings what is needed of the context, without what an ignore file excludes.
func (s *syncer) context(ctx context.Context) error {
	ignore := s.ignore
	if ignore == nil {
		files, err := s.bring(ctx, "context", "[internal] load .dockerignore", transfer{follow: []string{".dockerignore"}, key: "ignore"})
		if err != nil {
			return err
		}
		ignore = files["/.dockerignore"].Content
	}
	excluded, err := ignorefile.ReadAll(bytes.NewReader(ignore))
	if err != nil {
		return err
	}
	wanted := transfer{exclude: excluded, follow: s.sources}
	if slices.Contains(s.sources, "/") {
		wanted.follow = nil
	}
	s.files, err = s.bring(ctx, "context", "[internal] load build context", wanted)
	return err
}

// transfer says what is to be brought.
type transfer struct {
	exclude []string
	follow  []string
	key     string // tells transfers of the same folder apart
}

func (s *syncer) bring(ctx context.Context, name, step string, what transfer) (files map[string]File, err error) {
	v := s.job.begin(step)
	files, err = s.receive(ctx, name, v, what)
	return files, v.end(err)
}

func (s *syncer) receive(ctx context.Context, name string, v *vertex, what transfer) (map[string]File, error) {
	t, err := s.server.tree(s.caller.SharedKey(), name, what.key)
	if err != nil {
		return nil, err
	}
	t.mutex.Lock()
	defer t.mutex.Unlock()
	err = filesync.FSSync(ctx, s.caller, filesync.FSSendRequestOpt{
		Name: name, DestDir: t.folder, ExcludePatterns: what.exclude, FollowPaths: what.follow, Differ: fsutil.DiffMetadata,
		ProgressCb: func(size int, _ bool) { v.transferred("transferring "+name, int64(size)) },
		Filter: func(_ string, stat *types.Stat) bool {
			stat.Uid, stat.Gid = uint32(os.Getuid()), uint32(os.Getgid()) //nolint:gosec // not negative where owners are set
			return true
		},
	})
	if err != nil {
		return nil, err
	}
	return readFiles(t.folder)
}

// tree is the folder for what a client sends under a name.
func (s *Server) tree(key ...string) (*tree, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.folder == "" {
		folder, err := os.MkdirTemp("", "buildkittest-")
		if err != nil {
			return nil, err
		}
		s.folder = folder
	}
	name := hash(key...)
	if found, ok := s.synced[name]; ok {
		return found, nil
	}
	t := &tree{folder: filepath.Join(s.folder, name)}
	s.synced[name] = t
	return t, os.Mkdir(t.folder, 0o700)
}

// readFiles reads a folder's regular files, and links to such within it, by absolute path.
func readFiles(folder string) (map[string]File, error) {
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil, err
	}
	defer root.Close() //nolint:errcheck // only read
	files := map[string]File{}
	return files, fs.WalkDir(root.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := root.Stat(name)
		if err != nil || !info.Mode().IsRegular() {
			return nil // a link that leads nowhere, or out of it
		}
		content, err := root.ReadFile(name)
		if err != nil {
			return err
		}
		const executable = 0o111
		files["/"+name] = newFile(content, info.Mode()&executable != 0)
		return nil
	})
}

func newFile(content []byte, executable bool) File {
	sum := sha256.Sum256(content)
	file := File{Content: content, Size: int64(len(content)), Digest: hex.EncodeToString(sum[:]), Executable: executable}
	if len(content) > MaxKept {
		file.Content = nil
	}
	return file
}

// store is the files that a program sees while it runs.
type store struct {
	mutex sync.Mutex
	files map[string]File
}

func newTree(files map[string]File) *store { return &store{files: maps.Clone(files)} }

// ReadFile implements testbox.Files.
func (s *store) ReadFile(name string) ([]byte, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	file, ok := s.files[path.Clean(name)]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	if file.Content == nil && file.Size > 0 {
		return nil, errors.New(strings.TrimPrefix(name, "/") + " is too big to be kept")
	}
	return file.Content, nil
}

// WriteFile implements testbox.Files.
func (s *store) WriteFile(name string, content []byte) error {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.files[path.Clean(name)] = newFile(bytes.Clone(content), false)
	return nil
}
