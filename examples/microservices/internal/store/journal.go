package store

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"
)

// journal is the file behind the state: a JSON line per change, appended and never changed.
type journal struct {
	file *os.File
	size int64 // of the whole lines
}

// Store is the state with the file behind it. Its methods may be called from many goroutines at once.
type Store struct {
	state   *state
	journal *journal
}

// Open replays the file, which it makes if there is none. A claimed item is free again when the lease is over.
func Open(path string, lease time.Duration) (*Store, error) {
	const private = 0o600
	data, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read data: %w", err)
	}
	// A last line without its end was cut by a kill in the middle of a write; nobody was told that it had happened.
	whole := data[:bytes.LastIndexByte(data, '\n')+1]
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, private)
	if err != nil {
		return nil, fmt.Errorf("open data: %w", err)
	}
	j := &journal{file: file}
	s := newState(lease, j.append)
	if err := errors.Join(replay(s, whole), j.cut(int64(len(whole)))); err != nil {
		return nil, errors.Join(fmt.Errorf("read data in %s: %w", path, err), file.Close())
	}
	return &Store{state: s, journal: j}, nil
}

// Len is the number of keys.
func (s *Store) Len() int { return len(s.state.scan("")) }

// Close ends the journal; no change is taken any more.
func (s *Store) Close() error { return s.journal.file.Close() }

func replay(s *state, data []byte) error {
	number := 0
	for line := range bytes.Lines(data) {
		number++
		var r record
		if err := json.Unmarshal(line, &r); err != nil {
			return fmt.Errorf("line %d: %w", number, err)
		}
		if err := s.apply(r); err != nil {
			return fmt.Errorf("line %d: %w", number, err)
		}
	}
	return nil
}

// cut drops what lies behind size and goes on writing there.
func (j *journal) cut(size int64) error {
	j.size = size
	if err := j.file.Truncate(size); err != nil {
		return err
	}
	_, err := j.file.Seek(size, io.SeekStart)
	return err
}

// append writes a change through to the disk, or leaves the file as it was.
func (j *journal) append(r record) error {
	line, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("write data: %w", err)
	}
	written, err := j.file.Write(append(line, '\n'))
	if err == nil {
		err = j.file.Sync()
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write data: %w", err), j.cut(j.size))
	}
	j.size += int64(written)
	return nil
}
