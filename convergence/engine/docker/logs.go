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
	asked := ctx
	if !options.Follow && options.Tail < 0 {
		asked = gathered(ctx)
	}
	body, err := c.api.ContainerLogs(asked, ref, request)
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
	// readAhead is how much of a stream is read at once: a frame of a full part with its time goes into it.
	readAhead = 32 << 10
	rawChunk  = 16 << 10
)

// readFrames takes the engine's stream apart. With a terminal it is the raw output; else each frame has a header of eight
// bytes: the stream (1 or 2, or 3 for an error of the engine's), three zeros, the length (Engine API, "stream format").
// Which of the two is only told by an inspect, so the first bytes decide: no terminal output begins like a header.
func readFrames(body io.Reader, yield func(engine.Frame) error) error {
	reader := bufio.NewReaderSize(body, readAhead)
	first, err := reader.Peek(frameHeader)
	switch {
	case len(first) == 0 && errors.Is(err, io.EOF):
		return nil
	case len(first) == 0 && err != nil:
		return err
	case !isHeader(first):
		return readRaw(reader, yield)
	}
	frames := frameReader{reader: reader}
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

// frameReader reads frames, most of them without copying: a frame is valid until the next call.
type frameReader struct {
	reader *bufio.Reader
	used   int    // bytes of the reader's that the last frame lies in
	large  []byte // holds frames that the reader cannot
}

// next returns the next frame, or io.EOF where the stream ends between frames.
func (f *frameReader) next() (engine.Frame, error) {
	_, _ = f.reader.Discard(f.used) // they are there
	f.used = 0
	header, err := f.reader.Peek(frameHeader)
	if err != nil {
		if errors.Is(err, io.EOF) && len(header) == 0 {
			return engine.Frame{}, io.EOF
		}
		return engine.Frame{}, fmt.Errorf("read log frame: %w", cutShort(err))
	}
	stream, size := header[0], frameSize(header)
	if !isHeader(header) || size > maxFrame {
		return engine.Frame{}, fmt.Errorf("read log frame: the stream is damaged (header % x)", header)
	}
	data, err := f.data(size)
	if err != nil {
		return engine.Frame{}, fmt.Errorf("read log frame: %w", cutShort(err))
	}
	if stream == systemError {
		return engine.Frame{}, fmt.Errorf("engine cannot read the log: %s", data)
	}
	return engine.Frame{Stream: engine.Stream(stream), Data: data, More: f.more()}, nil
}

// data is what follows the header that is next.
func (f *frameReader) data(size int) ([]byte, error) {
	if whole := frameHeader + size; whole <= f.reader.Size() {
		data, err := f.reader.Peek(whole)
		f.used = len(data)
		return data[min(frameHeader, len(data)):], err
	}
	_, _ = f.reader.Discard(frameHeader) // it was looked at
	if size > len(f.large) {
		f.large = make([]byte, size)
	}
	_, err := io.ReadFull(f.reader, f.large[:size])
	return f.large[:size], err
}

// more says whether the frame after the last one is here as a whole.
func (f *frameReader) more() bool {
	buffered := f.reader.Buffered()
	if buffered < f.used+frameHeader {
		return false
	}
	ahead, _ := f.reader.Peek(f.used + frameHeader) // it is there
	return buffered >= f.used+frameHeader+frameSize(ahead[f.used:])
}

func frameSize(header []byte) int { return int(binary.BigEndian.Uint32(header[4:])) }

// cutShort tells of an end in the middle of something.
func cutShort(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
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
