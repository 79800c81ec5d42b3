package project

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Field is one thing that makes an object what it is.
type Field struct {
	Value string
	// Sensitive values are kept as digests only: environment variables.
	Sensitive bool
	// Hidden values are kept as digests only and never shown: what secrets, configs, env files and label files hold.
	Hidden bool
}

// Fields are what makes a container, network or volume "the same", by path: "environment.LOG_LEVEL", "volumes./data". Two
// objects with equal fields need not be told apart; the paths that differ are the reasons for a change.
type Fields map[string]Field

func (f Fields) set(path, value string) {
	if value != "" {
		f[path] = Field{Value: value}
	}
}

// unset is the value of a variable that the file names without a value and the environment does not have.
const unset = "\x00unset"

// Identity is what a service's containers are recognised by.
type Identity struct {
	Fields Fields // Muster's own
	Hash   string // docker compose's, see [ServiceHash]
}

// Identify computes a service's identity. Networks and volumes are in the fields under the engine's names; contents of secrets
// and configs once [Project.ReadContents] has read them. What no container shows is left out: build, replicas, order,
// profiles, hooks, develop, update and rollback rules, placement, and the words on ports that only describe.
func Identify(p *Project, service Service) (Identity, error) {
	tree, err := serviceTree(service)
	if err != nil {
		return Identity{}, fmt.Errorf("identify service %q: %w", service.Name, err)
	}
	identity := Identity{Hash: treeHash(tree, serviceKeys), Fields: Fields{}}
	for _, key := range []string{
		"develop", "attach", "pre_start", "post_start", "pre_stop", "extends", "label_file", "provider", "models",
		"environment", "ports", "volumes", "configs", "secrets", "networks", "image",
	} {
		delete(tree, key)
	}
	if deploy, ok := tree["deploy"].(map[string]any); ok {
		for _, key := range []string{"mode", "labels", "update_config", "rollback_config", "placement", "endpoint_mode"} {
			delete(deploy, key)
		}
	}
	fields := identity.Fields
	flatten(fields, "", tree)
	fields.set("image", p.ImageName(service))
	fields.set("ports", portsText(service.Ports))
	for name, value := range service.Environment {
		path := "environment." + name
		fields[path] = Field{Value: environmentValue(value), Sensitive: true, Hidden: p.isFromFile(service.Name, path)}
	}
	for name, value := range service.Labels {
		if path := "labels." + name; p.isFromFile(service.Name, path) {
			fields[path] = Field{Value: value, Hidden: true}
		}
	}
	addNetworks(fields, p, service)
	for _, mount := range service.Volumes {
		fields.set("volumes."+mount.Target, mountText(p, mount))
	}
	addFiles(fields, p, service)
	return identity, nil
}

func environmentValue(value *string) string {
	if value == nil {
		return unset
	}
	return *value
}

func addNetworks(fields Fields, p *Project, service Service) {
	for key, endpoint := range service.Networks {
		path := "networks." + key
		fields.set(path+".name", p.Networks[key].Name)
		if endpoint == nil {
			continue
		}
		if tree, err := jsonTree(endpoint); err == nil {
			flatten(fields, path, tree)
		}
	}
}

// addFiles adds the secrets and configs: where each comes from, and what it holds.
func addFiles(fields Fields, p *Project, service Service) {
	for _, secret := range service.Secrets {
		path := "secrets." + cmp.Or(secret.Target, secret.Source)
		addFile(fields, path, FileReference(secret), FileObject(p.Secrets[secret.Source]))
		fields.setContent(path, p.Digests[SecretKey(secret.Source)])
	}
	for _, config := range service.Configs {
		path := "configs." + cmp.Or(config.Target, config.Source)
		addFile(fields, path, FileReference(config), FileObject(p.Configs[config.Source]))
		fields.setContent(path, p.Digests[ConfigKey(config.Source)])
	}
}

// SecretKey is where [Project.Digests] keeps the digest of a secret, and what [Project.Content] knows it by.
func SecretKey(name string) string { return "secret " + name }

