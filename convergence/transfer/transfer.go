// Package transfer copies files between this machine, streams and containers, by docker cp's rules for paths. Archives pass through
// it as they come: what it holds in memory does not depend on what is copied. What it writes here stays in the folder that was
// named, whatever an archive says, and a file is whole or not there at all.
package transfer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"

	"golang.org/x/sync/errgroup"

	"github.com/muster-dev/muster/convergence/engine"
)

// Place is one end of a copy: a path in a container, a path here, or a stream of tar.
type Place struct {
	// Container is an ID or a name; empty means here. Name is what people call it, and Service whose it is.
	Container, Name, Service string
	// Path is as the user has typed it; in a container from the root, also without a slash at the beginning. Ending in a slash it is a
	// folder, in "/." what is in the folder. Local is the same path here, made absolute.
	Path, Local string
	// In and Out take the place of a path here: "-". In is called once for each copy, from its beginning.
	In  func() io.Reader
	Out io.Writer
}

// String is the place as docker compose tells it: "shop-web-1:/etc/hosts".
func (p Place) String() string {
	switch {
	case p.In != nil || p.Out != nil:
		return "-"
	case p.Container == "":
		return p.Path
	}
	return p.Name + ":" + p.Path
}

func (p Place) inContainer() string { return rooted(p.Path) }

// Copy is one copy, with at least one end in a container.
type Copy struct {
	From, To Place
	// FollowLink copies what a symbolic link leads to and not the link, where From is one.
	FollowLink bool
	// KeepOwners is docker cp's --archive: in a container files belong to its user, and here to who they belonged to there, as far as
	// one may give files away.
	KeepOwners bool
	// Warn is told of what could not be copied and is no reason to fail; nil tells nobody. Copies that run at once may share it.
	Warn func(message string)
}

// String is the copy as docker compose tells it: "app.conf to shop-web-1:/etc".
func (c Copy) String() string { return c.From.String() + " to " + c.To.String() }

// warn is Warn, or what tells nobody.
func (c Copy) warn() func(string) {
	if c.Warn == nil {
		return func(string) {}
	}
	return c.Warn
}

// Run carries the copy out.
func (c Copy) Run(ctx context.Context, eng engine.Copies) error {
	switch {
	case c.From.Container == "" && c.To.Container == "":
		return errors.New("neither end of the copy is in a container")
	case c.From.In != nil:
		return c.fromStream(ctx, eng)
	case c.From.Container == "":
		return c.toContainer(ctx, eng)
	}
	from, err := c.source(ctx, eng)
	if err != nil {
		return err
	}
	var readErr error
	err = eng.GetArchive(ctx, c.From.Container, from.path, func(found engine.PathStat, archive io.Reader) error {
		from.folder = found.Mode.IsDir()
		readErr = c.take(ctx, eng, from, archive)
		return readErr
	})
	if err != nil && readErr == nil {
		return c.From.missing(err)
	}
	return err
}

// take brings an archive out of a container to where it belongs.
func (c Copy) take(ctx context.Context, eng engine.Copies, from end, archive io.Reader) error {
	switch {
	case c.To.Out != nil:
		_, err := io.Copy(c.To.Out, archive)
		return err
	case c.To.Container == "":
		return c.toHere(from, archive)
	}
	return c.across(ctx, eng, from, archive)
}

// source is what is to be copied out of a container: of a symbolic link that is to be followed, what it leads to, under the link's name.
func (c Copy) source(ctx context.Context, eng engine.Copies) (end, error) {
	from := endOf(c.From.inContainer(), path.Base)
	if !c.FollowLink {
		return from, nil
	}
	found, err := eng.StatPath(ctx, c.From.Container, from.path)
	if err != nil {
		return from, c.From.missing(err)
	}
	if found.Mode&fs.ModeSymlink != 0 {
		from.path = found.Link
	}
	return from, nil
}

