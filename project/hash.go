package project

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// ServiceHash is docker compose's config hash of a service: what `config --hash` prints. On containers it is [ContainerHash].
// It equals v5.5's byte for byte, so that a stack can be handed over in both directions without replacing a container.
//
// What does not change a container (build, replicas, order, profiles, pull policy) is not in it.
func ServiceHash(service Service) (string, error) {
	tree, err := serviceTree(service)
	if err != nil {
		return "", fmt.Errorf("hash service %q: %w", service.Name, err)
	}
	return treeHash(tree, serviceKeys), nil
}

// ContainerHash is [ServiceHash] as it is on containers: the ID of a service's first container stands in place of "service:NAME" in
// modes of namespaces and of the name in volumes_from, where the access is lost and so is the prefix of a container's name. A service
// without an ID keeps its words.
func ContainerHash(service Service, ids map[string]string) (string, error) {
	for _, mode := range []*string{&service.NetworkMode, &service.Ipc, &service.Pid} {
		if name, ok := strings.CutPrefix(*mode, ServicePrefix); ok && ids[name] != "" {
			*mode = ContainerPrefix + ids[name]
		}
	}
	service.VolumesFrom = slices.Clone(service.VolumesFrom)
	for i, entry := range service.VolumesFrom {
		container, isContainer := strings.CutPrefix(entry, ContainerPrefix)
		name, _, _ := strings.Cut(container, ":")
		switch {
		case isContainer:
			service.VolumesFrom[i] = name
		case ids[name] != "":
			service.VolumesFrom[i] = ids[name]
		}
	}
	return ServiceHash(service)
}

// NetworkHash is docker compose's config hash of a network.
func NetworkHash(network Network) (string, error) {
	tree, err := jsonTree(network)
	if err != nil {
		return "", fmt.Errorf("hash network %q: %w", network.Name, err)
	}
	return treeHash(tree, networkKeys), nil
}

// VolumeHash is docker compose's config hash of a volume; no driver counts as "local".
func VolumeHash(volume Volume) (string, error) {
	if volume.Driver == "" {
		volume.Driver = "local"
	}
	tree, err := jsonTree(volume)
	if err != nil {
		return "", fmt.Errorf("hash volume %q: %w", volume.Name, err)
	}
	return treeHash(tree, volumeKeys), nil
}

func treeHash(tree map[string]any, keys keyOrder) string {
	var buffer bytes.Buffer
	writeTree(&buffer, tree, keys, "")
	sum := sha256.Sum256(buffer.Bytes())
	return hex.EncodeToString(sum[:])
}

// serviceTree is the service as JSON values, without what no container shows. The service is not changed.
func serviceTree(service Service) (map[string]any, error) {
	service.Build, service.PullPolicy, service.PullRefreshAfter = nil, "", ""
	service.Scale, service.DependsOn, service.Profiles = nil, nil, nil
	service.EnvFiles = nil
	if service.Deploy != nil {
		deploy := *service.Deploy
		deploy.Replicas = nil
		service.Deploy = &deploy
	}
	tree, err := jsonTree(service)
	if err != nil {
		return nil, err
	}
	if hooks, ok := tree["pre_start"].([]any); ok {
		for _, hook := range hooks {
			ownFields(hook, tree)
		}
	}
	return tree, nil
}

// ownFields takes out of a pre_start hook what the library lets it inherit from its service: the model that the hash is defined
// by knew no inheritance. A field that the file repeats with the service's value cannot be told from an inherited one.
func ownFields(hook any, service map[string]any) {
	fields, ok := hook.(map[string]any)
	if !ok {
		return
	}
	for key, value := range fields {
		if inherited, ok := service[key]; (ok || value == nil) && key != "image" && reflect.DeepEqual(value, inherited) {
			delete(fields, key)
		}
	}
	if _, ok := fields["command"]; !ok {
		fields["command"] = nil
	}
	environment, _ := fields["environment"].(map[string]any)
	inheritable, _ := service["environment"].(map[string]any)
	for key, value := range environment {
		if inherited, ok := inheritable[key]; ok && reflect.DeepEqual(value, inherited) {
			delete(environment, key)
		}
	}
}

// jsonTree is what the model's types marshal to, numbers as they are written.
func jsonTree(value any) (map[string]any, error) {
	data, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var tree map[string]any
	if err := decoder.Decode(&tree); err != nil {
		return nil, err
	}
	return tree, nil
}

// keyOrder gives the order of an object's keys by its path, in which "*" stands for the items of a list and the values of a map.
// No order means that the object is a map, whose keys sort.
type keyOrder func(path string) []string

// writeTree writes JSON as Go does (no spaces, HTML escaped) but for the order of an object's keys, which Go takes from the
// library's structs and so changes from version to version. Keys that the order does not know come last, sorted.
func writeTree(buffer *bytes.Buffer, value any, keys keyOrder, path string) {
	switch value := value.(type) {
	case map[string]any:
		order := keys(path)
		separator := byte('{')
		for _, key := range orderedKeys(value, order) {
			buffer.WriteByte(separator)
			separator = ','
			writeScalar(buffer, key)
			buffer.WriteByte(':')
			child := key
			if order == nil {
				child = "*"
			}
			writeTree(buffer, value[key], keys, join(path, child))
		}
		if separator == '{' {
			buffer.WriteByte('{')
		}
		buffer.WriteByte('}')
	case []any:
		buffer.WriteByte('[')
		for i, item := range value {
			if i > 0 {
				buffer.WriteByte(',')
			}
			writeTree(buffer, item, keys, join(path, "*"))
		}
		buffer.WriteByte(']')
	default:
		writeScalar(buffer, value)
	}
}

func orderedKeys(object map[string]any, order []string) []string {
	ordered := make([]string, 0, len(object))
	for _, key := range order {
		if _, ok := object[key]; ok {
			ordered = append(ordered, key)
		}
	}
	if len(ordered) == len(object) {
		return ordered
	}
	for _, key := range slices.Sorted(maps.Keys(object)) {
		if !slices.Contains(order, key) {
			ordered = append(ordered, key)
		}
	}
	return ordered
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// writeScalar writes a string, a number, a boolean or null. Those always marshal.
func writeScalar(buffer *bytes.Buffer, value any) {
	data, _ := json.Marshal(value)
	buffer.Write(data)
}
