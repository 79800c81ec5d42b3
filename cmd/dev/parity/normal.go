package parity

import (
	"cmp"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// fields are an object's values by path: "HostConfig.Dns[0]". What is null or empty has none, for the engine shows a list that a
// request left out now as null and now as an empty one.
type fields map[string]string

// differs lists what is never the same twice, whoever made the object: what the engine numbers, times, and paths that it makes of
// those. In a pattern "*" stands for any text.
func differs() patternList {
	return patterns(
		// What an object is called inside the engine, and when it was made.
		"*.Id", "network.Created", "container.Created", "volume.CreatedAt", "image.Created", "image.Metadata.LastTagTime",
		// Where the engine keeps it.
		"container.ResolvConfPath", "container.HostnamePath", "container.HostsPath", "container.LogPath",
		"container.GraphDriver.*", "container.Storage.*", "container.ImageManifestDescriptor.*", "container.NetworkSettings.SandboxKey",
		"volume.Mountpoint", "image.GraphDriver.*",
		// The process as it runs at this moment. That it was started, and that it has a health, is kept: see state.
		"container.State.*",
		// What is given at every start.
		"container.NetworkSettings.*EndpointID", "container.NetworkSettings.*NetworkID", "container.NetworkSettings.SandboxID", "container.ExecIDs*",
		"network.Containers.*", "network.Status.*",
		// The bytes of a built image have its time in them; its settings are compared.
		"image.RepoDigests*", "image.RootFS.*", "image.Size", "image.VirtualSize", "image.Parent",
		"image.Descriptor.*", "image.Identity.*", "image.Manifests*", "image.Container", "image.ContainerConfig.*",
		// Which tool made it, and what only it reads.
		"*.Labels.com.docker.compose.version", "*.Labels.dev.muster.*",
	)
}

// sets are lists whose order means nothing: their items are told apart by what they are about.
func sets() map[string]func(any) string {
	return map[string]func(any) string{
		"container.Config.Env":             upTo("="),
		"container.HostConfig.Binds":       whole,
		"container.HostConfig.Mounts":      key("Target"),
		"container.HostConfig.Ulimits":     key("Name"),
		"container.HostConfig.ExtraHosts":  whole,
		"container.HostConfig.CapAdd":      whole,
		"container.HostConfig.CapDrop":     whole,
		"container.HostConfig.SecurityOpt": whole,
		"container.HostConfig.Devices":     key("PathInContainer"),
		"container.HostConfig.VolumesFrom": whole,
		"container.HostConfig.Links":       whole,
		"container.Mounts":                 key("Destination"),
		"image.RepoTags":                   whole,
	}
}

// endpointSets are the same within an endpoint's settings, whatever its network is called.
func endpointSets() patternList {
	return patterns("container.NetworkSettings.Networks.*.Aliases", "container.NetworkSettings.Networks.*.DNSNames",
		"container.NetworkSettings.Networks.*.Links")
}

func whole(item any) string { return fmt.Sprint(item) }

func upTo(separator string) func(any) string {
	return func(item any) string {
		before, _, _ := strings.Cut(fmt.Sprint(item), separator)
		return before
	}
}

func key(name string) func(any) string {
	return func(item any) string {
		object, _ := item.(map[string]any)
		return text(object[name])
	}
}

// normalizer makes the objects of one project comparable.
type normalizer struct {
	source string            // the Compose file: an address or a port that it names is compared as it is
	ids    map[string]string // an ID, whole and short -> what it is of
	ranges [][2]int          // of ports that the file names, of which the engine takes a free one

	differs, endpointSets patternList
	sets                  map[string]func(any) string
}

func newNormalizer(source string, seen snapshot) normalizer {
	n := normalizer{source: source, ids: map[string]string{}, differs: differs(), endpointSets: endpointSets(), sets: sets()}
	const short = 12
	for name, id := range seen.ids {
		id = strings.TrimPrefix(id, "sha256:")
		if len(id) == fullID {
			n.ids[id], n.ids[id[:short]] = "<"+name+">", "<"+name+">"
		}
	}
	for _, ends := range portRange.FindAllStringSubmatch(source, -1) {
		first, _ := strconv.Atoi(ends[1])
		last, _ := strconv.Atoi(ends[2])
		n.ranges = append(n.ranges, [2]int{first, last})
	}
	return n
}

const fullID = 64

// normalize makes the fields of all objects: "container web-1" -> its fields.
func normalize(source string, seen snapshot) map[string]fields {
	n := newNormalizer(source, seen)
	all := make(map[string]fields, len(seen.objects))
	for name, object := range seen.objects {
		kind, _, _ := strings.Cut(name, " ")
		values := fields{}
		n.add(values, kind, "", object)
		switch kind {
		case "container":
			addState(values, object)
		case "image":
			addAttestations(values, object)
		}
		all[name] = values
	}
	return all
}

// addState keeps of a container's state what does not depend on the moment.
func addState(values fields, object any) {
	container, _ := object.(map[string]any)
	state, _ := container["State"].(map[string]any)
	values["State.(started)"] = fmt.Sprint(!strings.HasPrefix(text(state["StartedAt"]), "0001-"))
	values["State.(has a health)"] = fmt.Sprint(state["Health"] != nil)
}

// addAttestations counts what an image has of attestations, which only engines with containerd's store keep and tell of.
func addAttestations(values fields, object any) {
	image, _ := object.(map[string]any)
	manifests, _ := image["Manifests"].([]any)
	count := 0
	for _, manifest := range manifests {
		if kind, _ := manifest.(map[string]any); text(kind["Kind"]) == "attestation" {
			count++
		}
	}
	values["Manifests.(attestations)"] = strconv.Itoa(count)
}

func (n normalizer) add(values fields, kind, path string, value any) {
	full := kind + "." + path
	if path != "" && n.differs.match(full) {
		return
	}
	switch value := value.(type) {
	case nil:
	case map[string]any:
		for name, child := range value {
			n.add(values, kind, join(path, name), child)
		}
	case []any:
		n.addList(values, kind, path, value)
	default:
		values[path] = n.scalar(full, value)
	}
}

func (n normalizer) addList(values fields, kind, path string, list []any) {
	full := kind + "." + path
	name, isSet := n.sets[full]
	if !isSet && n.endpointSets.match(full) {
		name, isSet = whole, true
	}
	if boundPorts.MatchString(full) {
		list = n.sortedPorts(list)
	}
	for i, item := range list {
		place := fmt.Sprint(i)
		if isSet {
			place = n.words(name(item))
		}
		n.add(values, kind, path+"["+place+"]", item)
	}
}

// sortedPorts puts in order where a port is published: old engines list two ports of the host for one of a container now this way
// and now that. The order that a request has is compared in HostConfig.PortBindings.
func (n normalizer) sortedPorts(list []any) []any {
	return slices.SortedStableFunc(slices.Values(list), func(a, b any) int {
		return cmp.Or(cmp.Compare(n.port(key("HostPort")(a)), n.port(key("HostPort")(b))), cmp.Compare(key("HostIp")(a), key("HostIp")(b)))
	})
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

var (
	hexID       = regexp.MustCompile(`\b[0-9a-f]{64}\b`)
	shortID     = regexp.MustCompile(`\b[0-9a-f]{12}\b`)
	ipv4        = regexp.MustCompile(`\b\d{1,3}(\.\d{1,3}){3}\b`)
	ipv6        = regexp.MustCompile(`\b[0-9a-f]{1,4}:[0-9a-f:]*:[0-9a-f:]*\b|\b[0-9a-f]{1,4}(:[0-9a-f]{1,4}){2,7}\b`)
	mac         = regexp.MustCompile(`\b[0-9a-f]{2}(:[0-9a-f]{2}){5}\b`)
	givenSubnet = regexp.MustCompile(`<address>/\d+`)
	// An engine's own pools have networks of several sizes.
	prefixLength = regexp.MustCompile(`^container\.NetworkSettings\..*PrefixLen$`)
	portRange    = regexp.MustCompile(`\b(\d+)-(\d+)\b`)
	configHash   = regexp.MustCompile(`\.Labels\.com\.docker\.compose\.config-hash$`)
	boundPort    = regexp.MustCompile(`^container\.NetworkSettings\.Ports\..*\.HostPort$`)
	boundPorts   = regexp.MustCompile(`^container\.NetworkSettings\.Ports\.[^.]*$`)
	dependsOn    = regexp.MustCompile(`^container\.Config\.Labels\.com\.docker\.compose\.depends_on$`)
)

// scalar is a plain value, with what the engine chose replaced by a word.
func (n normalizer) scalar(path string, value any) string {
	content, isText := value.(string)
	switch {
	case prefixLength.MatchString(path) && !strings.Contains(n.source, fmt.Sprintf("/%v", value)):
		return "<length>"
	case !isText:
		return fmt.Sprint(value)
	case configHash.MatchString(path):
		return content
	case boundPort.MatchString(path):
		return n.port(content)
	case dependsOn.MatchString(path): // docker compose writes it in random order
		entries := strings.Split(content, ",")
		slices.Sort(entries)
		return strings.Join(entries, ",")
	}
	return n.words(content)
}

// port is a port of the host, or a word for one that the engine chose.
func (n normalizer) port(content string) string {
	number, _ := strconv.Atoi(content)
	for _, ends := range n.ranges {
		if ends[0] <= number && number <= ends[1] {
			return fmt.Sprintf("<of %d-%d>", ends[0], ends[1])
		}
	}
	if strings.Contains(n.source, content) {
		return content
	}
	return "<port>"
}

// words replaces IDs, and the addresses that the file does not name.
func (n normalizer) words(content string) string {
	replace := func(id string) string {
		if name, ok := n.ids[id]; ok {
			return name
		}
		if len(id) == fullID && !strings.HasPrefix(content, "sha256:") { // the digest of an image that both take is the same
			return "<id>"
		}
		return id
	}
	given := func(address string) string {
		switch {
		case address == "0.0.0.0", address == "127.0.0.1", address == "::", strings.Contains(n.source, address):
			return address
		}
		return "<address>"
	}
	content = shortID.ReplaceAllStringFunc(hexID.ReplaceAllStringFunc(content, replace), replace)
	content = ipv4.ReplaceAllStringFunc(ipv6.ReplaceAllStringFunc(mac.ReplaceAllStringFunc(content, given), given), given)
	return givenSubnet.ReplaceAllString(content, "<address>")
}

// patternList are patterns in which "*" stands for any text.
type patternList []*regexp.Regexp

func patterns(texts ...string) patternList {
	list := make(patternList, len(texts))
	for i, one := range texts {
		list[i] = regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(one), `\*`, ".*") + "$")
	}
	return list
}

func (l patternList) match(path string) bool {
	return slices.ContainsFunc(l, func(one *regexp.Regexp) bool { return one.MatchString(path) })
}

// quoted is a value for a report: on one line, and not endless.
func quoted(value string) string {
	const most = 300
	data, _ := json.Marshal(value) // a string always marshals
	if len(data) > most {
		data = append(data[:most], "..."...)
	}
	return string(data)
}
