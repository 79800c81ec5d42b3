package enginetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/muster-dev/muster/convergence/engine"
)

func execCases() []testCase {
	return []testCase{
		{"a command writes to both streams", execStreams},
		{"a command's exit code", execExitCode},
		{"a command that is not there, or cannot be run", execCannotRun},
		{"a command has the container's user, folder and variables", execInherits},
		{"a command's own user, folder and variables", execOwn},
		{"no command in what does not run", execNotRunning},
		{"a command ends with its container", execContainerEnds},
		{"a command of a container that is removed", execContainerRemoved},
		{"a command goes on without its caller", execWithoutCaller},
		{"a command ends its caller's interest", execOutputRefused},
		{"a command that writes a lot", execLarge},
		{"commands at once", execsAtOnce},
	}
}

// ran is what came of a command.
type ran struct {
	code           int
	stdout, stderr string
}

// exec runs testbox beside a container's own process.
func (f *fixture) exec(id string, request engine.Exec) (ran, error) {
	var stdout, stderr strings.Builder
	code, err := f.Exec(f.ctx, id, request, func(frame engine.Frame) error {
		if frame.Stream == engine.Stderr {
			stderr.Write(frame.Data)
		} else {
			stdout.Write(frame.Data)
		}
		return nil
	})
	return ran{code, stdout.String(), stderr.String()}, err
}

// run is exec with nothing but arguments, and must succeed.
func (f *fixture) run(id string, arguments ...string) ran {
	f.Helper()
	r, err := f.exec(id, box(arguments...))
	f.must(err, "exec "+strings.Join(arguments, " "))
	return r
}

func box(arguments ...string) engine.Exec {
	return engine.Exec{Command: append([]string{"/testbox"}, arguments...)}
}

func execStreams(f *fixture) {
	id := f.start(f.request("web", "-stay"))
	equal(f, "command", f.run(id, "-out", "one", "-err", "two", "-part", "three"), ran{0, "one\nthree", "two\n"})
	equal(f, "command that writes nothing", f.run(id), ran{})
	equal(f, "output of the container", f.output(id), "")
}

func execExitCode(f *fixture) {
	w := f.watch(f.name)
	id := f.start(f.request("web", "-stay"))
	equal(f, "command", f.run(id, "-out", "no", "-exit", "3"), ran{code: 3, stdout: "no\n"})
	w.await(id, "exec_create")
	w.await(id, "exec_start")
	equal(f, "exit code of the event", w.await(id, "exec_die").ExitCode, 3)
	equal(f, "state", f.inspect(id).State, engine.StateRunning)
}

func execCannotRun(f *fixture) {
	id := f.start(f.request("web", "-write", "/tmp/note=x", "-out", "ready", "-stay"))
	f.awaitOutput(id, "ready\n")
	for command, code := range map[string]int{"/nothing": 127, "nothing": 127, "/tmp/note": 126} {
		r, err := f.exec(id, engine.Exec{Command: []string{command}})
		f.must(err, "exec "+command)
		equal(f, "exit code of "+command, r.code, code)
		if !strings.Contains(r.stdout+r.stderr, command) {
			f.Errorf("output: got %+v, want it to name %s", r, command)
		}
	}
	r, err := f.exec(id, engine.Exec{Command: []string{"/testbox"}, User: "nobody-knows"})
	if err == nil { // an old engine looks late
		equal(f, "exit code as nobody", r.code, 126)
	} else {
		f.wants(err, engine.ErrInvalid, "exec as nobody")
	}
	_, err = f.exec(id, engine.Exec{})
	f.wants(err, engine.ErrInvalid, "exec of no command")
}

func execInherits(f *fixture) {
	request := f.request("web", "-stay")
	request.Service.User, request.Service.WorkingDir = "12:34", "/tmp"
	request.Service.Environment = map[string]*string{"LEVEL": ptr("debug")}
	id := f.start(request)
	equal(f, "command", f.run(id, "-who", "-env", "LEVEL"), ran{stdout: "12:34 /tmp\nLEVEL=debug\n"})
}

