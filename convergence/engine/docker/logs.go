package docker

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/docker/docker/api/types/container"

	"github.com/muster-dev/muster/convergence/engine"
)

// Logs implements [engine.Streams].
func (c *Client) Logs(
	ctx context.Context, ref string, options engine.LogOptions, yield func(engine.Frame) error,
) error {
	request := container.LogsOptions{
		ShowStdout: true, ShowStderr: true, Follow: options.Follow, Timestamps: options.Timestamps, Tail: "all",
	}
	if options.Tail >= 0 {
		request.Tail = strconv.Itoa(options.Tail)
	}
	if !options.Since.IsZero() {
		request.Since = unixNano(options.Since)
	}
	if !options.Until.IsZero() {
		request.Until = unixNano(options.Until)
	}
	body, err := c.api.ContainerLogs(ctx, ref, request)
	if err != nil {
		return c.wrap(err)
	}
	defer body.Close() //nolint:errcheck // nothing is written through it
	if err := readFrames(body, yield); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return c.wrap(err)
	}
	return nil
}

const (
	frameHeader = 8
	// maxFrame bounds what a broken or hostile stream can make us hold. The engine's own frames stay below 20 KB.
	maxFrame = 1 << 20
	rawChunk = 16 << 10
)

// readFrames takes the engine's stream apart. With a terminal it is the raw output; else each frame has a header of eight
// bytes: the stream (1 or 2, or 3 for an error of the engine's), three zeros, the length (Engine API, "stream format").
// Which of the two is only told by an inspect, so the first bytes decide: no terminal output begins like a header.
func readFrames(body io.Reader, yield func(engine.Frame) error) error {
	reader := bufio.NewReaderSize(body, rawChunk)
	first, err := reader.Peek(frameHeader)
	switch {
	case len(first) == 0 && errors.Is(err, io.EOF):
		return nil
	case len(first) == 0 && err != nil:
		return err
	case !isHeader(first):
		return readRaw(reader, yield)
	}
	frames := frameReader{reader: reader, buffer: make([]byte, rawChunk)}
	for {
		frame, err := frames.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := yield(frame); err != nil {
			return err
		}
	}
}

// frameReader reads frames into a buffer that it uses again.
type frameReader struct {
	reader io.Reader
	header [frameHeader]byte
	buffer []byte
}

// next returns the next frame, or io.EOF where the stream ends between frames.
func (f *frameReader) next() (engine.Frame, error) {
	if _, err := io.ReadFull(f.reader, f.header[:]); errors.Is(err, io.EOF) {
		return engine.Frame{}, io.EOF
	} else if err != nil {
		return engine.Frame{}, fmt.Errorf("read log frame: %w", err)
	}
	size := int(binary.BigEndian.Uint32(f.header[4:]))
	if !isHeader(f.header[:]) || size > maxFrame {
		return engine.Frame{}, fmt.Errorf("read log frame: the stream is damaged (header % x)", f.header)
	}
	if size > len(f.buffer) {
		f.buffer = make([]byte, size)
	}
	data := f.buffer[:size]
	if _, err := io.ReadFull(f.reader, data); errors.Is(err, io.EOF) {
		return engine.Frame{}, fmt.Errorf("read log frame: %w", io.ErrUnexpectedEOF)
	} else if err != nil {
		return engine.Frame{}, fmt.Errorf("read log frame: %w", err)
	}
	if f.header[0] == systemError {
		return engine.Frame{}, fmt.Errorf("engine cannot read the log: %s", data)
	}
	return engine.Frame{Stream: engine.Stream(f.header[0]), Data: data}, nil
}

// systemError is the stream on which the engine tells of its own failure.
const systemError = 3

func isHeader(b []byte) bool {
	return len(b) == frameHeader && b[0] <= systemError && b[0] > 0 && b[1] == 0 && b[2] == 0 && b[3] == 0
}

func readRaw(reader io.Reader, yield func(engine.Frame) error) error {
	buffer := make([]byte, rawChunk)
	for {
		n, err := reader.Read(buffer)
		if n > 0 {
			if err := yield(engine.Frame{Stream: engine.Stdout, Data: buffer[:n]}); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read log: %w", err)
		}
	}
}