// ConfigKey is where [Project.Digests] keeps the digest of a config, and what [Project.Content] knows it by.
func ConfigKey(name string) string { return "config " + name }

func addFile(fields Fields, path string, reference FileReference, object FileObject) {
	fields.set(path+".file", object.File)
	fields.set(path+".uid", reference.UID)
	fields.set(path+".gid", reference.GID)
	if reference.Mode != nil {
		fields.set(path+".mode", reference.Mode.String())
	}
}

func (f Fields) setContent(path, digest string) {
	if digest != "" {
		f[path+".content"] = Field{Value: digest, Hidden: true}
	}
}

// portsText is all published ports as one writes them, "8080:80, 127.0.0.1:5353:53/udp".
func portsText(ports []Port) string {
	texts := make([]string, len(ports))
	for i, port := range ports {
		text := strconv.Itoa(int(port.Target))
		if port.Published != "" || port.HostIP != "" {
			text = port.Published + ":" + text
		}
		if port.HostIP != "" {
			text = port.HostIP + ":" + text
		}
		if port.Protocol != "" && port.Protocol != "tcp" {
			text += "/" + port.Protocol
		}
		texts[i] = text
	}
	return strings.Join(texts, ", ")
}

// mountText is a mount in words: its type, its source under the engine's name, and its options.
func mountText(p *Project, mount Mount) string {
	words := []string{mount.Type}
	if source := mount.Source; source != "" {
		if volume, ok := p.Volumes[source]; ok && mount.Type == MountVolume {
			source = volume.Name
		}
		words = append(words, source)
	}
	if mount.ReadOnly {
		words = append(words, "read-only")
	}
	options := Fields{}
	if tree, err := jsonTree(mount); err == nil {
		for _, key := range []string{"bind", "volume", "tmpfs", "image", "consistency"} {
			if value, ok := tree[key]; ok {
				flatten(options, key, value)
			}
		}
	}
	for _, path := range slices.Sorted(maps.Keys(options)) {
		words = append(words, path+"="+options[path].Value)
	}
	return strings.Join(words, " ")
}

// NetworkFields are the fields of a network; its name is what it is known by, not one of them.
func NetworkFields(network Network) (Fields, error) {
	tree, err := jsonTree(network)
	if err != nil {
		return nil, fmt.Errorf("compare network %q: %w", network.Name, err)
	}
	delete(tree, "name")
	fields := Fields{}
	flatten(fields, "", tree)
	return fields, nil
}

// VolumeFields are the fields of a volume that only a new volume, without the data, could change. Labels are not among them.
func VolumeFields(volume Volume) (Fields, error) {
	tree, err := jsonTree(volume)
	if err != nil {
		return nil, fmt.Errorf("compare volume %q: %w", volume.Name, err)
	}
	delete(tree, "name")
	delete(tree, "labels")
	if tree["driver"] == "local" {
		delete(tree, "driver")
	}
	fields := Fields{}
	flatten(fields, "", tree)
	return fields, nil
}

// flatten adds a JSON tree's values by path. A list of plain values is one value; empty objects and null are nothing.
func flatten(fields Fields, path string, value any) {
	switch value := value.(type) {
	case map[string]any:
		for key, child := range value {
			flatten(fields, join(path, key), child)
		}
	case []any:
		if isPlain(value) {
			fields[path] = Field{Value: listText(value)}
			return
		}
		for i, child := range value {
			flatten(fields, join(path, strconv.Itoa(i)), child)
		}
	case nil:
	default:
		fields[path] = Field{Value: fmt.Sprint(value)}
	}
}

func isPlain(list []any) bool {
	return !slices.ContainsFunc(list, func(item any) bool {
		_, isMap := item.(map[string]any)
		return isMap
	})
}

// listText is a list as one value. It tells ["a b"] from ["a", "b"], and an empty list from none.
func listText(list []any) string {
	texts := make([]string, len(list))
	for i, item := range list {
		texts[i] = strconv.Quote(fmt.Sprint(item))
	}
	return "[" + strings.Join(texts, ", ") + "]"
}
