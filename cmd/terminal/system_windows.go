package terminal

import (
	"context"
	"io"
	"os"
	"time"

	"github.com/moby/term"
	"github.com/muesli/cancelreader"
	"golang.org/x/sync/errgroup"

	"github.com/muster-dev/muster/convergence/engine"
)

// newFileInput reads from a file. Only a Read of a console can be ended: others are waited for by a goroutine that is left alone
// with them when the input is closed.
func newFileInput(file *os.File) io.ReadCloser {
	if term.IsTerminal(file.Fd()) {
		if reader, err := cancelreader.NewReader(file); err == nil {
			return &fileInput{reader: reader}
		}
	}
	reader, writer := io.Pipe()
	var reading errgroup.Group
	reading.Go(func() error {
		_, err := io.Copy(writer, file)
		return writer.CloseWithError(err)
	})
	return reader
}

// fatalSignals: closing the window comes as an interrupt.
func fatalSignals() []os.Signal { return []os.Signal{os.Interrupt} }

// followSize tells of the size that the terminal has, now and whenever it changes. Windows tells nobody, so it is looked at.
func followSize(ctx context.Context, file *os.File, sizes chan<- engine.Size) {
	const often = 250 * time.Millisecond
	looks := time.NewTicker(often)
	defer looks.Stop()
	var last engine.Size
	for {
		if size, known := sizeOf(file); known && size != last {
			select {
			case sizes <- size:
				last = size
			case <-ctx.Done():
				return
			}
		}
		select {
		case <-looks.C:
		case <-ctx.Done():
			return
		}
	}
}
