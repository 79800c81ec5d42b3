package enginetest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/muster-dev/muster/convergence/engine"
)

func buildCases() []testCase {
	return []testCase{
		{"a build makes an image", buildMakes},
		{"a second build takes all from the cache", buildCached},
		{"a build without cache runs every step", buildNoCache},
		{"only what follows a change is built again", buildChanged},
		{"what has not changed is not sent again", buildIncremental},
		{"arguments of a build", buildArguments},
		{"a target and stages", buildTarget},
		{"a build from an image that the engine has", buildFromImage},
		{"a Dockerfile anywhere", buildDockerfileAnywhere},
		{"what is ignored is not in the context", buildIgnored},
		{"builds at once", buildsAtOnce},
		{"a build without a tag", buildUntagged},
		{"a step that fails", buildStepFails},
		{"a step whose program is not there", buildNoProgram},
		{"a file that is not there", buildMissingFile},
		{"a Dockerfile that makes no sense", buildNonsense},
		{"what cannot be sent at all", buildRefused},
		{"a base image that is not there", buildBaseNotFound},
		{"a base image that the registry refuses", buildBaseDenied},
		{"a base image for another platform", buildBasePlatform},
		{"a build ends with its caller", buildCancelled},
	}
}

// built is a build that is over, and what was told of it.
type built struct {
	engine.BuiltImage
	events []engine.BuildProgress
	err    error
}

// build builds from a context with these files beside testbox.
func (f *fixture) build(request engine.BuildImage) built {
	f.Helper()
	var b built
	b.BuiltImage, b.err = f.BuildImage(f.ctx, request, func(event engine.BuildProgress) { b.events = append(b.events, event) })
	if b.err == nil {
		f.built = append(f.built, b.ID)
	}
	return b
}

// builds builds what has to succeed.
func (f *fixture) builds(request engine.BuildImage) built {
	f.Helper()
	b := f.build(request)
	f.must(b.err, "build image")
	return b
}

// folder makes a folder with these files and testbox.
func (f *fixture) folder(files map[string]string) string {
	f.Helper()
	folder := f.TempDir()
	const program, private = 0o755, 0o600
	f.must(os.WriteFile(filepath.Join(folder, "testbox"), f.harness.Program, program), "write testbox")
	for name, content := range files {
		f.must(os.MkdirAll(filepath.Dir(filepath.Join(folder, name)), 0o700), "make folder")
		f.must(os.WriteFile(filepath.Join(folder, name), []byte(content), private), "write file")
	}
	return folder
}

// dockerfile is the lines of one that begins with testbox in an image without anything else.
func dockerfile(lines ...string) string {
	return strings.Join(append([]string{"FROM scratch", "COPY testbox /testbox"}, lines...), "\n") + "\n"
}

// fresh is a step that no build before this test can have put into the cache.
func (f *fixture) fresh() string {
	return fmt.Sprintf("ENV TOKEN=%s-%d", f.name, time.Now().UnixNano())
}

// wanted is a request for an image of the test's.
func (f *fixture) wanted(folder string) engine.BuildImage {
	return engine.BuildImage{Service: "web", Context: folder, Tags: []string{f.own("web")}}
}

// log is what the steps wrote.
func (b built) log() string {
	var lines []string
	for _, event := range b.events {
		if event.Kind == engine.BuildLog {
			lines = append(lines, event.Text)
		}
	}
	return strings.Join(lines, "|")
}

// last says what became of the step whose name ends so, 0 where it was not told of.
func (b built) last(suffix string) engine.BuildProgressKind {
	var kind engine.BuildProgressKind
	for _, event := range b.events {
		if strings.HasSuffix(event.Name, suffix) && event.Kind <= engine.BuildStepFailed {
			kind = event.Kind
		}
	}
	return kind
}

// sent is how many bytes of the context came.
func (b built) sent() int64 {
	var most int64
	for _, event := range b.events {
		if event.Kind == engine.BuildTransfer && strings.HasSuffix(event.Name, "load build context") {
			most = max(most, event.Done)
		}
	}
	return most
}

