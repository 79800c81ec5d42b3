package project

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"slices"
)

// Snapshot is everything that a project says, thing by thing: "service web", "network default", "volume data", "secret token",
// "config site". Two loads that give equal snapshots wish for the same. Contents of secrets and configs are in it once
// [Project.ReadContents] has read them; what a build finds in its context is not.
func Snapshot(p *Project) (map[string]Fields, error) {
	things := map[string]Fields{"project": {"name": {Value: p.Name}}}
	for name, service := range p.Services {
		fields, err := wholeService(p, service)
		if err != nil {
			return nil, fmt.Errorf("look at service %q: %w", name, err)
		}
		things["service "+name] = fields
	}
	for key, network := range p.Networks {
		fields, err := NetworkFields(network)
		if err != nil {
			return nil, err
		}
		fields.set("name", network.Name)
		things["network "+key] = fields
	}
	for key, volume := range p.Volumes {
		fields, err := VolumeFields(volume)
		if err != nil {
			return nil, err
		}
		fields.set("name", volume.Name)
		things["volume "+key] = fields
	}
	for key, digest := range p.Digests {
		things[key] = Fields{"content": {Value: digest, Hidden: true}}
	}
	return things, nil
}

// wholeService is what makes the service's containers the same, and all else that the file says of it.
func wholeService(p *Project, service Service) (Fields, error) {
	identity, err := Identify(p, service)
	if err != nil {
		return nil, err
	}
	tree, err := jsonTree(service)
	if err != nil {
		return nil, err
	}
	fields := Fields{}
	flatten(fields, "", tree)
	maps.Copy(fields, identity.Fields)
	return fields, nil
}

// Digests are the fields with a digest in the place of each value. Without the salt nobody can tell what a digest is of but by trying.
func (f Fields) Digests(salt string) map[string]string {
	digests := make(map[string]string, len(f))
	for path, field := range f {
		digests[path] = field.digest(path, salt)
	}
	return digests
}

// Digest is one digest of all fields of all things.
func Digest(things map[string]Fields) string {
	sum := sha256.New()
	for _, thing := range slices.Sorted(maps.Keys(things)) {
		_, _ = fmt.Fprintf(sum, "%q\n", thing)
		fields := things[thing]
		for _, path := range slices.Sorted(maps.Keys(fields)) {
			_, _ = io.WriteString(sum, fmt.Sprintf("%q=%q\n", path, fields[path].Value))
		}
	}
	const length = 32
	return hex.EncodeToString(sum.Sum(nil))[:length]
}
