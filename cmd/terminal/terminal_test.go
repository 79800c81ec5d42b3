//go:build unix

package terminal_test

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/creack/pty"
	"github.com/moby/term"
	"go.uber.org/goleak"
	"golang.org/x/sync/errgroup"

	"github.com/muster-dev/muster/cmd/terminal"
	"github.com/muster-dev/muster/convergence/engine"
)

// deed is what this binary does as a program of its own, at a terminal that the test looks at.
const deed = "TERMINAL_TEST_DEED"

func TestMain(m *testing.M) {
	if name := os.Getenv(deed); name != "" {
		os.Exit(act(name))
	}
	goleak.VerifyTestMain(m)
}

// act borrows the terminal and ends in some way.
func act(name string) int {
	loan := terminal.Loan{In: os.Stdin, Out: os.Stdout, Tty: true, DetachKeys: "ctrl-x,x"}
	err := loan.Lend(context.Background(), func(ctx context.Context, console engine.Console) error {
		_, _ = io.WriteString(os.Stdout, "raw\n")
		switch name {
		case "fails":
			return io.ErrUnexpectedEOF
		case "panics":
			panic("in the middle")
		case "waits":
			<-ctx.Done()
			return ctx.Err()
		case "sizes":
			for size := range console.Resize {
				_, _ = io.WriteString(os.Stdout, "size "+strings.Repeat("x", size.Width)+"\n")
				if size.Width == 7 {
					return nil
				}
			}
		case "reads":
			text, err := io.ReadAll(console.Input)
			_, _ = io.WriteString(os.Stdout, "read "+string(text)+"\n")
			return err
		}
		return nil
	})
	switch {
	case errors.Is(err, context.Canceled):
		return 130
	case errors.Is(err, terminal.ErrDetached):
		return 4
	case err != nil:
		return 3
	}
	return 0
}

// atTerminal runs a deed at a terminal; then is called once it is raw. It returns all that was shown and the exit code, and fails where the
// terminal is not as it was before.
func atTerminal(t *testing.T, name string, then func(screen *os.File, process *os.Process)) (shown string, code int) {
	t.Helper()
	screen, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer screen.Close()
	defer tty.Close()
	if err := pty.Setsize(screen, &pty.Winsize{Cols: 5, Rows: 5}); err != nil {
		t.Fatal(err)
	}
	before, err := term.SaveState(tty.Fd())
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), deed+"="+name)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = tty, tty, io.Discard
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var watching errgroup.Group
	var text strings.Builder
	watching.Go(func() error {
		buffer := make([]byte, 1000)
		for raw := false; ; {
			n, err := screen.Read(buffer)
			if err != nil {
				return nil //nolint:nilerr // the terminal is closed
			}
			text.Write(buffer[:n])
			if !raw && strings.Contains(text.String(), "raw\n") {
				raw = true
				if then != nil {
					then(screen, cmd.Process)
				}
			}
		}
	})
	_ = cmd.Wait()
	after, err := term.SaveState(tty.Fd())
	if err != nil {
		t.Fatal(err)
	}
	if *after != *before {
		t.Errorf("the terminal is left as %+v, not as %+v", *after, *before)
	}
	_, _ = tty.WriteString("END")
	_ = tty.Close()
	_ = watching.Wait()
	return strings.TrimSuffix(text.String(), "END"), cmd.ProcessState.ExitCode()
}

// TestRestored has the terminal as it was, however it ends.
func TestRestored(t *testing.T) {
	t.Parallel()
	const panicked = 2
	send := func(signal os.Signal) func(*os.File, *os.Process) {
		return func(_ *os.File, process *os.Process) { _ = process.Signal(signal) }
	}
	for _, c := range []struct {
		name, deed string
		then       func(*os.File, *os.Process)
		code       int
	}{
		{"at the end", "nothing", nil, 0},
		{"after an error", "fails", nil, 3},
		{"after a panic", "panics", nil, panicked},
		{"after SIGHUP", "waits", send(syscall.SIGHUP), 130},
		{"after SIGQUIT", "waits", send(syscall.SIGQUIT), 130},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			shown, code := atTerminal(t, c.deed, c.then)
			if code != c.code || !strings.Contains(shown, "raw\n") {
				t.Errorf("got exit code %d and %q, want %d", code, shown, c.code)
			}
		})
	}
}

func TestKeys(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]struct {
		shown string
		code  int
	}{
		"a\x18x":          {"", 4},
		"\x03\x18b\x18xz": {"", 4}, // ctrl-c is the process's, and so is half a sequence
	} {
		shown, code := atTerminal(t, "reads", func(screen *os.File, _ *os.Process) { _, _ = screen.WriteString(typed) })
		if code != want.code {
			t.Errorf("%q: got exit code %d and %q, want %d", typed, code, shown, want.code)
		}
		if want := "read " + strings.TrimSuffix(strings.TrimSuffix(typed, "z"), "\x18x"); !strings.Contains(shown, want) {
			t.Errorf("%q: shown %q, want %q in it", typed, shown, want)
		}
	}
}

func TestSizes(t *testing.T) {
	t.Parallel()
	shown, code := atTerminal(t, "sizes", func(screen *os.File, _ *os.Process) {
		if err := pty.Setsize(screen, &pty.Winsize{Cols: 7, Rows: 5}); err != nil {
			t.Error(err)
		}
	})
	if !strings.HasSuffix(shown, "size xxxxxxx\n") || code != 0 {
		t.Errorf("got %q and exit code %d", shown, code)
	}
}

func TestBadKeys(t *testing.T) {
	t.Parallel()
	err := terminal.Loan{Tty: true, DetachKeys: "ctrl-1"}.Lend(t.Context(), func(context.Context, engine.Console) error { return nil })
	if err == nil || !strings.Contains(err.Error(), "invalid detach keys (ctrl-1)") {
		t.Errorf("got %v", err)
	}
}

// TestInputGivenBack ends a read of a pipe that nothing comes through, and leaves what was not read to others.
func TestInputGivenBack(t *testing.T) {
	t.Parallel()
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	defer writer.Close()
	var read []byte
	err = terminal.Loan{In: reader, Out: io.Discard}.Lend(t.Context(), func(_ context.Context, console engine.Console) error {
		var reading errgroup.Group
		begun := make(chan struct{})
		reading.Go(func() (err error) {
			first := make([]byte, 3)
			if _, err := io.ReadFull(console.Input, first); err != nil {
				return err
			}
			close(begun)
			rest, err := io.ReadAll(console.Input)
			read = slices.Concat(first, rest)
			return err
		})
		_, err := writer.WriteString("one")
		<-begun
		return errors.Join(err, console.Input.Close(), reading.Wait())
	})
	if err != nil || string(read) != "one" {
		t.Fatalf("read %q, %v", read, err)
	}
	if _, err := writer.WriteString("two"); err != nil {
		t.Fatal(err)
	}
	left := make([]byte, 3)
	if _, err := io.ReadFull(reader, left); err != nil || string(left) != "two" {
		t.Errorf("left %q, %v", left, err)
	}
}
