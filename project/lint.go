package project

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Finding is something in a file that works, and yet may not be what is wanted.
type Finding struct {
	Warning
	Rule Rule
}

// Rule says what sort of thing was found.
type Rule string

// Rules of findings.
const (
	RuleNoEffect     Rule = "no-effect"         // an attribute that does nothing here
	RuleRefused      Rule = "refused"           // one with which nothing is brought up
	RuleDeprecated   Rule = "deprecated"        // one that is to be written otherwise
	RulePrivileged   Rule = "privileged"        // a container that can do what the host can
	RuleEngineSocket Rule = "engine-socket"     // one that can give orders to the engine
	RuleHostSpace    Rule = "host-namespace"    // one that shares the host's network, processes or memory
	RulePublished    Rule = "published-to-all"  // a port that everybody can reach
	RuleFloatingTag  Rule = "floating-tag"      // an image that may be another one tomorrow
	RuleClearText    Rule = "clear-text-secret" // a secret that stands in the file
)

// Explanation is what a rule is about, for people who ask.
func (r Rule) Explanation() string {
	return map[Rule]string{
		RuleNoEffect:     "the attribute is accepted and does nothing on one engine",
		RuleRefused:      "the attribute cannot be honoured on one engine, and services that use it are not brought up",
		RuleDeprecated:   "the attribute is deprecated",
		RulePrivileged:   "the container can do whatever the host can",
		RuleEngineSocket: "whoever has the engine's socket has the host",
		RuleHostSpace:    "the container shares a namespace of the host, so it is not kept apart from it",
		RulePublished:    "the port is published on all addresses of the host",
		RuleFloatingTag:  "the image's tag may stand for another image tomorrow",
		RuleClearText:    "a secret stands in clear text in the file, and in the container's environment",
	}[r]
}

// Lint finds what in a project's enabled services is risky or deprecated. tree is the model as [Tree] has it with variables as
// they are written: a secret that comes from a variable does not stand in the file. What has no effect is [Project.Unsupported]'s.
func (p *Project) Lint(tree map[string]any) []Finding {
	l := &linter{project: p, tree: tree}
	for _, name := range keys(p.Services) {
		l.service("services."+name, p.Services[name])
	}
	for _, warning := range p.Warnings {
		if strings.Contains(warning.Message, "obsolete") || strings.Contains(warning.Message, "deprecated") {
			l.findings = append(l.findings, Finding{warning, RuleDeprecated})
		}
	}
	return l.findings
}

type linter struct {
	project  *Project
	tree     map[string]any
	findings []Finding
}

func (l *linter) report(rule Rule, path, message, hint string) {
	place, _ := l.project.places.find(path)
	l.findings = append(l.findings, Finding{place.problem(path, message, hint), rule})
}

func (l *linter) service(path string, service Service) {
	if service.Privileged {
		l.report(RulePrivileged, path+".privileged", "a privileged container can do whatever the host can",
			"give it the capabilities and devices that it needs, with cap_add and devices")
	}
	for _, capability := range service.CapAdd {
		if name := strings.TrimPrefix(strings.ToUpper(capability), "CAP_"); name == "ALL" || name == "SYS_ADMIN" {
			l.report(RulePrivileged, path+".cap_add", "capability "+name+" is nearly as much as privileged", "name the capabilities that it needs")
		}
	}
	for i, hook := range service.PreStart {
		if hook.Privileged && !service.Privileged {
			l.report(RulePrivileged, hookPath(service.Name, i)+".privileged", "a privileged container can do whatever the host can", "")
		}
	}
	l.hostSpaces(path, service)
	l.mounts(path, service)
	l.ports(path, service)
	l.image(path, service)
	l.environment(path, service)
	if len(service.Links) > 0 {
		l.report(RuleDeprecated, path+".links", "links are legacy", "services reach each other by their names; depends_on says the order")
	}
	if len(service.ExternalLinks) > 0 {
		l.report(RuleDeprecated, path+".external_links", "external_links are legacy", "join a network that both are in")
	}
}

