package registry

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os/exec"
	"runtime"
	"strings"

	"golang.org/x/sync/errgroup"
)

// child is the registry's program. It ends with its context and, on Linux, with this process, however that ends.
type child struct {
	pid    int
	cancel context.CancelFunc
	group  *errgroup.Group
}

// readiness is what the program logs when it can be reached.
const readiness = "listening on"

// startChild starts the program and returns once it can be reached.
func startChild(ctx context.Context, program string, args ...string) (*child, error) {
	ctx, cancel := context.WithCancel(ctx)
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.SysProcAttr = withOwner()
	log, writer := io.Pipe()
	cmd.Stderr = writer
	c := &child{cancel: cancel, group: &errgroup.Group{}}
	started, ready := make(chan error, 1), make(chan string, 1)
	c.group.Go(func() error {
		// The kernel takes the thread that started it for the child's owner, so that one has to stay.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer writer.Close() //nolint:errcheck // never fails
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // it is killed in the end
		}
		return nil
	})
	c.group.Go(func() error { return awaitReadiness(log, ready) })
	if err := <-started; err != nil {
		return nil, c.failed(err)
	}
	c.pid = cmd.Process.Pid
	if last := <-ready; last != "" {
		return nil, c.failed(fmt.Errorf("%s ended: %s", program, last))
	}
	return c, nil
}

// awaitReadiness sends an empty text once the program is ready, or else, when it has ended, the last that it wrote. It reads on
// to the end.
func awaitReadiness(log io.Reader, ready chan<- string) error {
	last := "it wrote nothing"
	for lines := bufio.NewScanner(log); lines.Scan(); {
		last = lines.Text()
		if strings.Contains(last, readiness) {
			ready <- ""
			break
		}
	}
	select {
	case ready <- last:
	default: // it was ready
	}
	_, err := io.Copy(io.Discard, log)
	return err
}

func (c *child) failed(err error) error {
	c.cancel()
	_ = c.group.Wait()
	return err
}

// end kills the program, which has nothing worth keeping, and returns when it is gone.
func (c *child) end() error {
	c.cancel()
	return c.group.Wait()
}
