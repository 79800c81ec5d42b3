package enginetest

import (
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
		{"a build reads an image of the engine's under another name", buildImageContext},
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
		{"checks of a Dockerfile", buildChecked},
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

// buildIncremental builds several times: an engine may still hold the first build's context when it has answered, and then it asks
// for a whole one.
func buildIncremental(f *fixture) {
	const big, tries = 300_000, 5
	folder := f.folder(map[string]string{"big": strings.Repeat("x", big), "small": "one", "Dockerfile": dockerfile("COPY big small /", f.fresh())})
	first := f.builds(f.wanted(folder))
	equal(f, fmt.Sprintf("sent at first: %d bytes", first.sent()), first.sent() > big, true)
	var sent []int64
	for i := range tries {
		f.must(os.WriteFile(filepath.Join(folder, "small"), []byte(strings.Repeat("more", i+1)), 0o600), "change file")
		again := f.builds(f.wanted(folder)).sent()
		if again > 0 && again < big/10 {
			return
		}
		sent = append(sent, again)
	}
	f.Errorf("sent then, of a change of a few bytes, each time: %d bytes", sent)
}

// buildChecked looks at checks that all engines have which have any: those before 27 have none.
func buildChecked(f *fixture) {
	request := f.wanted(f.folder(map[string]string{"Dockerfile": "FROM scratch AS Final\nCOPY testbox /\n"}))
	found, err := f.CheckBuild(f.ctx, request)
	if errors.Is(err, engine.ErrUnsupported) {
		f.Log("the engine's BuildKit has no checks")
		return
	}
	f.must(err, "check")
	if len(found) != 1 {
		f.Fatalf("findings %+v, want one", found)
	}
	equal(f, "rule", found[0].Rule, "StageNameCasing")
	equal(f, "place", found[0].Place(), "Dockerfile:1")
	equal(f, "lines", len(found[0].Lines), 2)
	equal(f, "text: "+found[0].Text, strings.Contains(found[0].Text, "'Final'"), true)
	equal(f, "URL: "+found[0].URL, strings.HasPrefix(found[0].URL, "https://"), true)
	request = f.wanted(f.folder(map[string]string{"Dockerfile": "FROM scratch\nCOPY testbox /\n"}))
	found, err = f.CheckBuild(f.ctx, request)
	f.must(err, "check")
	equal(f, "findings of what is well", len(found), 0)
	request = f.wanted(f.folder(map[string]string{"Dockerfile": "FROM scratch\nEXPOSE web\n"}))
	found, err = f.CheckBuild(f.ctx, request)
	f.must(err, "check")
	if len(found) != 1 || found[0].Rule != "" || found[0].Place() != "Dockerfile:2" {
		f.Errorf("findings of what cannot be built: %+v", found)
	}
	request.Context += "/nowhere"
	_, err = f.CheckBuild(f.ctx, request)
	f.wants(err, engine.ErrInvalid, "check without a context")
	images, err := f.ListImages(f.ctx)
	f.must(err, "list images")
	for _, image := range images {
		if slices.Contains(image.Tags, f.own("web")+":latest") {
			f.Errorf("a check has made an image")
		}
	}
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
