package project

import (
	"encoding/json"
	"fmt"
	"strings"
)

// SeccompProfile is the file that a security option names, "seccomp=profile.json" or with a colon, as old files have it; ok is false
// for other options. The path is relative to the project.
func SeccompProfile(option string) (path string, ok bool) {
	key, value, found := strings.Cut(option, "=")
	if !found {
		key, value, _ = strings.Cut(option, ":")
	}
	return value, key == "seccomp" && value != "unconfined" && value != "builtin"
}

// profiles reads the seccomp profiles of the enabled services, to tell what is wrong with them. They are read again when they are
// sent.
func (r *contentReader) profiles() {
	for _, name := range keys(r.project.Services) {
		for i, option := range r.project.Services[name].SecurityOpt {
			path, ok := SeccompProfile(option)
			if !ok {
				continue
			}
			place := fmt.Sprintf("services.%s.security_opt[%d]", name, i)
			content, err := readRegular(r.project.absolute(path))
			switch {
			case err != nil:
				r.problems = append(r.problems, r.project.places.problem(place, fileMessage("seccomp profile", path, err), ""))
			case !json.Valid(content):
				r.problems = append(r.problems, r.project.places.problem(place, "seccomp profile "+quote(path)+" is no JSON", ""))
			}
		}
	}
}
