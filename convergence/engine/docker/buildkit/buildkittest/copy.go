package buildkittest

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
)

func (b *build) copyCommand(at *state, c *instructions.CopyCommand, name string) error {
	if c.Parents || len(c.ExcludePatterns) > 0 {
		return unknown("COPY with flags")
	}
	from := b.sync.files
	switch source := b.file.source(c.From); {
	case source != nil:
		from = b.done[source].image.Files
	case c.From != "":
		from = b.bases[c.From].Files
	}
	return b.transfer(at, name, "COPY", c.SourcesAndDest, from)
}

func (b *build) addCommand(at *state, c *instructions.AddCommand, name string) error {
	for _, source := range c.SourcePaths {
		if strings.Contains(source, "://") || strings.HasPrefix(source, "git@") || strings.Contains(path.Base(source), ".t") {
			return unknown("ADD %s", source)
		}
	}
	return b.transfer(at, name, "ADD", c.SourcesAndDest, b.sync.files)
}

// transfer copies files into the image, or takes the result of doing so from the cache.
func (b *build) transfer(at *state, name, word string, what instructions.SourcesAndDest, from map[string]File) error {
	copied := map[string]File{}
	destination := at.absolute(what.DestPath)
	intoFolder := strings.HasSuffix(what.DestPath, "/") || len(what.SourcePaths)+len(what.SourceContents) > 1 ||
		what.DestPath == "." || isFolder(at.image.Files, destination)
	for _, source := range what.SourcePaths {
		found := pick(from, source, destination, intoFolder)
		if len(found) == 0 {
			v := b.job.begin(name)
			return v.end(fmt.Errorf("failed to compute cache key: failed to calculate checksum of ref %s::%s: %q: not found",
				hash(at.key)[:25], hash(source)[:25], path.Join("/", source)))
		}
		maps.Copy(copied, found)
	}
	for _, inline := range what.SourceContents {
		target := destination
		if intoFolder {
			target = path.Join(destination, inline.Path)
		}
		copied[target] = newFile([]byte(inline.Data), false)
	}
	return b.remembered(at, name, hash(at.key, word, summary(copied)), func(*vertex) error {
		maps.Copy(at.image.Files, copied)
		return nil
	})
}

// pick finds what a source means, a file, a folder's content or a pattern, by the paths that it gets.
func pick(from map[string]File, source, destination string, intoFolder bool) map[string]File {
	found := map[string]File{}
	pattern := path.Join("/", source)
	for name, file := range from {
		switch whole, _ := path.Match(pattern, name); {
		case name == pattern && !intoFolder:
			found[destination] = file
		case whole && (intoFolder || name != pattern):
			found[path.Join(destination, path.Base(name))] = file
		case pattern == "/":
			found[path.Join(destination, name)] = file
		case strings.HasPrefix(name, pattern+"/"):
			found[path.Join(destination, strings.TrimPrefix(name, pattern))] = file
		}
	}
	return found
}

func isFolder(files map[string]File, name string) bool {
	for file := range files {
		if strings.HasPrefix(file, strings.TrimSuffix(name, "/")+"/") {
			return true
		}
	}
	return false
}

// summary is the digest of files and where they go.
func summary(files map[string]File) string {
	var texts []string
	for _, name := range slices.Sorted(maps.Keys(files)) {
		texts = append(texts, name, files[name].Digest, fmt.Sprint(files[name].Executable))
	}
	return hash(texts...)
}

// contextPaths are what the stages copy from the context, as BuildKit asks for them; "/" alone for all of it.
func (b *build) contextPaths(needed []*stage) []string {
	var paths []string
	for _, s := range needed {
		for _, command := range s.Commands {
			switch c := command.(type) {
			case *instructions.CopyCommand:
				if c.From == "" {
					paths = append(paths, c.SourcePaths...)
				}
			case *instructions.AddCommand:
				paths = append(paths, c.SourcePaths...)
			}
		}
	}
	for i, name := range paths {
		paths[i] = path.Join("/", name)
		if paths[i] == "/" || strings.Contains(name, "$") {
			return []string{"/"}
		}
	}
	return paths
}