// says runs a container of an image until it ends, and returns what it wrote.
func (f *fixture) says(image, name string, arguments ...string) string {
	f.Helper()
	request := f.request(name, arguments...)
	request.Image = image
	details := f.finish(request)
	var text strings.Builder
	f.must(f.Logs(f.ctx, details.ID, engine.LogOptions{Tail: -1}, func(frame engine.Frame) error {
		text.Write(frame.Data)
		return nil
	}), "read logs")
	return text.String()
}

const runHello = `RUN ["/testbox", "-out", "hello", "-write", "/made=here"]`

func buildMakes(f *fixture) {
	folder := f.folder(map[string]string{"Dockerfile": dockerfile(
		f.fresh(), runHello, "LABEL from=file both=file", "ENV GREETING=hi", `ENTRYPOINT ["/testbox"]`, `CMD ["-env", "GREETING"]`,
		"EXPOSE 8080", "USER 1000", "STOPSIGNAL SIGINT", "VOLUME /data", `HEALTHCHECK --interval=1h CMD ["/testbox", "probe"]`,
	)})
	request := f.wanted(folder)
	request.Tags = append(request.Tags, f.own("other")+":2")
	request.Labels = map[string]string{"both": "request", "request": "yes"}
	b := f.builds(request)
	equal(f, "output", b.log(), "hello")
	equal(f, "step COPY", b.last("COPY testbox /testbox") >= engine.BuildStepCached, true)
	equal(f, "step RUN", b.last(runHello), engine.BuildStepDone)
	images, err := f.ListImages(f.ctx)
	f.must(err, "list images")
	i := slices.IndexFunc(images, func(i engine.Image) bool { return i.ID == b.ID })
	if i < 0 {
		f.Fatalf("image %s is not listed", b.ID)
	}
	tags := slices.Sorted(slices.Values(images[i].Tags))
	equal(f, "tags", strings.Join(tags, " "), f.own("other")+":2 "+f.own("web")+":latest")
	for label, value := range map[string]string{"from": "file", "both": "request", "request": "yes"} {
		equal(f, "label "+label, images[i].Labels[label], value)
	}
	found, err := f.InspectImage(f.ctx, f.own("web"))
	f.must(err, "inspect image")
	equal(f, "ID", found.ID, b.ID)
	equal(f, "OS", found.OS, "linux")
	equal(f, "health check", found.HasHealth, true)
	equal(f, "volumes", strings.Join(found.Volumes, " "), "/data")
	equal(f, "what it says", f.says(f.own("web"), "run"), "GREETING=hi\n")
	equal(f, "what a step has written", f.says(b.ID, "cat", "-cat", "/made"), "here")
}

func buildCached(f *fixture) {
	request := f.wanted(f.folder(map[string]string{"Dockerfile": dockerfile(f.fresh(), runHello)}))
	first := f.builds(request)
	equal(f, "first: step", first.last(runHello), engine.BuildStepDone)
	second := f.builds(request)
	equal(f, "second: ID", second.ID, first.ID)
	equal(f, "second: step", second.last(runHello), engine.BuildStepCached)
	equal(f, "second: COPY", second.last("COPY testbox /testbox"), engine.BuildStepCached)
	equal(f, "second: output", second.log(), "")
	names := map[int]string{}
	for _, event := range second.events {
		if before, told := names[event.Step]; told && before != event.Name || event.Step < 1 || event.Step > len(names)+1 {
			f.Errorf("step %d is %q, was %q of %d", event.Step, event.Name, before, len(names))
		}
		names[event.Step] = event.Name
	}
}

func buildNoCache(f *fixture) {
	request := f.wanted(f.folder(map[string]string{"Dockerfile": dockerfile(f.fresh(), runHello)}))
	f.builds(request)
	request.NoCache = true
	again := f.builds(request)
	equal(f, "step", again.last(runHello), engine.BuildStepDone)
	equal(f, "output", again.log(), "hello")
}

func buildChanged(f *fixture) {
	run := `RUN ["/testbox", "-cat", "/text"]`
	folder := f.folder(map[string]string{"text": "one\n", "Dockerfile": dockerfile(f.fresh(), runHello, "COPY text /", run)})
	f.builds(f.wanted(folder))
	f.must(os.WriteFile(filepath.Join(folder, "text"), []byte("two, longer\n"), 0o600), "change file")
	again := f.builds(f.wanted(folder))
	equal(f, "step before the change", again.last(runHello), engine.BuildStepCached)
	equal(f, "step after it", again.last(run), engine.BuildStepDone)
	equal(f, "output", again.log(), "two, longer")
}

