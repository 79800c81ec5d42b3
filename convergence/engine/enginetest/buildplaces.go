package enginetest

import (
	"strings"

	"github.com/muster-dev/muster/convergence/engine"
)

// buildImageContext reads an image that the engine has under another name.
func buildImageContext(f *fixture) {
	ref := f.name + "-below"
	f.builds(engine.BuildImage{
		Context: f.folder(map[string]string{"text": "from below"}), Tags: []string{ref},
		DockerfileInline: "FROM scratch\nCOPY text /text\n",
	})
	b := f.builds(engine.BuildImage{
		Context: f.folder(map[string]string{"text": "from here"}), Tags: []string{f.name + "-above"},
		ImageContexts:    map[string]string{"below": ref},
		DockerfileInline: dockerfile(f.fresh(), "COPY --from=below /text /text", `RUN ["/testbox", "-cat", "/text"]`),
	})
	equal(f, "reads the other image", b.wrote("from below"), true)
}

// wrote says whether a step of the build wrote a line.
func (b built) wrote(line string) bool {
	for _, event := range b.events {
		if event.Kind == engine.BuildLog && strings.TrimSpace(event.Text) == line {
			return true
		}
	}
	return false
}

// buildPushes brings what it makes to the registry.
func buildPushes(f *fixture) {
	ref := f.harness.Registry.Ref(f.name, "built")
	f.builds(engine.BuildImage{
		Context: f.folder(map[string]string{"text": "pushed"}), Tags: []string{ref}, Push: true,
		DockerfileInline: "FROM scratch\nCOPY text /text\n",
	})
	digest, err := f.RemoteDigest(f.ctx, ref)
	f.must(err, "ask for the digest")
	equal(f, "has a digest", strings.HasPrefix(digest, "sha256:"), true)
	f.harness.Registry.Deny(f.name)
	f.built = append(f.built, ref) // is made all the same
	f.wants(f.build(engine.BuildImage{
		Context: f.folder(map[string]string{"text": "refused"}), Tags: []string{ref}, Push: true,
		DockerfileInline: "FROM scratch\nCOPY text /text\n",
	}).err, engine.ErrDenied, "push what was built")
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
