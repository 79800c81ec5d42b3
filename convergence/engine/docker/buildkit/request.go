package buildkit

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	control "github.com/moby/buildkit/api/services/control"

	"github.com/muster-dev/muster/convergence/engine"
)

// frontend is BuildKit's own for Dockerfiles; a `# syntax` line in one may name another.
const frontend = "dockerfile.v0"

// exporter puts the image into the engine, whatever it keeps images in.
const exporter = "moby"

// The rights that a build may ask for (buildkit, util/entitlements).
const (
	hostNetwork   = "network.host"
	hostGateway   = "host-gateway"
	networkHost   = "host"
	networkNone   = "none"
	networkUsual  = "default"
	resolvePull   = "pull"
	resolveLocal  = "local"
	keyResolve    = "image-resolve-mode"
	keyNoCache    = "no-cache"
	keyExtraHosts = "add-hosts"
)

// solveRequest is the request to BuildKit: everything but where the context is, which [source] says. Attributes are those of
// buildkit's frontend/dockerui.
func solveRequest(request engine.BuildImage, proxies map[string]string) (*control.SolveRequest, error) {
	if err := checkRequest(request); err != nil {
		return nil, err
	}
	attributes := map[string]string{}
	for name, value := range proxies {
		attributes["build-arg:"+name] = value
	}
	for name, value := range request.Args {
		attributes["build-arg:"+name] = value
	}
	for name, value := range request.Labels {
		attributes["label:"+name] = value
	}
	setWhere := func(key, value string, isSet bool) {
		if isSet {
			attributes[key] = value
		}
	}
	setWhere("target", request.Target, request.Target != "")
	setWhere("platform", strings.Join(request.Platforms, ","), len(request.Platforms) > 0)
	setWhere("shm-size", strconv.FormatInt(request.ShmSize, 10), request.ShmSize > 0)
	setWhere("ulimit", ulimits(request.Ulimits), len(request.Ulimits) > 0)
	setWhere(keyExtraHosts, strings.Join(request.ExtraHosts, ","), len(request.ExtraHosts) > 0)
	setWhere(keyNoCache, strings.Join(request.NoCacheFilter, ","), len(request.NoCacheFilter) > 0)
	setWhere(keyNoCache, "", request.NoCache) // an empty list of stages means all
	// Without this BuildKit asks the registry about base images that the engine has.
	attributes[keyResolve] = resolveLocal
	setWhere(keyResolve, resolvePull, request.Pull)
	attest(attributes, "provenance", request.Provenance)
	attest(attributes, "sbom", request.SBOM)
	entitlements := slices.Clone(request.Entitlements)
	if request.Network != "" && request.Network != networkUsual {
		attributes["force-network-mode"] = request.Network
	}
	if request.Network == networkHost && !slices.Contains(entitlements, hostNetwork) {
		entitlements = append(entitlements, hostNetwork)
	}
	caches, err := cacheOptions(request)
	if err != nil {
		return nil, err
	}
	export := map[string]string{}
	if len(request.Tags) > 0 {
		export["name"] = strings.Join(request.Tags, ",")
	}
	return &control.SolveRequest{
		Frontend: frontend, FrontendAttrs: attributes, Entitlements: entitlements, Cache: caches,
		Exporters: []*control.Exporter{{Type: exporter, Attrs: export}},
		// Engines before 25 know one exporter only.
		ExporterDeprecated: exporter, ExporterAttrsDeprecated: maps.Clone(export),
	}, nil
}

// checkRequest refuses what BuildKit would not understand, or would be silent about.
func checkRequest(request engine.BuildImage) error {
	switch request.Network {
	case "", networkUsual, networkHost, networkNone:
	default:
		return advised{
			fmt.Errorf("network %q: a build can have the network default, none or host", request.Network),
			"networks of the project are for containers; leave network out of build",
		}
	}
	for _, entry := range request.ExtraHosts {
		name, address := splitHost(entry)
		if _, err := netip.ParseAddr(address); err != nil && address != hostGateway {
			return fmt.Errorf("extra_hosts: %q of %q is no address", address, name)
		}
	}
	return nil
}

// attest asks for an attestation beside the image: its options, "true", or empty or "false" for none. Both are said without the
// words around them (buildkit, frontend/attestations).
func attest(attributes map[string]string, kind, options string) {
	wanted, err := strconv.ParseBool(options)
	switch {
	case options == "" || err == nil && !wanted:
	case err == nil:
		attributes["attest:"+kind] = ""
	default:
		attributes["attest:"+kind] = options
	}
}

// checkStore refuses what the engine has no place for: attestations and images of other platforms are manifests beside the
// image's own, and only containerd's image store keeps manifests.
func (j *job) checkStore(ctx context.Context, request engine.BuildImage) error {
	asked := needManifests(j.request, request)
	if asked == "" {
		return nil
	}
	found, err := j.workerLabel(ctx, "org.mobyproject.buildkit.worker.snapshotter")
	if err != nil {
		return j.failure(ctx, err)
	}
	if found != "" {
		return nil
	}
	return refusal(request, advised{
		&kinded{engine.ErrUnsupported, asked + ": the engine's image store has one manifest an image, for one platform"},
		"turn on the engine's containerd image store, or ask for one platform and no attestations",
	})
}

