package enginetest

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/muster-dev/muster/convergence/engine"
)

// fails says that a build failed with a BuildError, and what that matches; nil for none of the sentinels.
func (f *fixture) fails(b built, sentinel error) *engine.BuildError {
	f.Helper()
	var failed *engine.BuildError
	if !errors.As(b.err, &failed) {
		f.Fatalf("build: got error %v, want a BuildError", b.err)
	}
	for _, other := range []error{engine.ErrInvalid, engine.ErrNotFound, engine.ErrDenied, engine.ErrUnavailable, engine.ErrUnsupported} {
		if got, want := isError(b.err, other), isError(other, sentinel); got != want {
			f.Errorf("build: error %v is %q: %v, want %v", b.err, other, got, want)
		}
	}
	equal(f, "service of the error", failed.Service, "web")
	return failed
}

// place says where a failure is in a Dockerfile. Engines before 23 mostly do not tell.
func (f *fixture) place(failed *engine.BuildError, want string) {
	f.Helper()
	if got := failed.Place(); got != want && (got != "" || !f.olderThan("1.42")) {
		f.Errorf("place of %v: got %q, want %q", failed, got, want)
	}
}

func buildStepFails(f *fixture) {
	failing := `RUN ["/testbox", "-lines", "30", "-exit", "7"]`
	folder := f.folder(map[string]string{"docker/web.Dockerfile": dockerfile(f.fresh(), runHello, failing, "LABEL never=1")})
	request := f.wanted(folder)
	request.Dockerfile = "docker/web.Dockerfile"
	b := f.build(request)
	failed := f.fails(b, nil)
	f.place(failed, "docker/web.Dockerfile:5")
	equal(f, "step", strings.HasSuffix(failed.Step, failing), true)
	equal(f, "exit code", failed.ExitCode, 7)
	equal(f, "reason", failed.Cause.Error(), `process "/testbox -lines 30 -exit 7" did not complete successfully: exit code: 7`)
	equal(f, "lines of output", len(failed.Output), engine.BuildOutputLines)
	equal(f, "the last one", failed.Output[len(failed.Output)-1], "line 30")
	var shown []string
	for _, line := range failed.Lines {
		if line.Failed {
			shown = append(shown, line.Text)
		}
	}
	equal(f, "failed line", strings.Join(shown, "|"), failing)
	equal(f, "lines around it", len(failed.Lines) > 1, true)
	equal(f, "step was told of", b.last(failing), engine.BuildStepFailed)
	_, err := f.InspectImage(f.ctx, f.own("web"))
	f.wants(err, engine.ErrNotFound, "inspect after a build that failed")
}

func buildNoProgram(f *fixture) {
	request := f.wanted(f.folder(map[string]string{"Dockerfile": dockerfile(`RUN ["/nothing"]`)}))
	failed := f.fails(f.build(request), nil)
	equal(f, "output", strings.Contains(strings.Join(failed.Output, "|"), "no such file or directory"), true)
	request.DockerfileInline = dockerfile("RUN echo hello")
	failed = f.fails(f.build(request), nil)
	equal(f, "output without a shell", strings.Contains(strings.Join(failed.Output, "|"), `"/bin/sh"`), true)
	f.place(failed, "dockerfile_inline:3")
}

func buildMissingFile(f *fixture) {
	folder := f.folder(map[string]string{"Text": "x", "Dockerfile": dockerfile("# why not", "COPY text /")})
	b := f.build(f.wanted(folder))
	failed := f.fails(b, engine.ErrInvalid)
	equal(f, "error", strings.HasSuffix(failed.Error(), `COPY text /: "/text": not found`), true)
	f.place(failed, "Dockerfile:4")
	equal(f, "advice", failed.Hint(), `did you mean "Text"?`)
	f.must(os.Symlink("/etc/hostname", filepath.Join(folder, "link")), "make link")
	request := f.wanted(folder)
	request.DockerfileInline = dockerfile("COPY link/x /")
	_ = f.fails(f.build(request), engine.ErrInvalid)
	request.DockerfileInline = dockerfile("COPY ../outside /")
	failed = f.fails(f.build(request), engine.ErrInvalid)
	equal(f, "advice", strings.Contains(failed.Hint(), "what is outside of it cannot be copied"), true)
}

func buildNonsense(f *fixture) {
	folder := f.folder(nil)
	for content, want := range map[string]struct{ place, words string }{
		"FROM scratch\n\nFOO bar\n":                    {"dockerfile_inline:3", "unknown instruction: FOO"},
		"FROM scratch\nCOPY x\n":                       {"dockerfile_inline:2", "COPY requires at least two arguments"},
		"COPY x /\n":                                   {"dockerfile_inline:1", "no build stage in current context"},
		"# nothing\n":                                  {"dockerfile_inline:1", "file with no instructions"},
		"FROM $NOWHERE\n":                              {"dockerfile_inline:1", "base name ($NOWHERE) should not be blank"},
		"FROM scratch\nCMD\nENV\n":                     {"dockerfile_inline:3", "ENV requires at least one argument"},
		"FROM scratch AS a\nCOPY --from=a testbox /\n": {"dockerfile_inline:2", "circular dependency detected on stage: a"},
	} {
		request := f.wanted(folder)
		request.DockerfileInline = content
		failed := f.fails(f.build(request), engine.ErrInvalid)
		f.place(failed, want.place)
		if !strings.Contains(failed.Error(), want.words) {
			f.Errorf("build of %q: error %q, want %q", content, failed.Error(), want.words)
		}
	}
}