func execOwn(f *fixture) {
	request := f.request("web", "-stay")
	request.Service.Environment = map[string]*string{"LEVEL": ptr("debug"), "KEPT": ptr("yes")}
	id := f.start(request)
	own := box("-who", "-env", "LEVEL", "-env", "KEPT", "-env", "MORE")
	own.User, own.WorkingDir, own.Privileged = "56:78", "/tmp", true
	own.Environment = map[string]string{"LEVEL": "info", "MORE": "a=b"}
	r, err := f.exec(id, own)
	f.must(err, "exec")
	equal(f, "command", r, ran{stdout: "56:78 /tmp\nLEVEL=info\nKEPT=yes\nMORE=a=b\n"})
}

func execNotRunning(f *fixture) {
	_, err := f.exec(f.own("nobody"), box())
	f.wants(err, engine.ErrNotFound, "exec where there is no container")
	created := f.create(f.request("created"))
	_, err = f.exec(created, box())
	f.wants(err, engine.ErrConflict, "exec in one that never ran")
	ended := f.finish(f.request("ended", "-exit", "0"))
	_, err = f.exec(ended.ID, box())
	f.wants(err, engine.ErrConflict, "exec in one that has ended")
}

// errSeen is how a command's output says that it has begun.
var errSeen = errors.New("seen")

// begun runs a command that writes "ready", and calls then once it has.
func (f *fixture) begun(id string, request engine.Exec, then func()) (code int, err error) {
	return f.Exec(f.ctx, id, request, func(frame engine.Frame) error {
		if strings.HasPrefix(string(frame.Data), "ready") {
			then()
		}
		return nil
	})
}

func execContainerEnds(f *fixture) {
	id := f.start(f.request("web", "-stay"))
	code, err := f.begun(id, box("-out", "ready", "-stay"), func() {
		f.check(f.KillContainer(f.ctx, id, ""), "kill")
	})
	f.must(err, "exec")
	equal(f, "exit code", code, 137)
}

func execContainerRemoved(f *fixture) {
	id := f.start(f.request("web", "-stay"))
	code, err := f.begun(id, box("-out", "ready", "-stay"), func() {
		f.check(f.RemoveContainer(f.ctx, id, engine.RemoveContainer{Force: true}), "remove")
	})
	if err == nil { // it is the engine's to say which comes first
		equal(f, "exit code", code, 137)
		return
	}
	f.wants(err, engine.ErrNotFound, "exec")
}

func execWithoutCaller(f *fixture) {
	w := f.watch(f.name)
	id := f.start(f.request("web", "-stay"))
	ctx, cancel := context.WithCancel(f.ctx)
	defer cancel()
	_, err := f.Exec(ctx, id, box("-out", "ready", "-sleep", "300ms", "-lines", "3", "-exit", "7"), func(engine.Frame) error {
		cancel()
		return nil
	})
	f.wants(err, context.Canceled, "exec")
	equal(f, "exit code of the event", w.await(id, "exec_die").ExitCode, 7)
}

func execOutputRefused(f *fixture) {
	w := f.watch(f.name)
	id := f.start(f.request("web", "-stay"))
	_, err := f.Exec(f.ctx, id, box("-out", "ready", "-sleep", "300ms", "-exit", "7"), func(engine.Frame) error { return errSeen })
	f.wants(err, errSeen, "exec")
	equal(f, "exit code of the event", w.await(id, "exec_die").ExitCode, 7)
}

func execLarge(f *fixture) {
	id := f.start(f.request("web", "-stay"))
	r := f.run(id, "-long", "3000", "-lines", "5000", "-err-lines", "5000")
	equal(f, "exit code", r.code, 0)
	if want := 3000*1024 + 1 + len(r.stderr); len(r.stdout) != want || !strings.HasSuffix(r.stderr, "line 5000\n") {
		f.Errorf("output: got %d and %d bytes, want %d", len(r.stdout), len(r.stderr), want)
	}
}

func execsAtOnce(f *fixture) {
	id := f.start(f.request("web", "-stay"))
	const commands = 8
	var group errgroup.Group
	begin := time.Now()
	for i := range commands {
		group.Go(func() error {
			text := fmt.Sprintf("command %d", i)
			r, err := f.exec(id, box("-out", text, "-sleep", "1s", "-err", text, "-exit", fmt.Sprint(i)))
			if want := (ran{i, text + "\n", text + "\n"}); err == nil && r != want {
				err = fmt.Errorf("got %+v, want %+v", r, want)
			}
			return err
		})
	}
	f.must(group.Wait(), "commands")
	if took := time.Since(begin); took > commands*time.Second {
		f.Errorf("%d commands of a second took %v: they waited for each other", commands, took)
	}
}
