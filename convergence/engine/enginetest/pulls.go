package enginetest

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/muster-dev/muster/convergence/engine"
)

func pullCases() []testCase {
	return []testCase{
		{"a pull brings an image and tells how far it is", pullBrings},
		{"a pull moves the reference to the new image", pullMoves},
		{"a pull by digest", pullByDigest},
		{"what the registry does not have is not found", pullNotFound},
		{"what the registry refuses", pullDenied},
		{"a pull that breaks off", pullBreaks},
		{"a pull ends with its caller", pullCancelled},
		{"a pull for another platform", pullPlatform},
	}
}

func (f *fixture) pull(ref string) error {
	return f.PullImage(f.ctx, engine.PullImage{Ref: ref}, func(engine.PullProgress) {})
}

func pullBrings(f *fixture) {
	registry := f.harness.Registry
	ref, digest := registry.Push(f.name, "1")
	remote, err := f.RemoteDigest(f.ctx, ref)
	f.must(err, "ask for the digest")
	equal(f, "digest", remote, digest)
	_, err = f.InspectImage(f.ctx, ref)
	f.wants(err, engine.ErrNotFound, "inspect before the pull: asking for a digest pulls nothing")
	var last engine.PullProgress
	w := f.watch("")
	f.must(f.PullImage(f.ctx, engine.PullImage{Ref: ref}, func(progress engine.PullProgress) {
		if progress.Done > progress.Total {
			f.Errorf("progress: %d of %d bytes", progress.Done, progress.Total)
		}
		last = progress
	}), "pull")
	equal(f, "all of it is there at the end", last.Done, last.Total)
	equal(f, "some bytes were counted", last.Total > 0, true)
	equal(f, "words at the end", strings.HasPrefix(last.Status, "Status: Downloaded newer image"), true)
	found, err := f.InspectImage(f.ctx, ref)
	f.must(err, "inspect after the pull")
	repository, _, _ := strings.Cut(ref, ":1")
	equal(f, "digests", slices.Contains(found.Digests, repository+"@"+digest), true)
	w.awaitThat("pull", func(event engine.Event) bool {
		return event.Kind == engine.EventImage && event.ID == ref && event.Action == "pull"
	})
	f.must(f.pull(ref), "pull again")
}

func pullMoves(f *fixture) {
	registry := f.harness.Registry
	ref, _ := registry.Push(f.name, "1")
	f.must(f.pull(ref), "pull")
	before, err := f.InspectImage(f.ctx, ref)
	f.must(err, "inspect")
	registry.Push(f.name, "1")
	f.must(f.pull(ref), "pull the new one")
	after, err := f.InspectImage(f.ctx, ref)
	f.must(err, "inspect")
	if before.ID == after.ID {
		f.Errorf("image after the second pull: the same as before, %s", after.ID)
	}
	old, err := f.InspectImage(f.ctx, before.ID)
	f.must(err, "inspect the old one")
	equal(f, "tags of the old one", len(old.Tags), 0)
}

func pullByDigest(f *fixture) {
	registry := f.harness.Registry
	ref, digest := registry.Push(f.name, "1")
	repository, _, _ := strings.Cut(ref, ":1")
	byDigest := repository + "@" + digest
	f.must(f.pull(byDigest), "pull")
	found, err := f.InspectImage(f.ctx, byDigest)
	f.must(err, "inspect")
	equal(f, "tags", len(found.Tags), 0)
	remote, err := f.RemoteDigest(f.ctx, byDigest)
	f.must(err, "ask for the digest")
	equal(f, "digest", remote, digest)
}

func pullNotFound(f *fixture) {
	registry := f.harness.Registry
	registry.Push(f.name, "1")
	for _, ref := range []string{registry.Ref(f.name, "2"), registry.Ref(f.name+"-nothing", "1")} {
		f.wants(f.pull(ref), engine.ErrNotFound, "pull "+ref)
		_, err := f.RemoteDigest(f.ctx, ref)
		f.wants(err, engine.ErrNotFound, "ask for the digest of "+ref)
	}
}

func pullDenied(f *fixture) {
	registry := f.harness.Registry
	ref, _ := registry.Push(f.name, "1")
	registry.Deny(f.name)
	f.wants(f.pull(ref), engine.ErrDenied, "pull")
	_, err := f.RemoteDigest(f.ctx, ref)
	f.wants(err, engine.ErrDenied, "ask for the digest")
}

func pullBreaks(f *fixture) {
	registry := f.harness.Registry
	ref, _ := registry.Push(f.name, "1")
	registry.Break(f.name, "1")
	f.wantsOwnWords(f.pull(ref), "pull")
	_, err := f.InspectImage(f.ctx, ref)
	f.wants(err, engine.ErrNotFound, "inspect after a pull that broke off")
}

func pullCancelled(f *fixture) {
	registry := f.harness.Registry
	ref, _ := registry.Push(f.name, "1")
	ctx, cancel := context.WithCancel(f.ctx)
	defer cancel()
	err := f.PullImage(ctx, engine.PullImage{Ref: ref}, func(engine.PullProgress) { cancel() })
	f.wants(err, context.Canceled, "pull whose caller goes away")
}

func pullPlatform(f *fixture) {
	registry := f.harness.Registry
	ref, _ := registry.Push(f.name, "1")
	err := f.PullImage(f.ctx, engine.PullImage{Ref: ref, Platform: "linux/s390x"}, func(engine.PullProgress) {})
	f.wants(err, engine.ErrNotFound, "pull for a platform that the image is not for")
	f.must(f.PullImage(f.ctx, engine.PullImage{Ref: ref, Platform: "linux/amd64"}, func(engine.PullProgress) {}), "pull")
}

func isError(err, target error) bool { return errors.Is(err, target) }
