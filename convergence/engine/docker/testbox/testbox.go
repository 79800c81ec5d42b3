// Package testbox is one tiny program that stands for "software in a container" wherever a compose tool is tested or shown:
// folder main makes it a static binary for real containers, and dockertest runs the very same [Run] in-process for the
// containers of its engine in memory. It only waits on channels and timers, so it lives under testing/synctest too.
//
// The arguments are steps, done in the order in which they are given, and facts, which hold from the start:
//
//	-out TEXT            write a line on stdout
//	-err TEXT            write a line on stderr
//	-part TEXT           write on stdout without ending the line
//	-every DURATION      the pause before each line of the -lines that follow (0)
//	-lines N             write "line 1" .. "line N" on stdout; -1 for ever
//	-err-lines N         the same on stderr
//	-long KB             write one line of so many times 1024 bytes on stdout
//	-env NAME            write NAME=value, or "NAME is not set"
//	-cat PATH            write a file's content; exit 1 where it cannot be read
//	-stat PATH           write whose a file is and its mode, "0:0:0444"; exit 1 where there is none
//	-who                 write as whom and in which folder it runs: "1000:1000 /tmp"
//	-write PATH=TEXT     write a file
//	-copy                copy what it reads to stdout, to the end of it
//	-size                write the size of its terminal, "80x24", or "no terminal"
//	-fetch URL           write what a GET of the URL answers; exit 1 where it fails
//	-agent NAME          write how many keys the SSH agent has whose socket the variable names; exit 1 where there is none
//	-grow MB             take and keep so much memory
//	-sleep DURATION      do nothing for a while
//	-exit CODE           end
//	-stay                wait for a signal that ends it
//	-serve ADDRESS       answer HTTP from here on: "/" with the variable APP_MESSAGE or else the host's name, "/health" with
//	                     200 or 503; after the last step, stay
//
//	-starting            health: not healthy until something else says so
//	-healthy-after DURATION, -unhealthy-after DURATION
//	                     health: change after so long, counted from the start; with -healthy-after it begins as -starting
//	-ignore-term         signals that end it are told of, and nothing else
//	-term-exit CODE      the exit code after a signal that ends it (0)
//	-term-sleep DURATION how long the end takes after such a signal (0)
//
// It ends with 0 after the last step unless one of them was -stay or -serve. TERM, INT and QUIT end it at any step; of other
// signals it writes "signal NAME" on stdout, and of WINCH what -size does. USR1 makes it healthy and USR2 unhealthy, whatever it was; without any fact about
// health it is healthy from the start.
//
// As a health check it is called as `probe [-sleep DURATION]`: it writes the health that the running program last put down in
// [HealthFile], and ends with 0 when that is healthy, else with 1.
package testbox

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"syscall"
	"time"
)

// Path is where the binary is in images that hold it.
const Path = "/testbox"

// HealthFile is where the running program puts down its health, for the probe and "/health" to read.
const HealthFile = "/tmp/testbox-health"

// What is written into [HealthFile].
const (
	Starting  = "starting"
	Healthy   = "healthy"
	Unhealthy = "unhealthy"
)

// Signals that change its health, as Linux numbers them: that is what containers run on, wherever the tests do.
const (
	SignalHealthy   = syscall.Signal(10) // USR1
	SignalUnhealthy = syscall.Signal(12) // USR2
)

// SignalResized is the one by which it hears of another size of its terminal.
const SignalResized = syscall.Signal(28) // WINCH

// Exit codes of its own.
const (
	ExitUsage  = 2
	ExitKilled = 128 + int(syscall.SIGKILL)
)

