package step_test

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/step"
	"github.com/muster-dev/muster/project"
)

// keeper is an engine that takes files, and tells what it is asked for.
type keeper struct {
	engine.Engine
	calls   []string
	taken   int   // how many creations find the name taken
	refuses error // what becomes of archives
	ended   context.CancelFunc
}

func (k *keeper) CreateContainer(_ context.Context, request engine.CreateContainer) (engine.Created, error) {
	mount := request.Mounts[0]
	k.calls = append(k.calls, fmt.Sprintf("create %s of %s, %s at %s, nocopy %v, network %s, for %s",
		request.Name, request.Image, mount.Source, mount.Target, mount.Volume.NoCopy, request.NetworkMode, request.Labels[project.LabelFiles]))
	if k.taken--; k.taken >= 0 {
		return engine.Created{}, engine.ErrConflict
	}
	return engine.Created{}, nil
}

func (k *keeper) RemoveContainer(ctx context.Context, ref string, _ engine.RemoveContainer) error {
	k.calls = append(k.calls, "remove "+ref)
	return ctx.Err()
}

func (k *keeper) PutArchive(_ context.Context, ref, folder string, content io.Reader, _ engine.PutArchive) error {
	if k.ended != nil {
		k.ended()
	}
	archive := tar.NewReader(content)
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return k.refuses
		} else if err != nil {
			return err
		}
		text, err := io.ReadAll(archive)
		if err != nil {
			return err
		}
		k.calls = append(k.calls, fmt.Sprintf("put %s:%s %s %d:%d:%04o %s", ref, folder, header.Name, header.Uid, header.Gid, header.Mode, text))
	}
}

func files() []step.File {
	const owner, mode = 103, 0o440
	return []step.File{
		{Name: "secret password", Path: "/run/secrets/password", UID: owner, GID: owner, Mode: mode, Content: project.NewContent([]byte("hunter2"))},
		{Name: "config settings", Path: "settings", Mode: 0o444},
	}
}

func TestCopyFiles(t *testing.T) {
	t.Parallel()
	k := &keeper{}
	copies := step.CopyFiles{Target: step.Target{Name: "web"}, Folder: "/", Files: files()}
	if err := copies.Run(t.Context(), k, nil); err != nil {
		t.Fatal(err)
	}
	want := []string{"put web:/ run/secrets/password 103:103:0440 hunter2", "put web:/ settings 0:0:0444 "}
	if !slices.Equal(k.calls, want) {
		t.Errorf("calls %q, want %q", k.calls, want)
	}
	if text := fmt.Sprintf("%s %v %+v %#v", copies, copies, copies, copies); strings.Contains(text, "hunter2") {
		t.Errorf("the step tells the secret: %s", text)
	}
}

func TestFillVolume(t *testing.T) {
	t.Parallel()
	const create = "create web_files of box, web_files at /files, nocopy true, network none, for p"
	const put = "put web_files:/files run/secrets/password 103:103:0440 hunter2"
	const settings = "put web_files:/files settings 0:0:0444 "
	fails := errors.New("no more room")
	for name, test := range map[string]struct {
		keeper keeper
		want   []string
		err    error
	}{
		"well":          {keeper{}, []string{create, put, settings, "remove web_files"}, nil},
		"cut short":     {keeper{taken: 1}, []string{create, "remove web_files", create, put, settings, "remove web_files"}, nil},
		"always taken":  {keeper{taken: 2}, []string{create, "remove web_files", create, "remove web_files"}, engine.ErrConflict},
		"refused":       {keeper{refuses: fails}, []string{create, put, settings, "remove web_files"}, fails},
		"ended by user": {keeper{refuses: context.Canceled}, []string{create, put, settings, "remove web_files"}, context.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			k := test.keeper
			if errors.Is(test.err, context.Canceled) {
				k.ended = cancel
			}
			fill := step.FillVolume{Target: step.Target{Name: "web"}, Volume: "web_files", Image: "box", Project: "p", Files: files()}
			if err := fill.Run(ctx, &k, nil); !errors.Is(err, test.err) {
				t.Errorf("error %v, want %v", err, test.err)
			}
			if !slices.Equal(k.calls, test.want) {
				t.Errorf("calls %q, want %q", k.calls, test.want)
			}
		})
	}
}
