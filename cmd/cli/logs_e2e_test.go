//go:build e2e

package cli_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/muster-dev/muster/cmd/cli"
	"github.com/muster-dev/muster/convergence/engine/docker"
)

const (
	numbersProject = "muster-logs-numbers"
	numbersImage   = "muster-test/logs-numbers:latest"
	numbering      = 20 // services, each with a container that writes "line 1", "line 2", ...
)

// crowd are containers that write numbered lines while they are restarted, recreated and scaled under `logs -f`.
type crowd struct {
	t    *testing.T
	app  cli.App
	file string
	out  growing
}

// growing is what a command has written so far.
type growing struct {
	mutex  sync.Mutex
	buffer bytes.Buffer
	change chan struct{} // holds a token after a change
}

func (g *growing) Write(data []byte) (int, error) {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	select {
	case g.change <- struct{}{}:
	default:
	}
	return g.buffer.Write(data)
}

func (g *growing) String() string {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	return g.buffer.String()
}

func newCrowd(t *testing.T) *crowd {
	t.Helper()
	client, err := docker.Dial(t.Context(), docker.Options{Env: os.Getenv})
	if err != nil {
		t.Fatalf("connect to engine: %v", err)
	}
	t.Cleanup(func() { _ = client.Close() })
	_, err = client.ImportImage(t.Context(), docker.ScratchImage{
		Ref: numbersImage, Files: map[string]docker.ScratchFile{"/testbox": {Content: buildTestbox(t)}},
		Entrypoint: []string{"/testbox"},
	})
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	c := &crowd{
		t: t, file: filepath.Join(folder, "compose.yaml"), out: growing{change: make(chan struct{}, 1)},
		app: cli.App{Env: append(os.Environ(), "HOME="+folder), Dir: folder},
	}
	c.define(1)
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		c.must(ctx, "down", "-t", "0")
		if err := client.RemoveImage(ctx, numbersImage); err != nil {
			t.Error(err)
		}
	})
	return c
}

// define writes the file; another version recreates every container but the one that writes nothing: it keeps `logs -f` going while
// all others are between two runs.
func (c *crowd) define(version int) {
	c.t.Helper()
	content := fmt.Sprintf("services:\n  keeper: {image: %q, stop_grace_period: 0s, command: [-stay]}\n", numbersImage)
	for i := range numbering {
		content += fmt.Sprintf("  s%02d: {image: %q, environment: {VERSION: '%d'}, stop_grace_period: 0s, command: [-every, 2ms, -lines, '-1']}\n",
			i, numbersImage, version)
	}
	if err := os.WriteFile(c.file, []byte(content), 0o600); err != nil {
		c.t.Fatal(err)
	}
}

// numbered are the services that write.
func numbered() []string {
	names := make([]string, numbering)
	for i := range names {
		names[i] = fmt.Sprintf("s%02d", i)
	}
	return names
}

func (c *crowd) run(ctx context.Context, app cli.App, arguments ...string) int {
	return cli.Main(ctx, append([]string{"-p", numbersProject, "-f", c.file, "--progress", "quiet"}, arguments...), app)
}

func (c *crowd) must(ctx context.Context, arguments ...string) string {
	c.t.Helper()
	var out, errOut strings.Builder
	app := c.app
	app.In, app.Out, app.Err = strings.NewReader(""), &out, &errOut
	if code := c.run(ctx, app, arguments...); code != 0 {
		c.t.Fatalf("muster %v: exit %d\n%s", arguments, code, errOut.String())
	}
	return out.String()
}

// follow runs `logs -f` beside act, until all containers have ended.
func (c *crowd) follow(act func()) {
	c.t.Helper()
	var errOut strings.Builder
	app := c.app
	app.In, app.Out, app.Err = strings.NewReader(""), &c.out, &errOut
	var following errgroup.Group
	following.Go(func() error {
		if code := c.run(c.t.Context(), app, "logs", "-f", "--no-color"); code != 0 {
			return fmt.Errorf("logs -f: exit %d\n%s", code, errOut.String())
		}
		return nil
	})
	c.await(numbering)
	act()
	c.must(c.t.Context(), "stop", "-t", "0")
	if err := following.Wait(); err != nil {
		c.t.Error(err)
	}
}

