package daemon

import "testing"

func TestConfiguration(t *testing.T) {
	t.Parallel()
	const builder = `"builder":{"entitlements":{"security-insecure":true},"gc":{"enabled":true,"policy":[{"all":true,"keepStorage":"5GB"}]}}`
	for name, test := range map[string]struct {
		features map[string]bool
		want     string
	}{
		"usual":         {nil, "{" + builder + "}"},
		"with features": {map[string]bool{"containerd-snapshotter": true}, "{" + builder + `,"features":{"containerd-snapshotter":true}}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := Launch{Features: test.features}.configuration()
			if err != nil || string(got) != test.want {
				t.Errorf("configuration = %s, %v; want %s", got, err, test.want)
			}
		})
	}
}