// needManifests are the parts of a request that need manifests beside the image's own, in words; empty where none does.
func needManifests(wanted *control.SolveRequest, request engine.BuildImage) string {
	var asked []string
	for _, kind := range []string{"provenance", "sbom"} {
		if _, ok := wanted.GetFrontendAttrs()["attest:"+kind]; ok {
			asked = append(asked, kind)
		}
	}
	if len(request.Platforms) > 1 {
		asked = append(asked, "platforms")
	}
	return strings.Join(asked, " and ")
}

func ulimits(limits []engine.Ulimit) string {
	texts := make([]string, len(limits))
	for i, limit := range limits {
		texts[i] = fmt.Sprintf("%s=%d:%d", limit.Name, limit.Soft, limit.Hard)
	}
	slices.Sort(texts)
	return strings.Join(texts, ",")
}

// cacheOptions says where BuildKit finds results of earlier builds, and where to put this one's.
func cacheOptions(request engine.BuildImage) (*control.CacheOptions, error) {
	options := &control.CacheOptions{}
	for _, text := range request.CacheFrom {
		entry, err := cacheEntry("cache_from", text)
		if err != nil {
			return nil, err
		}
		options.Imports = append(options.Imports, entry)
	}
	for _, text := range request.CacheTo {
		entry, err := cacheEntry("cache_to", text)
		if err != nil {
			return nil, err
		}
		options.Exports = append(options.Exports, entry)
	}
	return options, nil
}

// setImports tells the frontend where results of earlier builds are fetched from.
func setImports(wanted *control.SolveRequest) error {
	imports := wanted.GetCache().GetImports()
	if len(imports) == 0 {
		return nil
	}
	text, err := json.Marshal(imports)
	wanted.FrontendAttrs["cache-imports"] = string(text)
	return err
}

// cacheEntry reads "type=registry,ref=..."; a plain reference means a registry.
func cacheEntry(attribute, text string) (*control.CacheOptionsEntry, error) {
	fields, err := csv.NewReader(strings.NewReader(text)).Read()
	if err != nil {
		return nil, fmt.Errorf("%s %q: it is no list of name=value", attribute, text)
	}
	entry := &control.CacheOptionsEntry{Type: "registry", Attrs: map[string]string{}}
	for _, field := range fields {
		key, value, ok := strings.Cut(field, "=")
		switch key = strings.ToLower(strings.TrimSpace(key)); {
		case !ok && len(fields) == 1:
			entry.Attrs["ref"] = field
		case !ok:
			return nil, fmt.Errorf("%s %q: %q is not name=value", attribute, text, field)
		case key == "type":
			entry.Type = value
		default:
			entry.Attrs[key] = value
		}
	}
	if entry.Type == "registry" && entry.Attrs["ref"] == "" {
		return nil, fmt.Errorf("%s %q: a registry needs ref=", attribute, text)
	}
	return entry, nil
}

// resolveHosts puts the address of the engine's host in place of "host-gateway": BuildKit tells it, but does not know the word.
func (j *job) resolveHosts(ctx context.Context) error {
	text := j.request.FrontendAttrs[keyExtraHosts]
	if text == "" {
		return nil
	}
	hosts := strings.Split(text, ",")
	for i, entry := range hosts {
		name, address := splitHost(entry)
		if address == hostGateway {
			var err error
			if address, err = j.hostGateway(ctx); err != nil {
				return err
			}
		}
		hosts[i] = name + "=" + address
	}
	slices.Sort(hosts)
	j.request.FrontendAttrs[keyExtraHosts] = strings.Join(hosts, ",")
	return nil
}

// splitHost reads "name=address"; an address of IPv6 may have brackets.
func splitHost(entry string) (name, address string) {
	name, address, _ = strings.Cut(entry, "=")
	return name, strings.Trim(address, "[]")
}

func (j *job) hostGateway(ctx context.Context) (string, error) {
	address, err := j.workerLabel(ctx, "org.mobyproject.buildkit.worker.moby.host-gateway-ip")
	if err == nil && address == "" {
		err = unsupported("extra_hosts with " + hostGateway)
	}
	return address, err
}

// workerLabel is what the engine's BuildKit says of itself; empty where it does not.
func (j *job) workerLabel(ctx context.Context, label string) (string, error) {
	workers, err := j.control.ListWorkers(ctx, &control.ListWorkersRequest{})
	if err != nil {
		return "", err
	}
	for _, worker := range workers.GetRecord() {
		if value := worker.GetLabels()[label]; value != "" {
			return value, nil
		}
	}
	return "", nil
}
