// Package daemon starts and ends an engine of the developers' own, and knows it again later.
package daemon

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
)

// Record is what is kept of a started engine, for whoever comes later: other make targets, tests, `engine down`.
type Record struct {
	Release string  `json:"release"`
	Process Process `json:"process"`
	// The rest follows from the cache folder and the release; it is in the file for people.
	Host string `json:"host"` // for DOCKER_HOST
	Log  string `json:"log"`
	Data string `json:"data"` // the folder of images, containers and volumes
	Run  string `json:"run"`  // the folder of sockets and state
}

func newRecord(cache, release string, process Process) Record {
	at := layoutOf(cache, release)
	return Record{Release: release, Process: process, Host: at.host(), Log: at.log, Data: at.data, Run: at.run}
}

var releaseName = regexp.MustCompile(`^[0-9a-z]+$`)

func recordPath(cache string) string { return filepath.Join(cache, "engine.json") }

// ReadRecord returns the engine that was started from this cache folder; ok is false when there is none. Whether it still
// runs is another question: [Process.Alive].
func ReadRecord(cache string) (record Record, ok bool, err error) {
	data, err := os.ReadFile(recordPath(cache))
	if errors.Is(err, fs.ErrNotExist) {
		return Record{}, false, nil
	}
	if err != nil {
		return Record{}, false, fmt.Errorf("read record of engine: %w", err)
	}
	if err := json.Unmarshal(data, &record); err != nil || !releaseName.MatchString(record.Release) {
		return Record{}, false, nil // cut off while it was written: as good as none
	}
	// What is swept away later is never what a file says, which somebody may have edited.
	return newRecord(cache, record.Release, record.Process), true, nil
}

func (r Record) write(cache string) error {
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("write record of engine: %w", err)
	}
	const mode = 0o644 // other users may know of the engine; whether they may use it is the socket's matter
	path := recordPath(cache)
	if err := os.WriteFile(path+".part", append(data, '\n'), mode); err != nil {
		return fmt.Errorf("write record of engine: %w", err)
	}
	if err := os.Rename(path+".part", path); err != nil {
		return fmt.Errorf("write record of engine: %w", err)
	}
	return nil
}

func forget(cache string) error {
	if err := os.Remove(recordPath(cache)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove record of engine: %w", err)
	}
	return nil
}