// destination is where something goes in a container. A symbolic link stands for what it leads to, which may not be there.
func (c Copy) destination(ctx context.Context, eng engine.Copies) (end, error) {
	to := endOf(c.To.inContainer(), path.Base)
	for range maxLinks {
		found, err := eng.StatPath(ctx, c.To.Container, to.path)
		switch {
		case errors.Is(err, engine.ErrNotFound):
			return to, nil
		case err != nil:
			return to, err
		case found.Mode&fs.ModeSymlink == 0:
			to.exists, to.folder = true, found.Mode.IsDir()
			return to, nil
		}
		to.path = found.Link
		to.name = path.Base(to.path)
	}
	return to, fmt.Errorf("%s: too many symbolic links", c.To)
}

// maxLinks is how many symbolic links may lead to one another.
const maxLinks = 10

// intoContainer puts what write packs into the container: the first entry under the name that it is given.
func (c Copy) intoContainer(ctx context.Context, eng engine.Copies, from end, write func(w io.Writer, name string) error) error {
	to, err := c.destination(ctx, eng)
	if err != nil {
		return err
	}
	within, name, err := settle(from, to)
	if err != nil {
		return err
	}
	folder := path.Clean(to.path)
	if !within {
		folder = path.Dir(folder)
	}
	return piped(func(w io.Writer) error { return write(w, name) }, func(archive io.Reader) error {
		err := eng.PutArchive(ctx, c.To.Container, folder, archive, engine.PutArchive{ToUser: c.KeepOwners})
		return Place{Container: c.To.Container, Name: c.To.Name, Service: c.To.Service, Path: folder}.missing(err)
	})
}

func (c Copy) toContainer(ctx context.Context, eng engine.Copies) error {
	from, err := localSource(c.From, c.FollowLink)
	if err != nil {
		return err
	}
	return c.intoContainer(ctx, eng, from, func(w io.Writer, name string) error { return pack(w, from.path, name, c.warn()) })
}

func (c Copy) across(ctx context.Context, eng engine.Copies, from end, archive io.Reader) error {
	return c.intoContainer(ctx, eng, from, func(w io.Writer, name string) error {
		return rename(w, archive, rootOf(from), name)
	})
}

// fromStream puts an archive as it comes into a folder.
func (c Copy) fromStream(ctx context.Context, eng engine.Copies) error {
	to, err := c.destination(ctx, eng)
	switch {
	case err != nil:
		return err
	case !to.exists:
		return c.To.missing(engine.ErrNotFound)
	case !to.folder:
		return fmt.Errorf("%s is no folder, which an archive needs", c.To)
	}
	return eng.PutArchive(ctx, c.To.Container, to.path, c.From.In(), engine.PutArchive{ToUser: c.KeepOwners})
}

// missing says that there is nothing at a place in a container, where that is the reason.
func (p Place) missing(err error) error {
	if !errors.Is(err, engine.ErrNotFound) {
		return err
	}
	return &MissingError{Place: p, Cause: err}
}

// MissingError says that a container has nothing at a path.
type MissingError struct {
	Place Place
	Cause error
}

func (e *MissingError) Error() string {
	return fmt.Sprintf("container %q has no %q", e.Place.Name, e.Place.inContainer())
}

func (e *MissingError) Unwrap() error { return e.Cause }

// Hint is what to try next: to see what there is beside it, which also works where the container does not run.
func (e *MissingError) Hint() string {
	return fmt.Sprintf("muster cp %s:%s - | tar t", e.Place.Service, path.Dir(path.Clean(e.Place.inContainer())))
}

// piped lets one function read what another writes. What went wrong first is the error.
func piped(write func(io.Writer) error, read func(io.Reader) error) error {
	reader, writer := io.Pipe()
	var writing errgroup.Group
	writing.Go(func() error {
		err := write(writer)
		_ = writer.CloseWithError(err)
		return err
	})
	readErr := read(reader)
	_ = reader.CloseWithError(readErr)
	writeErr := writing.Wait()
	switch {
	case writeErr == nil, readErr != nil && errors.Is(writeErr, readErr):
		return readErr
	case readErr == nil && errors.Is(writeErr, io.ErrClosedPipe): // the end of an archive need not be read
		return nil
	}
	return writeErr
}
