package engine

import (
	"context"
	"io"
	"io/fs"
	"time"
)

// Copies brings files into containers and out of them (Docker Engine API, /containers/{id}/archive and /export). Paths in
// containers are absolute.
type Copies interface {
	// PutArchive extracts a tar archive in a folder of a container, running or not, with the owners and modes that the archive
	// has. Folders that the archive implies are made for root with mode 0755; a file takes a file's place, never a folder's.
	// What is mounted in the container is written to where that lies, a folder of the host too; what a tmpfs will cover is not
	// seen. [ErrNotFound] when there is no such container or folder; [ErrInvalid] when the folder lies outside of the mounts
	// and the container's own file system is read-only.
	PutArchive(ctx context.Context, ref, folder string, archive io.Reader, options PutArchive) error
	// GetArchive calls read once, with what is at a path in a container, running or not, and a tar archive of it: of a folder all
	// that is in it, of a symbolic link the link itself, unless the path ends in a slash or "/.". The names in the archive begin
	// with the path's last part, or with "./" after "/.". The archive may be read during the call only, and read's error is
	// GetArchive's. [ErrNotFound] when there is no such container or path.
	GetArchive(ctx context.Context, ref, path string, read func(found PathStat, archive io.Reader) error) error
	// StatPath tells what is at a path in a container. [ErrNotFound] when there is no such container or path.
	StatPath(ctx context.Context, ref, path string) (PathStat, error)
	// ExportContainer writes a container's file system as a tar archive. What is mounted is not in it.
	ExportContainer(ctx context.Context, ref string, to io.Writer) error
}

// PutArchive are the options of an extraction.
type PutArchive struct {
	// ToUser gives the files to the container's user, where it names one; else they are the archive's owners'.
	ToUser bool
}

// PathStat is what is at a path in a container.
type PathStat struct {
	Name     string // the last part of the path
	Size     int64
	Mode     fs.FileMode // with the bits that tell folders and links from files
	Modified time.Time
	Link     string // what a symbolic link leads to: an absolute path in the container; else empty
}