func (l *linter) hostSpaces(path string, service Service) {
	for _, mode := range []struct{ key, value string }{
		{"network_mode", service.NetworkMode},
		{"ipc", service.Ipc},
		{"pid", service.Pid},
		{"uts", service.Uts},
		{"userns_mode", service.UserNSMode},
		{"cgroup", service.Cgroup},
	} {
		if mode.value == "host" {
			l.report(RuleHostSpace, path+"."+mode.key, mode.key+": host takes down a wall between the container and the host", "")
		}
	}
}

func (l *linter) mounts(path string, service Service) {
	if service.UseAPISocket {
		l.report(RuleEngineSocket, path+".use_api_socket", "the container can give any order to the engine", "")
	}
	for i, mount := range service.Volumes {
		if mount.Type == MountBind && isEngineSocket(mount.Source) {
			l.report(RuleEngineSocket, path+".volumes["+strconv.Itoa(i)+"]", "the container can give any order to the engine, with "+quote(mount.Source), "")
		}
	}
}

func isEngineSocket(path string) bool {
	return slices.Contains([]string{"docker.sock", "containerd.sock", "podman.sock", "crio.sock"}, path[strings.LastIndexAny(path, `/\`)+1:])
}

func (l *linter) ports(path string, service Service) {
	for i, port := range service.Ports {
		if port.Published != "" && (port.HostIP == "" || port.HostIP == "0.0.0.0" || port.HostIP == "::") {
			l.report(RulePublished, path+".ports["+strconv.Itoa(i)+"]", "port "+quote(port.Published)+" is published on all addresses of the host",
				"write 127.0.0.1: before it if only this machine is to reach it")
		}
	}
}

func (l *linter) image(path string, service Service) {
	if service.Build != nil || service.Image == "" || strings.Contains(service.Image, "@") {
		return
	}
	if strings.HasSuffix(FamiliarImage(service.Image), ":latest") {
		l.report(RuleFloatingTag, path+".image", "image "+quote(service.Image)+" stands for whatever is newest", "name a version, or a digest")
	}
}

// environment looks for secrets that are written out.
func (l *linter) environment(path string, service Service) {
	raw := l.rawEnvironment(service.Name)
	for _, name := range keys(service.Environment) {
		written := raw[name]
		if written == "" || strings.Contains(written, "$") || !LooksSecret(name, written) || isFileName(name) {
			continue
		}
		l.report(RuleClearText, path+".environment."+name, "the value of "+quote(name)+" looks like a secret and stands in clear text",
			"use `secrets:`, or a variable of the environment")
	}
}

// isFileName says whether a variable only names the file that holds the secret.
func isFileName(name string) bool { return strings.HasSuffix(strings.ToUpper(name), "_FILE") }

// rawEnvironment is a service's environment as it is written, variables included.
func (l *linter) rawEnvironment(service string) map[string]string {
	services, _ := l.tree["services"].(map[string]any)
	written, _ := services[service].(map[string]any)
	raw := map[string]string{}
	switch environment := written["environment"].(type) {
	case map[string]any:
		for name, value := range environment {
			raw[name], _ = value.(string)
		}
	case []any:
		for _, entry := range environment {
			text, _ := entry.(string)
			name, value, _ := strings.Cut(text, "=")
			raw[name] = value
		}
	}
	return raw
}

// credentials is a URL's user and password.
var credentials = regexp.MustCompile(`://[^/@\s]*:[^/@\s]+@`)

// LooksSecret says whether a variable's value is not to be shown: its name tells, or the value is a URL with a password in it.
func LooksSecret(name, value string) bool {
	upper := strings.ToUpper(name)
	return credentials.MatchString(value) || strings.HasSuffix(upper, "_PWD") || slices.ContainsFunc(
		[]string{"PASS", "SECRET", "TOKEN", "KEY", "CREDENTIAL", "PRIVATE", "AUTH", "DSN"},
		func(part string) bool { return strings.Contains(upper, part) })
}
