package cli_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/creack/pty"
	"github.com/moby/term"
	"golang.org/x/sync/errgroup"
)

// runAttended runs a program at a terminal of 100 by 30 characters and plays the person who sits there, as a file says: `attended 0
// dialogue.txt muster exec web sh`. It succeeds when the program ends with the code, and leaves the terminal as it was. What was shown
// goes to stdout. The lines of the file are
//
//	see TEXT        wait until that is shown; what was shown up to there does not count again
//	type TEXT       press keys
//	resize 80x24    give the terminal another size
//	signal TERM     send the program a signal: TERM, INT or HUP
//	run muster ps   run something else, elsewhere
//
// with texts as in Go, "exit\r".
func runAttended() {
	if err := attended(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

func attended(args []string) error {
	const dialogue, program, most = 1, 2, 3
	if len(args) < most {
		return errors.New("usage: attended CODE DIALOGUE PROGRAM [ARGUMENT...]")
	}
	wanted, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	lines, err := os.ReadFile(args[dialogue])
	if err != nil {
		return err
	}
	screen, tty, err := pty.Open()
	if err != nil {
		return err
	}
	defer screen.Close()
	if err := pty.Setsize(screen, &pty.Winsize{Cols: 100, Rows: 30}); err != nil {
		return err
	}
	before, err := term.SaveState(tty.Fd())
	if err != nil {
		return err
	}
	cmd := exec.Command(args[program], args[program+1:]...) //nolint:noctx // it ends when the script's engine does
	cmd.Stdin, cmd.Stdout, cmd.Stderr = tty, tty, tty
	cmd.SysProcAttr = ownTerminal()
	if err := cmd.Start(); err != nil {
		return err
	}
	p := &person{screen: screen, process: cmd.Process, shown: make(chan []byte)}
	var watching errgroup.Group
	watching.Go(func() error { p.watch(); return nil })
	failure := p.play(string(lines))
	if failure != nil {
		_ = cmd.Process.Kill()
	}
	watching.Go(func() error { p.rest(); return nil })
	_ = cmd.Wait()
	after, err := term.SaveState(tty.Fd())
	_ = tty.Close()
	_ = watching.Wait()
	_, _ = os.Stdout.Write(p.all.Bytes())
	switch {
	case failure != nil:
		return failure
	case err != nil:
		return err
	case *before != *after:
		return fmt.Errorf("the terminal is left as %+v, not as %+v", *after, *before)
	}
	return judge(cmd.ProcessState, wanted)
}

// person sits at a terminal.
type person struct {
	screen  *os.File
	process *os.Process
	shown   chan []byte // closed at the end
	all     bytes.Buffer
	unseen  bytes.Buffer
}

func (p *person) watch() {
	defer close(p.shown)
	for {
		buffer := make([]byte, 4<<10)
		n, err := p.screen.Read(buffer)
		p.shown <- buffer[:n]
		if err != nil {
			return
		}
	}
}

func (p *person) notice(text []byte) {
	_, _ = p.all.Write(text)
	_, _ = p.unseen.Write(text)
}

// rest looks on to the end.
func (p *person) rest() {
	for text := range p.shown {
		p.notice(text)
	}
}

func (p *person) play(dialogue string) error {
	for line := range strings.Lines(dialogue) {
		word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		if word == "" {
			continue
		}
		if err := p.do(word, strings.TrimSpace(rest)); err != nil {
			return fmt.Errorf("%s: %w; shown: %q", strings.TrimSpace(line), err, p.all.String())
		}
	}
	return nil
}

func (p *person) do(word, rest string) error {
	switch word {
	case "see", "type":
		text, err := strconv.Unquote(rest)
		if err != nil {
			return err
		}
		if word == "see" {
			return p.see(text)
		}
		_, err = p.screen.WriteString(text)
		return err
	case "resize":
		var size pty.Winsize
		if _, err := fmt.Sscanf(rest, "%dx%d", &size.Cols, &size.Rows); err != nil {
			return err
		}
		return pty.Setsize(p.screen, &size)
	case "signal":
		return p.process.Signal(map[string]os.Signal{"TERM": syscall.SIGTERM, "INT": os.Interrupt, "HUP": syscall.SIGHUP}[rest])
	case "run":
		words := strings.Fields(rest)
		if output, err := exec.Command(words[0], words[1:]...).CombinedOutput(); err != nil { //nolint:noctx // as above
			return fmt.Errorf("%w: %s", err, output)
		}
		return nil
	}
	return errors.New("unknown step")
}

func (p *person) see(text string) error {
	late := time.After(patience)
	for {
		if i := bytes.Index(p.unseen.Bytes(), []byte(text)); i >= 0 {
			p.unseen.Next(i + len(text))
			return nil
		}
		select {
		case shown, more := <-p.shown:
			if !more {
				return errors.New("the program has ended")
			}
			p.notice(shown)
		case <-late:
			return errors.New("is not shown")
		}
	}
}
