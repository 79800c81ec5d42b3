package cli

import (
	"io"
	"sync"
)

// switchWriter passes writes on to a writer that can be changed in between.
type switchWriter struct {
	mutex sync.Mutex
	to    io.Writer
}

func (s *switchWriter) set(to io.Writer) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.to = to
}

// Write implements [io.Writer].
func (s *switchWriter) Write(data []byte) (int, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.to.Write(data)
}