// World is all that the program sees of where it runs. Nothing in it may be nil but Stdin, where there is nothing to read, Size,
// where there is no terminal, and Stat, Listen, Fetch, Agent and Grow, which then fail the steps that need them.
type World struct {
	Args   []string // without the program's name
	Env    map[string]string
	Stdin  io.Reader
	Stdout io.Writer
	Stderr io.Writer
	// Signals brings what is sent to the process. SIGKILL, which only a world in memory can bring, ends the program at once;
	// so does closing the channel.
	Signals <-chan os.Signal
	Files   Files
	User    string // uid:gid
	Folder  string // the working directory
	// Size is that of the terminal, in characters; not ok where its output is none.
	Size func() (width, height int, ok bool)
	// Stat looks at a file.
	Stat func(path string) (FileStat, error)
	// Listen serves HTTP at an address, and returns once it does.
	Listen func(address string, handler http.Handler) error
	// Fetch gets a URL's body; any status but 200 is an error.
	Fetch func(url string) (string, error)
	// Agent connects to an SSH agent's socket.
	Agent func(socket string) (io.ReadWriteCloser, error)
	// Grow takes and keeps memory.
	Grow func(megabytes int) error
}

// Files is a small store of files, shared by all programs of one container. Safe for concurrent use.
type Files interface {
	ReadFile(path string) ([]byte, error)
	WriteFile(path string, content []byte) error
}

// FileStat is whose a file is, and who may do what with it.
type FileStat struct {
	UID, GID int
	Mode     uint32 // the permission bits
}

// Run is the program. It returns the exit code, and nothing of it runs on after that but what Listen was given.
func Run(world World) (exitCode int) {
	p := &program{world: world, started: time.Now()}
	run := p.run
	if len(world.Args) > 0 && world.Args[0] == "probe" {
		p.world.Args = world.Args[1:]
		run = p.probe
	}
	var code exit
	if err := run(); errors.As(err, &code) {
		return int(code)
	} else if err != nil {
		_, _ = fmt.Fprintf(world.Stderr, "testbox: %v\n", err)
		return 1
	}
	return 0
}

// exit ends the program with a code.
type exit int

func (e exit) Error() string { return fmt.Sprintf("exit %d", int(e)) }

// program is one run. It has a single goroutine, so it needs no lock.
type program struct {
	world   World
	started time.Time
	steps   []func() error
	stay    bool

	changes []change // of health, still to come, by time
	begins  string   // the health at the start

	ignoreTerm bool
	termExit   int
	termSleep  time.Duration
}

func (p *program) run() error {
	flags := p.newFlags()
	p.begins = Healthy
	p.addSteps(flags)
	p.addFacts(flags)
	if err := p.parse(flags); err != nil {
		return err
	}
	p.setHealth(p.begins)
	for _, step := range p.steps {
		if err := p.wait(0); err != nil {
			return err
		}
		if err := step(); err != nil {
			return err
		}
	}
	if p.stay {
		return p.wait(forever)
	}
	return nil
}

// probe is the health check.
func (p *program) probe() error {
	flags := p.newFlags()
	sleep := flags.Duration("sleep", 0, "")
	if err := p.parse(flags); err != nil {
		return err
	}
	if err := p.wait(*sleep); err != nil {
		return err
	}
	health, err := p.world.Files.ReadFile(HealthFile)
	if err != nil {
		return err
	}
	if err := p.print(p.world.Stdout, string(health)+"\n"); err != nil {
		return err
	}
	if string(health) != Healthy {
		return exit(1)
	}
	return nil
}

func (p *program) newFlags() *flag.FlagSet {
	flags := flag.NewFlagSet("testbox", flag.ContinueOnError)
	flags.SetOutput(p.world.Stderr)
	flags.Usage = func() {}
	return flags
}

// parse reads the arguments; the flag set has said what is wrong with them.
func (p *program) parse(flags *flag.FlagSet) error {
	if err := flags.Parse(p.world.Args); err != nil {
		return exit(ExitUsage)
	}
	if flags.NArg() > 0 {
		_, _ = fmt.Fprintf(p.world.Stderr, "argument is not a flag: %q\n", flags.Arg(0))
		return exit(ExitUsage)
	}
	return nil
}
