package buildkittest

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"sync"
	"time"

	control "github.com/moby/buildkit/api/services/control"
	solver "github.com/moby/buildkit/solver/errdefs"
	"github.com/opencontainers/go-digest"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// job is what is told of a build.
type job struct {
	ref string

	mutex   sync.Mutex
	updates []*control.StatusResponse
	ended   bool
	changed chan struct{} // closed with the next change
}

func newJob(ref string) *job { return &job{ref: ref, changed: make(chan struct{})} }

// since returns what came after the first updates, and what is closed when there is more.
func (j *job) since(first int) (updates []*control.StatusResponse, ended bool, changed <-chan struct{}) {
	j.mutex.Lock()
	defer j.mutex.Unlock()
	return j.updates[first:], j.ended, j.changed
}

func (j *job) tell(update *control.StatusResponse) {
	j.change(func() { j.updates = append(j.updates, update) })
}
func (j *job) finish() { j.change(func() { j.ended = true }) }

func (j *job) change(do func()) {
	j.mutex.Lock()
	defer j.mutex.Unlock()
	do()
	close(j.changed)
	j.changed = make(chan struct{})
}

// vertex is a step as it is told of.
type vertex struct {
	job     *job
	name    string
	digest  string
	started *timestamppb.Timestamp
}

// begin tells of a step that is under way.
func (j *job) begin(name string) *vertex {
	v := &vertex{job: j, name: name, digest: "sha256:" + hash(j.ref, name), started: timestamppb.New(time.Now())}
	j.tell(&control.StatusResponse{Vertexes: []*control.Vertex{{Digest: v.digest, Name: name, Started: v.started}}})
	return v
}

// end tells what came of it and returns the error as one of this step.
func (v *vertex) end(err error) error {
	done := &control.Vertex{
		Digest: v.digest, Name: v.name, Started: v.started, Completed: timestamppb.New(time.Now()),
	}
	if err != nil {
		done.Error = err.Error()
		err = solver.WrapVertex(err, digest.Digest(v.digest))
	}
	v.job.tell(&control.StatusResponse{Vertexes: []*control.Vertex{done}})
	return err
}

// cached tells of a step whose result was there.
func (j *job) cached(name string) {
	now := timestamppb.New(time.Now())
	j.tell(&control.StatusResponse{Vertexes: []*control.Vertex{{
		Digest: "sha256:" + hash(j.ref, name), Name: name, Started: now, Completed: now, Cached: true,
	}}})
}

// transferred tells how many bytes came.
func (v *vertex) transferred(id string, bytes int64) {
	now := timestamppb.New(time.Now())
	v.job.tell(&control.StatusResponse{Statuses: []*control.VertexStatus{{
		ID: id, Name: "transferring", Vertex: v.digest, Current: bytes, Timestamp: now, Started: now,
	}}})
}

// logWriter is what a step's program writes to.
type logWriter struct {
	vertex *vertex
	stream int64
}

func (w logWriter) Write(text []byte) (int, error) {
	w.vertex.job.tell(&control.StatusResponse{Logs: []*control.VertexLog{{
		Vertex: w.vertex.digest, Stream: w.stream, Msg: []byte(string(text)), Timestamp: timestamppb.New(time.Now()),
	}}})
	return len(text), nil
}

// hash is a digest of texts, in hex.
func hash(texts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(texts, "\x00") + fmt.Sprint(len(texts))))
	return hex.EncodeToString(sum[:])
}
