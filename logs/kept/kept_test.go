package kept

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/logs"
)

// written is an engine whose containers have all written the same.
type written struct {
	logs.Engine
	lines []string
	err   error
}

func (w written) Logs(_ context.Context, _ string, _ engine.LogOptions, yield func(engine.Frame) error) error {
	for i, text := range w.lines {
		stamp := time.Date(2026, 11, 30, 12, 0, 0, i+1, time.UTC).Format("2006-01-02T15:04:05.000000000Z07:00")
		if err := yield(engine.Frame{Stream: engine.Stdout, Data: []byte(stamp + " " + text + "\n")}); err != nil {
			return err
		}
	}
	return w.err
}

func container(project, service string, number int, id string) engine.ContainerDetails {
	return engine.ContainerDetails{
		Container: engine.Container{
			ID: id, Name: fmt.Sprintf("%s-%s-%d", project, service, number), Project: project, Service: service, Number: number,
			State: engine.StateExited, ExitCode: 3,
		},
		FinishedAt: time.Date(2026, 11, 30, 12, 0, 1, 0, time.UTC),
	}
}

func shown(t *testing.T, s *Store) (lines []string) {
	t.Helper()
	containers, err := s.Previous("shop")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range containers {
		for _, item := range c.Items {
			text := string(item.Text)
			if item.Kind == logs.KindExited {
				text = fmt.Sprintf("exit %d", item.ExitCode)
			}
			lines = append(lines, c.Source.Name()+" "+text)
		}
	}
	return lines
}

func keep(t *testing.T, s *Store, c engine.ContainerDetails, lines ...string) {
	t.Helper()
	if err := s.Keep(t.Context(), written{lines: lines}, c); err != nil {
		t.Fatal(err)
	}
}

