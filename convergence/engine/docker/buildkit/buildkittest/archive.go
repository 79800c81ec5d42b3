package buildkittest

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// What the archive of an image has in it.
const (
	manifestFile = "manifest.json"
	configFile   = "config.json"
	layerFile    = "layer.tar"
)

// archived is an image in the manifest of an archive.
type archived struct {
	Config       string
	RepoTags     []string
	Layers       []string
	OnlyItsFiles bool // beyond what archives of other tools have
	Platform     string
}

// WriteArchive writes an image under its references as `docker save` does: its configuration and one layer, as archives of old and as an
// OCI layout, whose only blob stands for the whole.
func WriteArchive(to io.Writer, built Image, refs []string) error {
	files, err := archiveFiles(built, refs)
	if err != nil {
		return err
	}
	var whole bytes.Buffer
	if err := writeTar(&whole, files, nil); err != nil {
		return err
	}
	blob := digest.FromBytes(whole.Bytes())
	index, err := json.Marshal(ocispec.Index{Manifests: []ocispec.Descriptor{{
		MediaType: ocispec.MediaTypeImageManifest, Digest: blob, Size: int64(whole.Len()),
	}}})
	if err != nil {
		return err
	}
	files[ocispec.ImageIndexFile], files["blobs/sha256/"+blob.Encoded()] = index, whole.Bytes()
	return writeTar(to, files, nil)
}

func archiveFiles(built Image, refs []string) (map[string][]byte, error) {
	config, err := json.Marshal(built.Config)
	if err != nil {
		return nil, err
	}
	files, modes := map[string][]byte{}, map[string]int64{}
	for name, file := range built.Files {
		name = strings.TrimPrefix(name, "/")
		files[name], modes[name] = file.Content, mode(file)
	}
	var layer bytes.Buffer
	if err := writeTar(&layer, files, modes); err != nil {
		return nil, err
	}
	manifest, err := json.Marshal([]archived{{
		Config: configFile, RepoTags: refs, Layers: []string{layerFile}, OnlyItsFiles: built.OnlyItsFiles, Platform: built.Platform,
	}})
	return map[string][]byte{configFile: config, layerFile: layer.Bytes(), manifestFile: manifest}, err
}

func mode(file File) int64 {
	const readable, executable = 0o644, 0o755
	if file.Executable {
		return executable
	}
	return readable
}

func writeTar(to io.Writer, files map[string][]byte, modes map[string]int64) error {
	archive := tar.NewWriter(to)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		header := &tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: modes[name], Size: int64(len(files[name]))}
		if err := archive.WriteHeader(header); err != nil {
			return err
		}
		if _, err := archive.Write(files[name]); err != nil {
			return err
		}
	}
	return archive.Close()
}

// ReadArchive reads what [WriteArchive] wrote, to its end. The image's version is the digest of the archive.
func ReadArchive(from io.Reader) (Image, []string, error) {
	sum := sha256.New()
	top, err := readTar(io.TeeReader(from, sum))
	if err != nil {
		return Image{}, nil, err
	}
	var manifest []archived
	if err := json.Unmarshal(top["/"+manifestFile].Content, &manifest); err != nil || len(manifest) != 1 {
		return Image{}, nil, errors.New("open manifest.json: no such file or directory")
	}
	read := Image{OnlyItsFiles: manifest[0].OnlyItsFiles, Platform: manifest[0].Platform, Version: hex.EncodeToString(sum.Sum(nil))}
	if err := json.Unmarshal(top["/"+manifest[0].Config].Content, &read.Config); err != nil {
		return Image{}, nil, fmt.Errorf("read configuration: %w", err)
	}
	read.Files, err = readTar(bytes.NewReader(top["/"+layerFile].Content))
	return read, manifest[0].RepoTags, err
}

// readTar reads the files of a tar, by their absolute paths.
func readTar(from io.Reader) (map[string]File, error) {
	files := map[string]File{}
	for archive := tar.NewReader(from); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			_, err = io.Copy(io.Discard, from)
			return files, err
		} else if err != nil {
			return nil, err
		}
		content, err := io.ReadAll(archive)
		if err != nil {
			return nil, err
		}
		const executable = 0o100
		files[path.Join("/", header.Name)] = File{Content: content, Size: header.Size, Executable: header.Mode&executable != 0}
	}
}
