package step

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/project"
)

// File is a secret or a config that is copied.
type File struct {
	Name    string // for people: "secret db_password"
	Path    string // below the folder that it is put into
	UID     int
	GID     int
	Mode    int64 // permission bits
	Content project.Content
}

// CopyFiles puts secrets and configs into a container that was created and has not started yet.
type CopyFiles struct {
	Target
	Folder string // of the container
	Files  []File
}

// Run implements [Step].
func (s CopyFiles) Run(ctx context.Context, eng engine.Engine, _ func(Progress)) error {
	return putFiles(ctx, eng, s.ref(), s.Folder, s.Files)
}

func putFiles(ctx context.Context, eng engine.Copies, ref, folder string, files []File) error {
	archive, err := archiveOf(files, time.Now())
	if err != nil {
		return fmt.Errorf("make an archive of %s: %w", fileNames(files), err)
	}
	return eng.PutArchive(ctx, ref, folder, archive, engine.PutArchive{})
}

// archiveOf leaves out folders: the engine makes those that are missing, and those that are there keep their owners and modes.
func archiveOf(files []File, modified time.Time) (io.ReadSeeker, error) {
	var buffer bytes.Buffer
	archive := tar.NewWriter(&buffer)
	for _, file := range files {
		content := file.Content.Bytes()
		if err := archive.WriteHeader(&tar.Header{
			Typeflag: tar.TypeReg, Name: strings.TrimPrefix(file.Path, "/"), Uid: file.UID, Gid: file.GID, Mode: file.Mode,
			Size: int64(len(content)), ModTime: modified,
		}); err != nil {
			return nil, err
		}
		if _, err := archive.Write(content); err != nil {
			return nil, err
		}
	}
	err := archive.Close()
	return bytes.NewReader(buffer.Bytes()), err
}

func fileNames(files []File) string {
	names := make([]string, len(files))
	for i, file := range files {
		names[i] = file.Name
	}
	return strings.Join(names, ", ")
}

// Action implements [Step].
func (s CopyFiles) Action() string { return "copy" }

// Words implements [Step].
func (s CopyFiles) Words() (doing, done string) { return "", "" }

func (s CopyFiles) String() string {
	return fmt.Sprintf("copy %s into container %s", fileNames(s.Files), s.Name)
}

// FillVolume puts secrets and configs into a volume that a container mounts parts of: they have to be there before anything else can be
// done to the container. It takes a second container, which mounts the whole volume, never starts, and goes again.
type FillVolume struct {
	Target // the container that mounts parts of the volume
	// Volume is also what the second container is called.
	Volume string
	Files  []File
	// Image is one that the engine has, of that Platform; which one does not matter.
	Image, Platform string
	Project         string
}

// Run implements [Step].
func (s FillVolume) Run(ctx context.Context, eng engine.Engine, _ func(Progress)) error {
	_, err := eng.CreateContainer(ctx, s.helper())
	if errors.Is(err, engine.ErrConflict) { // of a run that was cut short
		if err = s.removeHelper(ctx, eng); err == nil {
			_, err = eng.CreateContainer(ctx, s.helper())
		}
	}
	if err == nil {
		err = putFiles(ctx, eng, s.Volume, helperFolder, s.Files)
	}
	return errors.Join(err, s.removeHelper(ctx, eng))
}

// helperFolder is where the second container has the volume.
const helperFolder = "/files"

func (s FillVolume) helper() engine.CreateContainer {
	service := project.Service{Name: s.Service}
	service.Command, service.Platform = []string{"true"}, s.Platform
	mount := project.Mount{Type: project.MountVolume, Source: s.Volume, Target: helperFolder, Volume: &project.VolumeOptions{NoCopy: true}}
	return engine.CreateContainer{
		Name: s.Volume, Image: s.Image, Service: service, NetworkMode: "none", Mounts: []project.Mount{mount},
		Labels: map[string]string{
			project.LabelProject: s.Project, project.LabelService: s.Service, project.LabelOneOff: "True", project.LabelFiles: s.Project,
		},
	}
}

// removeHelper removes the second container, also when the caller has given up.
func (s FillVolume) removeHelper(ctx context.Context, eng engine.Containers) error {
	const patience = 10 * time.Second
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	return gone(eng.RemoveContainer(ctx, s.Volume, engine.RemoveContainer{Force: true}))
}

// Action implements [Step].
func (s FillVolume) Action() string { return "copy" }

// Words implements [Step].
func (s FillVolume) Words() (doing, done string) { return "", "" }

func (s FillVolume) String() string {
	return fmt.Sprintf("copy %s into volume %s", fileNames(s.Files), s.Volume)
}