func TestKeep(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "state", "logs")
	policy := Policy{Containers: 2, Bytes: 100}
	s := New(folder, "engine-1", policy)
	if lines := shown(t, s); lines != nil {
		t.Errorf("got %q before there was any", lines)
	}
	keep(t, s, container("shop", "web", 1, "a"), "old")
	keep(t, s, container("shop", "web", 1, "b"), "new", "bytes \xff")
	keep(t, s, container("shop", "api", 2, "c"), strings.Repeat("x", 90), "0123456789")
	keep(t, s, container("shop", "silent", 1, "d"))
	keep(t, s, container("other", "web", 1, "e"), "of another project")
	keep(t, New(folder, "engine-2", policy), container("shop", "web", 1, "f"), "of another engine")
	want := []string{"api-2 " + strings.Repeat("x", 90), "api-2 0123456789", "api-2 exit 3", "web-1 new", "web-1 bytes \xff", "web-1 exit 3"}
	if got := shown(t, s); !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	keep(t, s, container("shop", "api", 2, "g"), strings.Repeat("x", 90), "0123456789a")
	if got := shown(t, s)[0]; got != "api-2 0123456789a" {
		t.Errorf("more than the policy allows: %q", got)
	}
	err := filepath.WalkDir(folder, func(path string, one fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := one.Info()
		if want := fs.FileMode(private); err == nil && !one.IsDir() && info.Mode().Perm() != want {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		if err == nil && one.IsDir() && info.Mode().Perm() != privateFolder {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// Whatever names come from an engine, nothing is written beside the folder, and it is found again.
func TestHostileNames(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	for i, name := range []string{
		"../../escaped", "..", ".", "", "/etc", "a/b", "a\\b", "a~b", "~x", strings.Repeat("n", 300), "new\nline", "nul\x00", "-rf", "CON", "ü",
	} {
		s := New(filepath.Join(base, "logs"), name, Policy{Containers: 1, Bytes: 1 << 10})
		c := container(name, name, i, name)
		if err := s.Keep(t.Context(), written{lines: []string{"text"}}, c); err != nil {
			t.Errorf("%q: %v", name, err)
		}
		found, err := s.Previous(name)
		if err != nil || len(found) != 1 || found[0].Source.Service != name || found[0].Source.Number != i {
			t.Errorf("%q: found %v: %v", name, found, err)
		}
	}
	entries, err := os.ReadDir(base)
	if err != nil || len(entries) != 1 {
		t.Errorf("beside the folder is %v: %v", entries, err)
	}
}

func TestLinksLeadNowhere(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	outside := filepath.Join(base, "outside")
	folder := filepath.Join(base, "logs")
	if err := errors.Join(os.Mkdir(outside, 0o700), os.MkdirAll(filepath.Join(folder, "engine"), 0o700),
		os.Symlink(outside, filepath.Join(folder, "engine", "shop"))); err != nil {
		t.Fatal(err)
	}
	s := New(folder, "engine", Policy{Containers: 1, Bytes: 100})
	if err := s.Keep(t.Context(), written{lines: []string{"text"}}, container("shop", "web", 1, "a")); err == nil {
		t.Error("it went through a link")
	}
	if entries, _ := os.ReadDir(outside); len(entries) > 0 {
		t.Errorf("outside is %v", entries)
	}
}

func TestPrune(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	s := New(folder, "engine", Policy{Containers: 2, Bytes: 100})
	for i := range 5 {
		keep(t, s, container("shop", "web", 1, fmt.Sprint(i)), fmt.Sprint(i))
		keep(t, s, container("shop", "web", 2, fmt.Sprint(i)), fmt.Sprint(i))
	}
	project := filepath.Join(folder, "engine", "shop")
	if entries, _ := os.ReadDir(project); len(entries) != 4 {
		t.Errorf("got %v, want two of each replica", entries)
	}
	source := logs.Source{Service: "web", Number: 3, ContainerID: "x"}
	stale := filepath.Join(project, fileName(source, time.Now().Add(-oldest-time.Hour)))
	part := filepath.Join(project, "half"+partEnding)
	long := time.Now().Add(-2 * unfinished)
	foreign := filepath.Join(project, "notes.txt")
	for _, path := range []string{stale, part, foreign} {
		if err := errors.Join(os.WriteFile(path, nil, 0o600), os.Chtimes(path, long, long)); err != nil {
			t.Fatal(err)
		}
	}
	empty := filepath.Join(folder, "gone", "gone")
	if err := os.MkdirAll(empty, 0o700); err != nil {
		t.Fatal(err)
	}
	s.Sweep()
	for path, there := range map[string]bool{stale: false, part: false, foreign: true, project: true, empty: false, filepath.Dir(empty): false} {
		if _, err := os.Stat(path); (err == nil) != there {
			t.Errorf("%s: %v", path, err)
		}
	}
	New(filepath.Join(folder, "nowhere"), "engine", Policy{}).Sweep()
}

func TestProjectIsBounded(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	s := New(folder, "engine", Policy{Containers: 1, Bytes: 1000})
	for i := range 60 {
		keep(t, s, container("shop", "web", i, fmt.Sprint(i)), strings.Repeat("x", 900))
	}
	var size int64
	entries, _ := os.ReadDir(filepath.Join(folder, "engine", "shop"))
	for _, one := range entries {
		info, err := one.Info()
		if err != nil {
			t.Fatal(err)
		}
		size += info.Size()
	}
	if size > s.policy.project() || size < s.policy.project()/2 {
		t.Errorf("got %d bytes of %d", size, s.policy.project())
	}
	if lines := shown(t, s); !strings.HasPrefix(lines[len(lines)-1], "web-59 ") {
		t.Errorf("the newest is gone: %q", lines[len(lines)-1])
	}
}

func TestKeepAtOnce(t *testing.T) {
	t.Parallel()
	s := New(filepath.Join(t.TempDir(), "logs"), "engine", Policy{Containers: 1, Bytes: 100})
	var group errgroup.Group
	for i := range 50 {
		group.Go(func() error {
			c := container("shop", "web", i%10, fmt.Sprint(i))
			return s.Keep(t.Context(), written{lines: []string{"text"}}, c)
		})
	}
	if err := group.Wait(); err != nil {
		t.Error(err)
	}
	if containers, err := s.Previous("shop"); err != nil || len(containers) != 10 {
		t.Errorf("got %d: %v", len(containers), err)
	}
}

func TestWhatCannotBeKept(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	s := New(folder, "engine", Policy{Containers: 1, Bytes: 100})
	c := container("shop", "web", 1, "a")
	if err := s.Keep(t.Context(), written{err: engine.ErrUnsupported}, c); err != nil {
		t.Errorf("a driver that cannot read: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Keep(ctx, written{lines: []string{"x"}, err: context.Canceled}, c); err == nil {
		t.Error("a call that was canceled has kept something")
	}
	off := New(folder, "engine", Policy{})
	if err := off.Keep(t.Context(), written{lines: []string{"x"}}, c); err != nil {
		t.Error(err)
	}
	if entries, _ := os.ReadDir(folder); len(entries) > 0 {
		t.Errorf("got %v", entries)
	}
	keep(t, s, c, "good")
	project := filepath.Join(folder, "engine", "shop")
	for i, content := range []string{"", "{", "{\"version\":99}\n", "{\"version\":1}\nnonsense"} {
		source := logs.Source{Service: "bad", Number: i, ContainerID: "x"}
		if err := os.WriteFile(filepath.Join(project, fileName(source, time.Now())), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	containers, err := s.Previous("shop")
	if err == nil || len(containers) != 1 || !strings.Contains(err.Error(), "version 99") {
		t.Errorf("got %v: %v", containers, err)
	}
}