// await waits until so many containers more have been heard, each with some lines.
func (c *crowd) await(sources int) {
	c.t.Helper()
	seen := len(c.out.String())
	limit := time.After(time.Minute)
	for {
		counts := map[string]int{}
		for line := range strings.Lines(c.out.String()[seen:]) {
			if name, text, ok := strings.Cut(line, "|"); ok && strings.HasPrefix(text, " line ") {
				counts[name]++
			}
		}
		enough := 0
		for _, count := range counts {
			if count >= 10 {
				enough++
			}
		}
		if enough >= sources {
			return
		}
		select {
		case <-c.out.change:
		case <-limit:
			c.t.Fatalf("only %d of %d containers were heard", enough, sources)
		}
	}
}

// check says whether every number came once and in order in each run of each container: a run begins with 1, after the mark of the
// end of the one before.
func (c *crowd) check(runs int) {
	c.t.Helper()
	last, ended, began := map[string]int{}, map[string]bool{}, map[string]int{}
	for line := range strings.Lines(c.out.String()) {
		name, text, isLine := strings.Cut(strings.TrimSuffix(line, "\n"), "|")
		if name = strings.TrimSpace(name); !isLine {
			ended[strings.Fields(line)[0]] = true
			continue
		}
		number, err := strconv.Atoi(strings.TrimPrefix(text, " line "))
		switch {
		case err != nil:
			c.t.Fatalf("what is %q?", line)
		case number == 1 && (last[name] == 0 || ended[name]):
			began[name]++
			ended[name] = false
		case number != last[name]+1:
			c.t.Fatalf("%s: %d after %d (run %d, ended: %v)", name, number, last[name], began[name], ended[name])
		}
		last[name] = number
	}
	for i := range numbering {
		if name := fmt.Sprintf("s%02d-1", i); began[name] != runs {
			c.t.Errorf("%s was heard in %d runs, want %d", name, began[name], runs)
		}
	}
	if began["s00-3"] == 0 {
		c.t.Error("the new replica was not heard")
	}
}

// TestLogsOfACrowd follows containers that write without pause while they are restarted, recreated and scaled: every number comes
// once and in order. The history of all that is left is sorted by time then.
func TestLogsOfACrowd(t *testing.T) {
	c := newCrowd(t)
	c.must(t.Context(), "up", "-d")
	c.follow(func() {
		c.must(t.Context(), append([]string{"restart", "-t", "0"}, numbered()...)...)
		c.await(numbering)
		c.define(2)
		c.must(t.Context(), "up", "-d", "-t", "0")
		c.await(numbering)
		c.must(t.Context(), "up", "-d", "--no-recreate", "--scale", "s00=3")
		c.await(numbering + 2)
	})
	c.check(3)
	checkSorted(t, c.must(t.Context(), "logs", "-t", "--no-log-prefix", "--no-color"))
	lines := slices.Collect(strings.Lines(c.must(t.Context(), "logs", "-t", "--no-color")))
	last := c.must(t.Context(), "logs", "-t", "--no-color", "--tail-total", "500")
	if want := strings.Join(lines[len(lines)-500:], ""); last != want {
		t.Errorf("the last 500 lines are not the end of all %d", len(lines))
	}
}

// checkSorted says whether lines are in the order of the times that they begin with.
func checkSorted(t *testing.T, history string) {
	t.Helper()
	before, count := "", 0
	for line := range strings.Lines(history) {
		stamp, _, _ := strings.Cut(line, " ")
		if stamp < before {
			t.Fatalf("line %d is of %s, after one of %s", count, stamp, before)
		}
		before = stamp
		count++
	}
	if count < numbering*10 {
		t.Errorf("only %d lines", count)
	}
}
