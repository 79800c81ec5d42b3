package project

import (
	"regexp"

	"github.com/compose-spec/compose-go/v2/format"
	"github.com/compose-spec/compose-go/v2/tree"
	"github.com/compose-spec/compose-go/v2/types"
)

// shortName is a mount whose volume has a name of one letter, with its target and options: "v:/data:ro". A drive of Windows has
// another absolute path after it, the target.
var shortName = regexp.MustCompile(`^[a-zA-Z]:(/[^:]*)(:[a-zA-Z,]*)?$`)

// absolutePath is a path in a container, of Windows too.
var absolutePath = regexp.MustCompile(`^(/|\\|[a-zA-Z]:[/\\])`)

// parseMount reads the short form of a mount as the library does, but for volumes with a name of one letter: the library takes that
// for a Windows drive, and so makes an anonymous volume of "v:/data", or mounts a folder of that name.
func parseMount(text string) (types.ServiceVolumeConfig, error) {
	if !shortName.MatchString(text) {
		return format.ParseVolume(text)
	}
	name := text[:1]
	mount, err := format.ParseVolume(name + text)
	mount.Source = name
	return mount, err
}

// mountCast puts the long form in place of mounts that the library would misread.
func mountCast() typeCast {
	path := tree.NewPath("services", tree.PathMatchAll, "volumes", tree.PathMatchList)
	return typeCast{path, path.Parts(), func(text string) (any, error) {
		if !shortName.MatchString(text) {
			return text, nil
		}
		mount, err := parseMount(text)
		if err != nil {
			return text, nil //nolint:nilerr // it is told where mounts are checked
		}
		options := map[string]any{}
		if mount.Volume != nil && mount.Volume.NoCopy {
			options["nocopy"] = true
		}
		long := map[string]any{"type": mount.Type, "source": mount.Source, "target": mount.Target, "volume": options}
		if mount.ReadOnly {
			long["read_only"] = true
		}
		return long, nil
	}}
}
