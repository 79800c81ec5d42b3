package cli

import (
	"context"
	"errors"
	"io"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/muster-dev/muster/cmd/terminal"
)

// TestSpoolInterrupted ends with the context while the input gives nothing, and leaves no file behind.
func TestSpoolInterrupted(t *testing.T) {
	folder := t.TempDir()
	t.Setenv("TMPDIR", folder)
	in, giver, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	defer giver.Close()
	ctx, cancel := context.WithCancel(t.Context())
	input, release := terminal.Interruptible(ctx, in)
	defer release()
	if _, err := giver.WriteString("half"); err != nil {
		t.Fatal(err)
	}
	reading := &cancelling{Reader: input, cancel: cancel}
	if _, err := spool(ctx, reading); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if left, _ := os.ReadDir(folder); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// cancelling interrupts after the first Read, so that the second one waits for what never comes.
type cancelling struct {
	io.Reader
	cancel context.CancelFunc
}

func (c *cancelling) Read(into []byte) (int, error) {
	defer c.cancel()
	return c.Reader.Read(into)
}

// TestWarnings tells of some of what was left out, and of how much more: a container can be full of what cannot be copied.
func TestWarnings(t *testing.T) {
	t.Parallel()
	var told warnings
	for i := range 5_000 {
		told.add("pipe " + strconv.Itoa(i))
	}
	list := told.all()
	if last := list[len(list)-1].Message; len(list) != mostWarnings+1 || !strings.Contains(last, strconv.Itoa(5_000-mostWarnings)+" more") {
		t.Errorf("%d warnings, the last one %q", len(list), last)
	}
}
