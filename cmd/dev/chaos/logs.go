package chaos

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	logsProject = "muster-chaos-logs"
	logsWriters = 20
	// logsBefore is how long is written before and after each restart.
	logsBefore = 4 * time.Second
	// logsEnd is how long `logs -f` may take to end after the last container.
	logsEnd = time.Minute
)

// Logs follows containers that write numbers while the engine is restarted, and expects every number once, in order in each run of each
// container, and nothing else than the engine keeps of them. It says how many lines that were.
func Logs(ctx context.Context, o Options) (lines int, err error) {
	l := &logsRun{Options: o, file: filepath.Join(o.Folder, "compose.yaml")}
	if err := l.define(); err != nil {
		return 0, err
	}
	if _, err := l.muster(ctx, "up", "-d"); err != nil {
		return 0, err
	}
	defer func() {
		_, downErr := l.muster(context.WithoutCancel(ctx), "down", "-t", "0")
		err = errors.Join(err, downErr)
	}()
	followed, err := l.follow(ctx)
	if err != nil {
		return 0, err
	}
	kept, err := l.muster(ctx, "logs", "--no-color")
	if err != nil {
		return 0, err
	}
	return compareNumbers(numbersOf(followed), numbersOf(kept))
}

type logsRun struct {
	Options
	file string
}

// define writes the file. A run of a container has a name of its own, and numbers from 1 on.
func (l *logsRun) define() error {
	const shell = `run=$$(cat /proc/sys/kernel/random/uuid); i=0; while true; do i=$$((i+1)); echo $$run $$i; sleep 0.01; done`
	content := "services:\n"
	for i := range logsWriters {
		content += fmt.Sprintf("  w%02d: {image: %q, init: true, restart: always, stop_grace_period: 1s, command: [sh, -c, %q]}\n", i, l.Runs.Image, shell)
	}
	const private = 0o600
	if err := os.WriteFile(l.file, []byte(content), private); err != nil {
		return fmt.Errorf("write the writers' file: %w", err)
	}
	return nil
}

func (l *logsRun) command(ctx context.Context, words ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, l.Muster, append([]string{"-p", logsProject, "-f", l.file}, words...)...)
	cmd.Env = append(os.Environ(), l.Env...)
	return cmd
}

func (l *logsRun) muster(ctx context.Context, words ...string) (string, error) {
	var out, errOut bytes.Buffer
	cmd := l.command(ctx, words...)
	cmd.Stdout, cmd.Stderr = &out, &errOut
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("muster %s: %w\n%s", strings.Join(words, " "), err, errOut.String())
	}
	return out.String(), nil
}

// follow runs `logs -f` over all restarts, until the containers are stopped.
func (l *logsRun) follow(ctx context.Context) (string, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var out, errOut bytes.Buffer
	cmd := l.command(ctx, "logs", "-f", "--no-color")
	cmd.Stdout, cmd.Stderr = &out, &errOut
	if err := cmd.Start(); err != nil {
		return "", fmt.Errorf("start muster: %w", err)
	}
	err := l.restarts(ctx)
	if err == nil {
		_, err = l.muster(ctx, "stop", "-t", "0")
	}
	if err != nil {
		cancel()
		return "", errors.Join(err, cmd.Wait())
	}
	timer := time.AfterFunc(logsEnd, cancel)
	defer timer.Stop()
	if err := cmd.Wait(); err != nil {
		return "", fmt.Errorf("logs -f: %w\n%s", err, errOut.String())
	}
	_, _ = fmt.Fprintf(l.Out, "logs -f said:\n%s", indent(lastLines(errOut.String())))
	return out.String(), nil
}

func (l *logsRun) restarts(ctx context.Context) error {
	for number := range l.Restarts {
		if err := wait(ctx, logsBefore); err != nil {
			return err
		}
		if err := l.Restart(ctx, number%2 == 1); err != nil {
			return err
		}
	}
	return wait(ctx, logsBefore)
}

func wait(ctx context.Context, length time.Duration) error {
	timer := time.NewTimer(length)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// numbersOf are the lines of each container, without marks.
func numbersOf(output string) map[string][]string {
	numbers := map[string][]string{}
	for line := range strings.Lines(output) {
		if name, text, ok := strings.Cut(line, "|"); ok {
			name = strings.TrimSpace(name)
			numbers[name] = append(numbers[name], strings.TrimSpace(text))
		}
	}
	return numbers
}

// compareNumbers says how many lines were followed, and what is wrong with them.
func compareNumbers(followed, kept map[string][]string) (lines int, err error) {
	if len(followed) != logsWriters {
		return 0, fmt.Errorf("%d containers were heard, want %d", len(followed), logsWriters)
	}
	for name, heard := range followed {
		lines += len(heard)
		if err := inOrder(heard); err != nil {
			return lines, fmt.Errorf("%s: %w", name, err)
		}
		if !slices.Equal(heard, kept[name]) {
			return lines, fmt.Errorf("%s: %d lines were heard, and the engine has others: %d", name, len(heard), len(kept[name]))
		}
	}
	return lines, nil
}

// inOrder expects that each run counts from 1 on.
func inOrder(heard []string) error {
	before, last := "", 0
	for _, line := range heard {
		run, digits, _ := strings.Cut(line, " ")
		number, err := strconv.Atoi(digits)
		switch {
		case err != nil:
			return fmt.Errorf("what is %q?", line)
		case run != before && number != 1, run == before && number != last+1:
			return fmt.Errorf("%q comes after %d of %s", line, last, before)
		}
		before, last = run, number
	}
	return nil
}
