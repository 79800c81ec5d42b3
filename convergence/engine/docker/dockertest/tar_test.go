package dockertest_test

import (
	"archive/tar"
	"bytes"
	"io"
	"testing"
)

// tarOf is an archive of one file.
func tarOf(t *testing.T, name, content string) io.Reader {
	t.Helper()
	var buffer bytes.Buffer
	archive := tar.NewWriter(&buffer)
	if err := archive.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o600, Size: int64(len(content))}); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(archive, content); err != nil {
		t.Fatal(err)
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	return &buffer
}