func buildIncremental(f *fixture) {
	const big = 300_000
	folder := f.folder(map[string]string{"big": strings.Repeat("x", big), "small": "one", "Dockerfile": dockerfile("COPY big small /", f.fresh())})
	first := f.builds(f.wanted(folder))
	equal(f, fmt.Sprintf("sent at first: %d bytes", first.sent()), first.sent() > big, true)
	f.must(os.WriteFile(filepath.Join(folder, "small"), []byte("three"), 0o600), "change file")
	second := f.builds(f.wanted(folder))
	equal(f, fmt.Sprintf("sent then: %d bytes", second.sent()), second.sent() > 0 && second.sent() < big/10, true)
}

func buildArguments(f *fixture) {
	folder := f.folder(map[string]string{"Dockerfile": "ARG OUTER=outer\n" + dockerfile(
		"ARG OUTER", "ARG GIVEN=default", "ARG LEFT=default", "ARG NONE", "LABEL outer=$OUTER given=${GIVEN} left=$LEFT none=${NONE:-nothing}",
		`RUN ["/testbox", "-env", "GIVEN", "-env", "NONE"]`,
	)})
	request := f.wanted(folder)
	request.Args = map[string]string{"GIVEN": "a b=c", "UNKNOWN": "x"}
	request.NoCache = true
	b := f.builds(request)
	equal(f, "output", b.log(), "GIVEN=a b=c|NONE is not set")
	found, err := f.InspectImage(f.ctx, b.ID)
	f.must(err, "inspect image")
	for label, value := range map[string]string{"outer": "outer", "given": "a b=c", "left": "default", "none": "nothing"} {
		equal(f, "label "+label, found.Labels[label], value)
	}
}

func buildTarget(f *fixture) {
	folder := f.folder(map[string]string{"app/text": "hello\n", "Dockerfile": strings.Join([]string{
		"FROM scratch AS tools", "COPY testbox /testbox", f.fresh(), `RUN ["/testbox", "-write", "/result=made"]`,
		"FROM tools AS final", "WORKDIR /srv", "COPY app ./", "COPY --from=tools /result made/", `LABEL stage="final"`,
		`FROM final AS after`, `RUN ["/testbox", "-exit", "1"]`,
	}, "\n")})
	request := f.wanted(folder)
	request.Target = "final"
	b := f.builds(request)
	found, err := f.InspectImage(f.ctx, b.ID)
	f.must(err, "inspect image")
	equal(f, "label", found.Labels["stage"], "final")
	equal(f, "step", b.last("[final 2/3] COPY app ./") != 0 || b.last("COPY app ./") != 0, true)
	request = f.wanted(folder)
	request.Target = "nowhere"
	failed := f.fails(f.build(request), engine.ErrInvalid)
	equal(f, "names the target: "+failed.Error(), strings.Contains(strings.ReplaceAll(failed.Error(), `"`, ""), "target stage nowhere could not be found"), true)
	image := engine.BuildImage{Service: "run", Context: folder, Tags: []string{f.own("run")}, DockerfileInline: strings.Join([]string{
		"FROM " + f.own("web"), `ENTRYPOINT ["/testbox"]`,
	}, "\n")}
	equal(f, "files", f.says(f.builds(image).ID, "run", "-cat", "/srv/text", "-cat", "/srv/made/result"), "hello\nmade")
}

func buildFromImage(f *fixture) {
	folder := f.folder(map[string]string{"Dockerfile": "FROM " + f.harness.Declaring + "\nLABEL own=1\n"})
	b := f.builds(f.wanted(folder))
	found, err := f.InspectImage(f.ctx, b.ID)
	f.must(err, "inspect image")
	equal(f, "own label", found.Labels["own"], "1")
	equal(f, "label of the base", found.Labels["dev.muster.test"], "declared")
	equal(f, "volumes of the base", strings.Join(found.Volumes, " "), "/declared")
	equal(f, "health check of the base", found.HasHealth, true)
	equal(f, "what it says", f.says(b.ID, "run", "-env", "DECLARED"), "DECLARED=yes\n")
}

