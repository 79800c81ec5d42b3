package project

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// maxContent is the most that a secret or a config may hold.
const maxContent = 64 << 20

// errContentTooLarge is what [fileDigest] returns for more than [maxContent].
var errContentTooLarge = errors.New("is larger than 64 MB")

// ReadContents reads the files of the secrets and configs that come from files, and keeps what they hold as digests. It is the
// one method that changes the project: call it before others read it.
//
// The error is a [*LoadError] with all files that are missing or cannot be read.
func (p *Project) ReadContents() error {
	digests := map[string]string{}
	var problems []Problem
	read := func(key, section, name string, object FileObject) {
		if bool(object.External) || object.File == "" {
			return
		}
		digest, err := fileDigest(p.absolute(object.File))
		if err != nil {
			path := section + "." + name + ".file"
			problems = append(problems, p.places.problem(path, fileMessage("file", object.File, err), ""))
			return
		}
		digests[key] = digest
	}
	for _, name := range keys(p.Secrets) {
		read(SecretKey(name), "secrets", name, FileObject(p.Secrets[name]))
	}
	for _, name := range keys(p.Configs) {
		read(ConfigKey(name), "configs", name, FileObject(p.Configs[name]))
	}
	if len(problems) > 0 {
		return loadError(problems, p.places.sources())
	}
	p.Digests = digests
	return nil
}

// absolute resolves a path of the model that loading may have left relative.
func (p *Project) absolute(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(p.WorkingDir, path)
}

// fileDigest is the SHA-256 of a regular file, in hex.
func fileDigest(path string) (string, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return "", err
	case !info.Mode().IsRegular() && path != os.DevNull:
		return "", fmt.Errorf("%s is not a regular file", path)
	}
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = file.Close() }()
	hash := sha256.New()
	size, err := io.Copy(hash, io.LimitReader(file, maxContent+1))
	if err != nil {
		return "", err
	}
	if size > maxContent {
		return "", errContentTooLarge
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}
