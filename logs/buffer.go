package logs

import "io"

// bufferSize is how much a [Buffer] gathers, in bytes.
const bufferSize = 32 << 10

// Buffer is a writer that gathers whole calls of Write and passes them on together: for a pipe, where a call of the system for
// every line would cost more than all the rest. What it passes on begins and ends where calls of Write do, so that lines stay
// whole beside those of other writers. It is not for use by several goroutines at once; [Options].Idle is where to flush it.
type Buffer struct {
	to      io.Writer
	pending []byte
}

// NewBuffer returns a buffer in front of a writer.
func NewBuffer(to io.Writer) *Buffer { return &Buffer{to: to} }

// Write implements [io.Writer]. The error is of an earlier call's bytes, where those had to be passed on first.
func (b *Buffer) Write(data []byte) (int, error) {
	if len(b.pending)+len(data) > bufferSize {
		if err := b.Flush(); err != nil {
			return 0, err
		}
	}
	if len(data) > bufferSize {
		return b.to.Write(data)
	}
	if b.pending == nil {
		b.pending = make([]byte, 0, bufferSize)
	}
	b.pending = append(b.pending, data...)
	return len(data), nil
}

// Flush passes on what was gathered.
func (b *Buffer) Flush() error {
	if len(b.pending) == 0 {
		return nil
	}
	_, err := b.to.Write(b.pending)
	b.pending = b.pending[:0]
	return err
}
