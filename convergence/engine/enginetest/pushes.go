package enginetest

import (
	"strings"

	"github.com/muster-dev/muster/convergence/engine"
)

func pushCases() []testCase {
	return []testCase{
		{"a push brings an image and tells how far it is", pushBrings},
		{"what is not here cannot be pushed", pushNothing},
		{"what the registry does not take", pushDenied},
		{"a build pushes what it makes", buildPushes},
	}
}

// local makes an image of the engine's own under a reference, and removes it in the end.
func (f *fixture) local(ref string) {
	f.Helper()
	id := f.create(f.request("local"))
	_, err := f.CommitContainer(f.ctx, engine.CommitContainer{Ref: id, Reference: ref})
	f.must(err, "commit")
	f.built = append(f.built, ref)
}

func (f *fixture) push(ref string) error {
	return f.PushImage(f.ctx, ref, func(engine.PullProgress) {})
}

func pushBrings(f *fixture) {
	ref := f.harness.Registry.Ref(f.name, "1")
	f.local(ref)
	var last engine.PullProgress
	f.must(f.PushImage(f.ctx, ref, func(progress engine.PullProgress) {
		if progress.Done > progress.Total {
			f.Errorf("progress: %d of %d bytes", progress.Done, progress.Total)
		}
		last = progress
	}), "push")
	equal(f, "some bytes were counted", last.Total > 0, true)
	equal(f, "all of it is there at the end", last.Done, last.Total)
	digest, err := f.RemoteDigest(f.ctx, ref)
	f.must(err, "ask for the digest")
	equal(f, "has a digest", strings.HasPrefix(digest, "sha256:"), true)
	f.must(f.push(ref), "push again")
}

func pushNothing(f *fixture) {
	f.wants(f.push(f.harness.Registry.Ref(f.name, "none")), engine.ErrNotFound, "push what is not here")
}

func pushDenied(f *fixture) {
	ref := f.harness.Registry.Ref(f.name, "1")
	f.local(ref)
	f.harness.Registry.Deny(f.name)
	f.wants(f.push(ref), engine.ErrDenied, "push")
}
