// Package kept keeps the last lines of containers that are about to be removed, in files of the user's on this machine.
//
// A file holds one container: a line that says whose it was, then its lines, all as JSON. The folder is below that of the engine and that
// of the project, so that neither meets another's. Files are 0600, folders 0700; names from elsewhere cannot lead out of the folder.
package kept

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/muster-dev/muster/logs"
)

const (
	private, privateFolder = 0o600, 0o700
	// mostLines is how many lines of a container are kept, if they are not larger than the policy allows.
	mostLines = 5000
	// oldest is how long a container is kept, and unfinished how long after its last change a file that was not finished is left.
	oldest, unfinished = 30 * 24 * time.Hour, time.Hour
)

// Policy says how much is kept.
type Policy struct {
	// Containers is how many containers are kept of each replica of a service; less than one keeps none.
	Containers int
	// Bytes is how much text is kept of each container, and 32 times what a replica may have of a project, with what stands around it.
	Bytes int64
}

// project is how much is kept of a project, in files.
func (p Policy) project() int64 {
	const services = 32
	return p.Bytes * int64(max(p.Containers, 1)) * services
}

// Store is the lines that are kept of one engine's containers. It may be used from several goroutines, and by several processes.
type Store struct {
	folder string // of the engine
	root   string // of all engines
	policy Policy
}

// New returns a store in a folder, which need not be there, for an engine by its ID.
func New(folder, engineID string, policy Policy) *Store {
	return &Store{root: folder, folder: safe(engineID), policy: policy}
}

// Container is what is kept of a container.
type Container struct {
	Source logs.Source
	// Removed is when its lines were kept, by the clock here.
	Removed time.Time
	// Items are its last lines, and after them its end, where that is known.
	Items []logs.Item
}

var plainName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$`)

// safe is a name as one of a file: itself, or where that could be more than a name, a digest of it.
func safe(name string) string {
	if plainName.MatchString(name) {
		return name
	}
	digest := sha256.Sum256([]byte(name))
	return "~" + hex.EncodeToString(digest[:16])
}

const (
	ending     = ".log"
	partEnding = ".part"
)

// replicaPrefix begins the names of the files of a replica.
func replicaPrefix(serviceName string, number int) string {
	return safe(serviceName) + "~" + strconv.Itoa(number) + "~"
}

// fileName is that of a container of a replica, removed at a moment. They sort by age.
func fileName(source logs.Source, at time.Time) string {
	return fmt.Sprintf("%s%020d~%s%s", replicaPrefix(source.Service, source.Number), at.UnixNano(), safe(source.ContainerID), ending)
}

// splitName takes a file's name apart; false where it is none of ours.
func splitName(name string) (replica string, at time.Time, ok bool) {
	rest, isOurs := strings.CutSuffix(name, ending)
	parts := strings.Split(rest, "~")
	const fewest = 4
	if !isOurs || len(parts) < fewest {
		return "", time.Time{}, false
	}
	// A digest begins with the sign that stands between the parts.
	for i := 2; i < len(parts)-1; i++ {
		if nanoseconds, err := strconv.ParseInt(parts[i], 10, 64); err == nil && len(parts[i]) == len("00000000000000000000") {
			return strings.Join(parts[:i], "~") + "~", time.Unix(0, nanoseconds), true
		}
	}
	return "", time.Time{}, false
}

// open opens the engine's folder; with create it is made where it is missing. The error matches [fs.ErrNotExist] where it is not there.
func (s *Store) open(create bool) (*os.Root, error) {
	if create {
		if err := os.MkdirAll(s.root, privateFolder); err != nil {
			return nil, err
		}
	}
	root, err := os.OpenRoot(s.root)
	if err != nil {
		return nil, err
	}
	defer root.Close() //nolint:errcheck // nothing was written through it
	if create {
		if err := root.Mkdir(s.folder, privateFolder); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
	}
	return root.OpenRoot(s.folder)
}
