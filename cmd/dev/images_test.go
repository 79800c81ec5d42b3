package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestProgramImage(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "api"), []byte("binary"), 0o600); err != nil {
		t.Fatal(err)
	}
	image, err := programImage(folder, "api")
	if err != nil {
		t.Fatal(err)
	}
	if image.Ref != "muster.example/api:latest" || string(image.Files["/api"].Content) != "binary" || image.Entrypoint[0] != "/api" {
		t.Errorf("image = %+v", image)
	}
	if _, err := programImage(folder, "none"); err == nil {
		t.Error("an image of nothing")
	}
}