func buildRefused(f *fixture) {
	folder := f.folder(map[string]string{"Web.Dockerfile": "FROM scratch\n", "sub/Dockerfile": "FROM scratch\n"})
	for _, c := range []struct {
		change func(*engine.BuildImage)
		error  string
		hint   string
	}{
		{func(*engine.BuildImage) {}, "there is no Dockerfile Dockerfile in " + folder, `did you mean "Web.Dockerfile"?`},
		{
			func(r *engine.BuildImage) { r.Dockerfile = "app/sub/Dockerfile" },
			"there is no Dockerfile app/sub/Dockerfile in " + folder, `the path is relative to the context: did you mean "sub/Dockerfile"?`,
		},
		{func(r *engine.BuildImage) { r.Dockerfile = "sub" }, "read Dockerfile sub in " + folder + ": it is a folder", ""},
		{func(r *engine.BuildImage) { r.Context += "/nowhere" }, "the build context " + folder + "/nowhere does not exist", "check the path, which is relative to the project's folder"},
		{func(r *engine.BuildImage) { r.Context += "/testbox" }, "the build context " + folder + "/testbox is not a folder", "name the folder that it is in; the Dockerfile is named by dockerfile"},
		{
			func(r *engine.BuildImage) { r.DockerfileInline, r.Network = "FROM scratch", "front" },
			`network "front": a build can have the network default, none or host`, "networks of the project are for containers; leave network out of build",
		},
	} {
		request := f.wanted(folder)
		c.change(&request)
		b := f.build(request)
		failed := f.fails(b, engine.ErrInvalid)
		equal(f, "error", failed.Error(), c.error)
		equal(f, "hint", failed.Hint(), c.hint)
		equal(f, "events", len(b.events), 0)
	}
}

func (f *fixture) from(ref string) engine.BuildImage {
	request := f.wanted(f.folder(nil))
	request.DockerfileInline = "FROM " + ref + "\nLABEL a=b\n"
	return request
}

func buildBaseNotFound(f *fixture) {
	registry := f.harness.Registry
	ref, _ := registry.Push(f.name, "1")
	b := f.builds(f.from(ref))
	found, err := f.InspectImage(f.ctx, b.ID)
	f.must(err, "inspect image")
	equal(f, "label", found.Labels["a"], "b")
	for _, absent := range []string{registry.Ref(f.name, "2"), registry.Ref(f.name+"-nothing", "1")} {
		failed := f.fails(f.build(f.from(absent)), engine.ErrNotFound)
		f.place(failed, "dockerfile_inline:1")
		equal(f, "names the image: "+failed.Error(), strings.Contains(failed.Error(), "base image "+absent), true)
	}
	_ = f.fails(f.build(f.from(f.harness.Absent)), nil)
}

func buildBaseDenied(f *fixture) {
	registry := f.harness.Registry
	ref, _ := registry.Push(f.name, "1")
	registry.Deny(f.name)
	failed := f.fails(f.build(f.from(ref)), engine.ErrDenied)
	f.place(failed, "dockerfile_inline:1")
	equal(f, "hint", strings.Contains(failed.Hint(), "docker login"), true)
}

func buildBasePlatform(f *fixture) {
	ref, _ := f.harness.Registry.Push(f.name, "1")
	request := f.from(ref)
	request.Platforms = []string{"linux/s390x"}
	_ = f.fails(f.build(request), engine.ErrNotFound)
	request.DockerfileInline = "FROM scratch\nCOPY testbox /\n"
	found, err := f.InspectImage(f.ctx, f.builds(request).ID)
	f.must(err, "inspect image")
	equal(f, "platform", found.Architecture, "s390x")
}

func buildCancelled(f *fixture) {
	request := f.wanted(f.folder(map[string]string{"Dockerfile": dockerfile(f.fresh(), `RUN ["/testbox", "-out", "ready", "-stay"]`)}))
	ctx, cancel := context.WithCancel(f.ctx)
	defer cancel()
	_, err := f.BuildImage(ctx, request, func(event engine.BuildProgress) {
		if event.Kind == engine.BuildLog {
			cancel()
		}
	})
	f.wants(err, context.Canceled, "build whose caller goes away")
	_, err = f.InspectImage(f.ctx, f.own("web"))
	f.wants(err, engine.ErrNotFound, "inspect after it")
	cancel()
	_, err = f.BuildImage(ctx, request, func(engine.BuildProgress) {})
	f.wants(err, context.Canceled, "build whose caller is gone")
}
