package kept

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"
	"unicode/utf8"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/logs"
)

// version is that of the files.
const version = 1

// header is the first line of a file.
type header struct {
	Version     int       `json:"version"`
	Project     string    `json:"project"`
	Service     string    `json:"service"`
	Replica     int       `json:"replica"`
	Container   string    `json:"container"`
	ContainerID string    `json:"container_id"`
	Removed     time.Time `json:"removed"`
	Ended       time.Time `json:"ended,omitzero"`
	ExitCode    int       `json:"exit_code,omitempty"`
	OutOfMemory bool      `json:"out_of_memory,omitempty"`
}

// entry is a line of a file after the first: Text, or Bytes where the line is no UTF-8.
type entry struct {
	Time   time.Time     `json:"ts"`
	Stream engine.Stream `json:"stream"`
	Text   string        `json:"text,omitempty"`
	Bytes  []byte        `json:"bytes,omitempty"`
	Cut    bool          `json:"cut,omitempty"`
}

// Keep keeps the last lines of a container that is there still, and drops what the policy has no room for any more. A container that
// has written nothing leaves nothing, and so does, without an error, one whose logging driver cannot read back.
func (s *Store) Keep(ctx context.Context, from logs.Engine, container engine.ContainerDetails) error {
	if s.policy.Containers < 1 || s.policy.Bytes < 1 {
		return nil
	}
	lines, err := s.read(ctx, from, container.Container)
	if err != nil || len(lines) == 0 {
		return err
	}
	root, err := s.open(true)
	if err != nil {
		return err
	}
	defer root.Close() //nolint:errcheck // files in it are closed by themselves
	project := safe(container.Project)
	if err := root.Mkdir(project, privateFolder); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	folder, err := root.OpenRoot(project)
	if err != nil {
		return err
	}
	defer folder.Close() //nolint:errcheck // the same
	if err := write(folder, headerOf(container, time.Now().UTC()), lines); err != nil {
		return err
	}
	return s.prune(folder)
}

func headerOf(container engine.ContainerDetails, now time.Time) header {
	h := header{
		Version: version, Project: container.Project, Service: container.Service, Replica: container.Number,
		Container: container.Name, ContainerID: container.ID, Removed: now,
	}
	if !container.Running() {
		h.Ended, h.ExitCode, h.OutOfMemory = container.FinishedAt, container.ExitCode, container.OOMKilled
	}
	return h
}

// single is an engine that has one container.
type single struct {
	logs.Engine
	container engine.Container
}

func (s single) ListContainers(context.Context, engine.ContainerFilter) ([]engine.Container, error) {
	return []engine.Container{s.container}, nil
}

// read reads a container's last lines, not more than the policy allows.
func (s *Store) read(ctx context.Context, from logs.Engine, container engine.Container) ([]entry, error) {
	var lines []entry
	var size int64
	start := 0
	err := logs.Follow(ctx, single{from, container}, logs.Options{Tail: mostLines}, func(item logs.Item) error {
		switch {
		case item.Kind == logs.KindUnreadable && !errors.Is(item.Err, engine.ErrUnsupported):
			return item.Err
		case item.Kind != logs.KindLine:
			return nil
		}
		next := entry{Time: item.Time, Stream: item.Stream, Cut: item.Cut}
		if utf8.Valid(item.Text) {
			next.Text = string(item.Text)
		} else {
			next.Bytes = append([]byte(nil), item.Text...)
		}
		lines = append(lines, next)
		for size += next.size(); size > s.policy.Bytes; start++ {
			size -= lines[start].size()
			lines[start] = entry{}
		}
		return nil
	})
	return lines[start:], err
}

func (e entry) size() int64 { return int64(len(e.Text) + len(e.Bytes)) }

// write writes a file that is there as a whole or not at all.
func write(folder *os.Root, h header, lines []entry) error {
	source := logs.Source{ContainerID: h.ContainerID, Service: h.Service, Number: h.Replica}
	name := fileName(source, h.Removed)
	part := name + partEnding
	file, err := folder.OpenFile(part, os.O_CREATE|os.O_EXCL|os.O_WRONLY, private)
	if err != nil {
		return err
	}
	err = errors.Join(encode(file, h, lines), file.Close())
	if err == nil {
		err = folder.Rename(part, name)
	}
	if err != nil {
		return errors.Join(err, folder.Remove(part))
	}
	return nil
}

func encode(to io.Writer, h header, lines []entry) error {
	buffered := bufio.NewWriter(to)
	encoder := json.NewEncoder(buffered)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(h); err != nil {
		return fmt.Errorf("write what is kept: %w", err)
	}
	for _, line := range lines {
		if err := encoder.Encode(line); err != nil {
			return fmt.Errorf("write what is kept: %w", err)
		}
	}
	return buffered.Flush()
}
