package docker

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

// archive is the image's file system as a tar: the same bytes for the same files.
func (s ScratchImage) archive() ([]byte, error) {
	if s.Archive != nil {
		return s.Archive, nil
	}
	var buffer bytes.Buffer
	archive := tar.NewWriter(&buffer)
	for _, folder := range s.folders() {
		header := &tar.Header{Typeflag: tar.TypeDir, Name: strings.TrimPrefix(folder, "/") + "/", Mode: tarMode(s.folderMode(folder))}
		if err := archive.WriteHeader(header); err != nil {
			return nil, err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.Files)) {
		file := s.Files[name]
		header := &tar.Header{Typeflag: tar.TypeReg, Name: strings.TrimPrefix(name, "/"), Mode: tarMode(file.mode()), Size: int64(len(file.Content))}
		if err := archive.WriteHeader(header); err != nil {
			return nil, err
		}
		if _, err := archive.Write(file.Content); err != nil {
			return nil, err
		}
	}
	if err := archive.Close(); err != nil {
		return nil, err
	}
	return buffer.Bytes(), nil
}

func (f ScratchFile) mode() fs.FileMode {
	const program = 0o755
	if f.Mode == 0 {
		return program
	}
	return f.Mode
}

func (s ScratchImage) folderMode(folder string) fs.FileMode {
	const usual = 0o755
	if mode, set := s.Folders[folder]; set {
		return mode
	}
	return usual
}

// tarMode is a mode as archives have it, whether its special bits are Go's or the plain octal ones.
func tarMode(mode fs.FileMode) int64 {
	const octal = 0o7777
	bits := int64(mode & octal)
	for special, bit := range map[fs.FileMode]int64{fs.ModeSticky: 0o1000, fs.ModeSetgid: 0o2000, fs.ModeSetuid: 0o4000} {
		if mode&special != 0 {
			bits |= bit
		}
	}
	return bits
}

// folders are those asked for and all that something lies in, sorted, so that parents come first.
func (s ScratchImage) folders() []string {
	set := map[string]bool{}
	for folder := range s.Folders {
		set[path.Clean(folder)] = true
	}
	for name := range s.Files {
		set[path.Dir(name)] = true
	}
	for folder := range maps.Clone(set) {
		for ; folder != "/" && folder != "."; folder = path.Dir(folder) {
			set[folder] = true
		}
	}
	delete(set, "/")
	delete(set, ".")
	return slices.Sorted(maps.Keys(set))
}

// digest is what the image is made of, as one hash, and the instructions that make its configuration, the hash included.
func (s ScratchImage) digest(content []byte) (digest string, changes []string) {
	changes = s.instructions()
	hash := sha256.New()
	hash.Write(content)
	for _, change := range changes {
		hash.Write([]byte(change + "\n"))
	}
	digest = "sha256:" + hex.EncodeToString(hash.Sum(nil))
	return digest, append(changes, "LABEL "+assignment(LabelContent, digest))
}

// instructions are the image's configuration in the engine's language for it, that of a Dockerfile.
func (s ScratchImage) instructions() []string {
	var lines []string
	add := func(instruction string, value string) {
		if value != "" {
			lines = append(lines, instruction+" "+value)
		}
	}
	add("ENTRYPOINT", jsonList(s.Entrypoint))
	add("CMD", jsonList(s.Cmd))
	for _, name := range slices.Sorted(maps.Keys(s.Env)) {
		add("ENV", assignment(name, s.Env[name]))
	}
	for _, name := range slices.Sorted(maps.Keys(s.Labels)) {
		add("LABEL", assignment(name, s.Labels[name]))
	}
	add("EXPOSE", strings.Join(s.Expose, " "))
	add("VOLUME", jsonList(s.Volumes))
	add("USER", s.User)
	add("WORKDIR", s.WorkingDir)
	add("STOPSIGNAL", s.StopSignal)
	if s.HealthCheck != nil {
		add("HEALTHCHECK", s.HealthCheck.instruction())
	}
	return lines
}

func (h ScratchHealth) instruction() string {
	var words []string
	for _, option := range []struct {
		name  string
		value time.Duration
	}{
		{"interval", h.Interval}, {"timeout", h.Timeout}, {"start-period", h.StartPeriod}, {"start-interval", h.StartInterval},
	} {
		if option.value > 0 {
			words = append(words, "--"+option.name+"="+option.value.String())
		}
	}
	if h.Retries > 0 {
		words = append(words, "--retries="+strconv.Itoa(h.Retries))
	}
	return strings.Join(append(words, "CMD", jsonList(h.Test)), " ")
}

func jsonList(words []string) string {
	if len(words) == 0 {
		return ""
	}
	text, _ := json.Marshal(words) // a list of strings always can be
	return string(text)
}

// assignment is name=value in the quotes that the engine's parser takes away again; it knows no escape but these.
func assignment(name, value string) string {
	return name + `="` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, `$`, `\$`).Replace(value) + `"`
}
