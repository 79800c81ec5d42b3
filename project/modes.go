package project

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/compose-spec/compose-go/v2/tree"
	"go.yaml.in/yaml/v4"
)

// modeCast reads a text as a file mode: those are octal, whatever they are written as.
func modeCast() typeCast {
	path := tree.NewPath("services", tree.PathMatchAll, "volumes", tree.PathMatchList, "tmpfs", "mode")
	return typeCast{path, path.Parts(), func(text string) (any, error) {
		mode, err := strconv.ParseUint(strings.TrimPrefix(strings.TrimPrefix(text, "0o"), "0O"), 8, 32)
		return int(mode), err
	}}
}

// readModes gives the file modes of mounts, secrets and configs that are written as plain numbers the meaning that the
// specification and everybody's habit give them: octal. docker compose reads YAML's number, so that "1777" gets strange bits. A
// number that is only sensible as YAML reads it is left alone: 511, which is 0777 written in decimal, is not among them.
func (l *loading) readModes(model *Model) []Warning {
	modes := modes{places: l.places}
	for _, services := range []Services{model.Services, model.DisabledServices} {
		for _, name := range keys(services) {
			modes.service(services[name])
		}
	}
	return modes.warnings
}

type modes struct {
	places   *places
	warnings []Warning
}

func (m *modes) service(service Service) {
	path := "services." + service.Name
	for _, mount := range service.Volumes {
		if mount.Tmpfs != nil && mount.Tmpfs.Mode != 0 {
			mount.Tmpfs.Mode = uint32(m.read(path+".volumes."+mount.Target+".tmpfs.mode", int64(mount.Tmpfs.Mode)))
		}
	}
	for _, secret := range service.Secrets {
		if secret.Mode != nil {
			*secret.Mode = FileMode(m.read(path+".secrets."+secret.Source+".mode", int64(*secret.Mode)))
		}
	}
	for _, config := range service.Configs {
		if config.Mode != nil {
			*config.Mode = FileMode(m.read(path+".configs."+config.Source+".mode", int64(*config.Mode)))
		}
	}
}

// read is the mode that is meant by what stands at a path and was read as a number.
func (m *modes) read(path string, number int64) int64 {
	place, exact := m.places.find(path)
	node := target(place.value)
	if !exact || node == nil || node.Kind != yaml.ScalarNode || isText(node) {
		return number
	}
	mode, isOctal := octal(node.Value)
	if !isOctal || mode == number {
		return number
	}
	m.warnings = append(m.warnings, place.valueProblem(path,
		fmt.Sprintf("mode %s is read as octal, where docker compose reads it as decimal (0%o)", node.Value, number),
		fmt.Sprintf("write 0o%s", node.Value)))
	return mode
}

// octal reads a number without a prefix as an octal mode, where that is what it can be.
func octal(text string) (mode int64, ok bool) {
	const most = 0o7777
	mode, err := strconv.ParseInt(text, 8, 64)
	if err != nil || mode > most || strings.HasPrefix(text, "0") {
		return 0, false
	}
	decimal, err := strconv.ParseInt(text, 10, 64)
	return mode, err == nil && (isSensible(mode) || !isSensible(decimal))
}

// isSensible says whether a mode gives nobody more than those who are closer to the file.
func isSensible(mode int64) bool {
	const most, class, bits = 0o7777, 3, 0o7
	owner, group, others := mode>>(2*class)&bits, mode>>class&bits, mode&bits
	return mode <= most && owner != 0 && owner|group == owner && group|others == group
}
