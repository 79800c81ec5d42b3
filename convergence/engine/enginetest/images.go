package enginetest

import (
	"slices"
	"strings"

	"github.com/muster-dev/muster/convergence/engine"
)

func imageCases() []testCase {
	return []testCase{
		{"images are listed", imagesAreListed},
		{"an inspect takes a reference or an ID", imageByRefOrID},
		{"an image's configuration", imageConfiguration},
		{"an image that is not there", imageNotFound},
		{"a registry that cannot be reached", registryUnreachable},
		{"an image is removed", imageRemoved},
	}
}

func imagesAreListed(f *fixture) {
	images, err := f.ListImages(f.ctx)
	f.must(err, "list images")
	i := slices.IndexFunc(images, func(i engine.Image) bool { return slices.Contains(i.Tags, f.harness.Declaring) })
	if i < 0 {
		f.Fatalf("list images: %s is not there", f.harness.Declaring)
	}
	found := images[i]
	equal(f, "ID has its algorithm", strings.HasPrefix(found.ID, "sha256:"), true)
	equal(f, "label", found.Labels["dev.muster.test"], "declared")
	equal(f, "has a time", found.Created.Unix() > 0, true)
	equal(f, "has a size", found.Size > 0, true)
}

func imageByRefOrID(f *fixture) {
	byRef, err := f.InspectImage(f.ctx, f.harness.Box)
	f.must(err, "inspect by reference")
	byID, err := f.InspectImage(f.ctx, byRef.ID)
	f.must(err, "inspect by ID")
	equal(f, "ID", byID.ID, byRef.ID)
	request := f.request("web")
	request.Image = byRef.ID
	c := f.inspect(f.create(request))
	equal(f, "image of a container made from an ID", c.ImageID, byRef.ID)
}

func imageConfiguration(f *fixture) {
	found, err := f.InspectImage(f.ctx, f.harness.Declaring)
	f.must(err, "inspect image")
	equal(f, "OS", found.OS, "linux")
	equal(f, "has an architecture", found.Architecture != "", true)
	equal(f, "tags", slices.Contains(found.Tags, f.harness.Declaring), true)
	equal(f, "health check", found.HasHealth, true)
	equal(f, "volumes", strings.Join(found.Volumes, " "), "/declared")
	equal(f, "label", found.Labels["dev.muster.test"], "declared")
	plain, err := f.InspectImage(f.ctx, f.harness.Box)
	f.must(err, "inspect image")
	equal(f, "health check of an image without one", plain.HasHealth, false)
	equal(f, "volumes of an image without any", len(plain.Volumes), 0)
}

func imageNotFound(f *fixture) {
	for _, ref := range []string{f.name + "/nothing", f.name + "/nothing:1", "sha256:" + strings.Repeat("ab", 32)} {
		_, err := f.InspectImage(f.ctx, ref)
		f.wants(err, engine.ErrNotFound, "inspect "+ref)
	}
	_, err := f.InspectImage(f.ctx, "UPPER")
	f.wants(err, engine.ErrInvalid, "inspect what is no reference")
}

func imageRemoved(f *fixture) {
	ref, _ := f.harness.Registry.Push(f.name, "1")
	f.must(f.PullImage(f.ctx, engine.PullImage{Ref: ref}, func(engine.PullProgress) {}), "pull")
	request := f.request("web")
	request.Image = ref
	id := f.create(request)
	f.wants(f.RemoveImage(f.ctx, ref), engine.ErrConflict, "remove an image that a container uses")
	f.must(f.RemoveContainer(f.ctx, id, engine.RemoveContainer{Force: true}), "remove container")
	f.must(f.RemoveImage(f.ctx, ref), "remove image")
	_, err := f.InspectImage(f.ctx, ref)
	f.wants(err, engine.ErrNotFound, "inspect what was removed")
	f.wants(f.RemoveImage(f.ctx, ref), engine.ErrNotFound, "remove it again")
}

func registryUnreachable(f *fixture) {
	quiet := func(engine.PullProgress) {}
	_, err := f.RemoteDigest(f.ctx, f.harness.Absent)
	f.wantsOwnWords(err, "ask for a digest")
	f.wantsOwnWords(f.PullImage(f.ctx, engine.PullImage{Ref: f.harness.Absent}, quiet), "pull")
	_, err = f.RemoteDigest(f.ctx, "UPPER")
	f.wants(err, engine.ErrInvalid, "ask for the digest of what is no reference")
	f.wants(f.PullImage(f.ctx, engine.PullImage{Ref: "UPPER"}, quiet), engine.ErrInvalid, "pull what is no reference")
}

// wantsOwnWords says that an error is none that the engine itself could be blamed for, nor one that says "it does not exist".
func (f *fixture) wantsOwnWords(err error, what string) {
	f.Helper()
	if err == nil {
		f.Errorf("%s: no error", what)
	}
	for _, sentinel := range []error{engine.ErrNotFound, engine.ErrUnavailable, engine.ErrInvalid, engine.ErrDenied} {
		if isError(err, sentinel) {
			f.Errorf("%s: got error %v, which is %q: want none of the sentinels", what, err, sentinel)
		}
	}
}
