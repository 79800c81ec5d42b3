package kept

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"time"

	"github.com/muster-dev/muster/logs"
)

// Previous returns the container that was kept last of each replica of a project, sorted by service and number. None is no error; a
// file that cannot be read is one, beside what can.
func (s *Store) Previous(project string) ([]Container, error) {
	root, err := s.open(false)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	defer root.Close() //nolint:errcheck // nothing was written through it
	folder, err := root.OpenRoot(safe(project))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	defer folder.Close() //nolint:errcheck // the same
	files, _, err := list(folder, time.Now())
	if err != nil {
		return nil, err
	}
	var containers []Container
	var problems []error
	seen := map[string]bool{}
	for _, f := range files {
		if seen[f.replica] {
			continue
		}
		seen[f.replica] = true
		container, err := s.load(folder, f.name)
		switch {
		case errors.Is(err, fs.ErrNotExist): // another process has dropped it
		case err != nil:
			problems = append(problems, fmt.Errorf("read %s: %w", f.name, err))
		default:
			containers = append(containers, container)
		}
	}
	slices.SortFunc(containers, func(a, b Container) int {
		return cmp.Or(cmp.Compare(a.Source.Service, b.Source.Service), cmp.Compare(a.Source.Number, b.Source.Number))
	})
	return containers, errors.Join(problems...)
}

// load reads a file.
func (s *Store) load(folder *os.Root, name string) (Container, error) {
	file, err := folder.Open(name)
	if err != nil {
		return Container{}, err
	}
	defer file.Close() //nolint:errcheck // it was only read
	const most = 256 << 20
	decoder := json.NewDecoder(bufio.NewReader(io.LimitReader(file, most)))
	var h header
	if err := decoder.Decode(&h); err != nil {
		return Container{}, err
	}
	if h.Version != version {
		return Container{}, fmt.Errorf("it is of version %d, which this Muster does not know", h.Version)
	}
	c := Container{Removed: h.Removed, Source: logs.Source{
		ContainerID: h.ContainerID, Container: h.Container, Project: h.Project, Service: h.Service, Number: h.Replica,
	}}
	for {
		var e entry
		switch err := decoder.Decode(&e); {
		case errors.Is(err, io.EOF):
			if !h.Ended.IsZero() {
				c.Items = append(c.Items, logs.Item{
					Kind: logs.KindExited, Line: logs.Line{Source: c.Source, Time: h.Ended}, ExitCode: h.ExitCode, OutOfMemory: h.OutOfMemory,
				})
			}
			return c, nil
		case err != nil:
			return Container{}, err
		}
		text := e.Bytes
		if len(text) == 0 {
			text = []byte(e.Text)
		}
		c.Items = append(c.Items, logs.Item{
			Kind: logs.KindLine, Line: logs.Line{Source: c.Source, Stream: e.Stream, Time: e.Time, Text: text, Cut: e.Cut},
		})
	}
}
