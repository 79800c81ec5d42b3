package project

import (
	"fmt"
	"path"
	"strconv"
)

// checkFiles checks how a service uses secrets and configs: owners are numbers, because names are only known inside of the image, modes
// are permissions, and no two files lie in one place.
func (c *checker) checkFiles(service Service) {
	prefix := "services." + service.Name + "."
	targets := map[string]string{}
	check := func(section, target string, use FileReference) {
		name := section + " " + use.Source
		if other, taken := targets[target]; taken && other != name && !c.unknown(target) {
			c.report(prefix+section+"."+use.Source, fmt.Sprintf("is put at %s, where another one is already", quote(target)),
				"give one of them another target")
		}
		targets[target] = name
		c.checkOwner(prefix+section+"."+use.Source, use)
	}
	for _, use := range service.Secrets {
		check("secrets", SecretTarget(FileReference(use)), FileReference(use))
	}
	for _, use := range service.Configs {
		check("configs", ConfigTarget(FileReference(use)), FileReference(use))
	}
}

func (c *checker) checkOwner(place string, use FileReference) {
	for _, owner := range []struct{ key, value string }{{"uid", use.UID}, {"gid", use.GID}} {
		if owner.value == "" || c.unknown(owner.value) {
			continue
		}
		if _, err := ParseOwner(owner.value); err != nil {
			c.report(place+"."+owner.key, quote(owner.value)+" is no number of an owner",
				`use a number, like "1000": names are only known inside of the image`)
		}
	}
	const all = 0o7777
	if mode := use.Mode; mode != nil && (*mode < 0 || *mode > all) {
		c.report(place+".mode", "mode "+mode.String()+" is none of a file", "write it in octal, like 0440")
	}
}

// ParseOwner reads a uid or gid; none is 0, root.
func ParseOwner(text string) (int, error) {
	if text == "" {
		return 0, nil
	}
	number, err := strconv.ParseUint(text, 10, 31)
	return int(number), err
}

// SecretTarget is where a secret lies in the container, absolute: names that are not are those of files in /run/secrets.
func SecretTarget(use FileReference) string { return fileTarget("/run/secrets", use) }

// ConfigTarget is where a config lies in the container, absolute: names that are not are below the root.
func ConfigTarget(use FileReference) string { return fileTarget("/", use) }

func fileTarget(folder string, use FileReference) string {
	target := use.Target
	if target == "" {
		target = use.Source
	}
	if path.IsAbs(target) {
		return path.Clean(target)
	}
	return path.Join(folder, target)
}