func buildDockerfileAnywhere(f *fixture) {
	label := func(value string) string { return "FROM scratch\nCOPY testbox /\nLABEL which=" + value + "\n" }
	folder := f.folder(map[string]string{"Dockerfile": label("usual"), "docker/web.Dockerfile": label("named")})
	outside := filepath.Join(f.folder(map[string]string{"Dockerfile": label("outside")}), "Dockerfile")
	lower := f.folder(map[string]string{"dockerfile": label("lower")})
	for which, change := range map[string]func(*engine.BuildImage){
		"usual":   func(*engine.BuildImage) {},
		"named":   func(r *engine.BuildImage) { r.Dockerfile = "docker/web.Dockerfile" },
		"outside": func(r *engine.BuildImage) { r.Dockerfile = outside },
		"inline":  func(r *engine.BuildImage) { r.DockerfileInline = label("inline") },
		"lower":   func(r *engine.BuildImage) { r.Context = lower },
	} {
		request := f.wanted(folder)
		request.Tags = []string{f.own(which)}
		change(&request)
		found, err := f.InspectImage(f.ctx, f.builds(request).ID)
		f.must(err, "inspect image")
		equal(f, "Dockerfile", found.Labels["which"], which)
	}
	entries, err := os.ReadDir(folder)
	f.must(err, "read folder")
	equal(f, "files in the context", len(entries), len([]string{"Dockerfile", "docker", "testbox"}))
}

func buildIgnored(f *fixture) {
	folder := f.folder(map[string]string{
		".dockerignore": "secret\n*.log\n!kept.log\n", "secret": "hush", "a.log": "a", "kept.log": "kept\n", "sub/a.log": "sub\n",
		"Dockerfile":                     dockerfile("COPY . /all/", f.fresh(), `RUN ["/testbox", "-cat", "/all/kept.log", "-cat", "/all/sub/a.log"]`),
		"other.Dockerfile":               dockerfile("COPY . /all/", f.fresh(), `RUN ["/testbox", "-cat", "/all/secret"]`),
		"other.Dockerfile.dockerignore":  "a.log\n",
		"failing.Dockerfile":             dockerfile("COPY secret /"),
		"absent.Dockerfile":              dockerfile("COPY . /all/", f.fresh(), `RUN ["/testbox", "-cat", "/all/a.log"]`),
		"absent.Dockerfile.dockerignore": "*.log\n",
	})
	equal(f, "what is not ignored", f.builds(f.wanted(folder)).log(), "kept|sub")
	request := f.wanted(folder)
	request.Dockerfile = "other.Dockerfile"
	equal(f, "with the Dockerfile's own list", f.builds(request).log(), "hush")
	request.Dockerfile = "absent.Dockerfile"
	equal(f, "what is ignored", f.fails(f.build(request), nil).ExitCode, 1)
	request.Dockerfile = "failing.Dockerfile"
	failed := f.fails(f.build(request), engine.ErrInvalid)
	equal(f, "advice", failed.Hint(), `.dockerignore excludes it: "secret" is in the context, but is not sent`)
}

func buildsAtOnce(f *fixture) {
	folder := f.folder(map[string]string{"text": "x"})
	var group errgroup.Group
	ids := make([]string, 3)
	for i := range ids {
		group.Go(func() error {
			name := fmt.Sprintf("at-once-%d", i)
			request := engine.BuildImage{
				Service: name, Context: folder, Tags: []string{f.own(name)}, DockerfileInline: dockerfile("COPY text /", "LABEL n="+name),
			}
			built, err := f.BuildImage(f.ctx, request, func(engine.BuildProgress) {})
			ids[i] = built.ID
			return err
		})
	}
	f.must(group.Wait(), "build")
	equal(f, "images", len(slices.Compact(slices.Sorted(slices.Values(ids)))), len(ids))
}

func buildUntagged(f *fixture) {
	request := f.wanted(f.folder(map[string]string{"Dockerfile": dockerfile(f.fresh(), runHello)}))
	request.Tags = nil
	b := f.builds(request)
	found, err := f.InspectImage(f.ctx, b.ID)
	f.must(err, "inspect image")
	equal(f, "tags", len(found.Tags), 0)
	f.must(f.RemoveImage(f.ctx, b.ID), "remove image")
}

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
