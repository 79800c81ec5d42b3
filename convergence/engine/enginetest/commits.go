package enginetest

import (
	"slices"

	"github.com/muster-dev/muster/convergence/engine"
)

func commitCases() []testCase {
	return []testCase{
		{"an image of a container's files and settings", commitMakesImage},
		{"an image without a name", commitWithoutName},
		{"what cannot be committed", commitRefuses},
	}
}

func commitMakesImage(f *fixture) {
	id := f.create(f.request("web", "-out", "before"))
	f.put(id, "/", entry{name: "kept.txt", content: "kept\n"})
	w := f.watch(f.name)
	made, err := f.CommitContainer(f.ctx, engine.CommitContainer{
		Ref: f.own("web"), Reference: f.own("snapshot") + ":1", Author: "somebody", Message: "as it was", Pause: true,
		Changes: []string{`CMD ["-cat", "/kept.txt"]`, "LABEL a=b"},
	})
	f.must(err, "commit")
	w.await(id, "commit")
	image, err := f.InspectImage(f.ctx, f.own("snapshot")+":1")
	f.must(err, "inspect image")
	equal(f, "ID", image.ID, made)
	equal(f, "label", image.Labels["a"], "b")
	request := f.request("again")
	request.Image, request.Service.Command = f.own("snapshot")+":1", nil
	again := f.finish(request)
	equal(f, "output", f.output(again.ID), "kept\n")
	f.must(f.RemoveContainer(f.ctx, again.ID, engine.RemoveContainer{}), "remove")
}

func commitWithoutName(f *fixture) {
	f.start(f.request("web", "-stay"))
	made, err := f.CommitContainer(f.ctx, engine.CommitContainer{Ref: f.own("web")})
	f.must(err, "commit")
	f.built = append(f.built, made)
	image, err := f.InspectImage(f.ctx, made)
	f.must(err, "inspect image")
	equal(f, "names", len(slices.DeleteFunc(image.Tags, func(tag string) bool { return tag == "<none>:<none>" })), 0)
	equal(f, "state", f.listed("web").State, engine.StateRunning)
}

func commitRefuses(f *fixture) {
	f.create(f.request("web"))
	for what, request := range map[string]engine.CommitContainer{
		"a bad reference": {Ref: f.own("web"), Reference: "UPPER/Case"},
		"a bad change":    {Ref: f.own("web"), Changes: []string{"NONSENSE x"}},
	} {
		_, err := f.CommitContainer(f.ctx, request)
		f.wants(err, engine.ErrInvalid, "commit with "+what)
	}
	_, err := f.CommitContainer(f.ctx, engine.CommitContainer{Ref: f.own("nobody")})
	f.wants(err, engine.ErrNotFound, "commit nothing")
}
