package cli_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"go.uber.org/goleak"
	"golang.org/x/sync/errgroup"

	"github.com/muster-dev/muster/cmd/cli"
)

// Programs that scripts can run: this test binary is all of them.
func TestMain(m *testing.M) {
	testscript.Main(patient{m}, map[string]func(){
		"muster": runMuster, "docker-compose": runMuster, "exits": runExits, "hangup": runHangup, "attended": runAttended,
	})
}

// patient runs more scripts at once than there are processors: they mostly wait, for containers and for one another.
type patient struct{ *testing.M }

// Run implements [testscript.TestingM].
func (p patient) Run() int {
	const atOnce = "8"
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "test.parallel" })
	if !given {
		_ = flag.Set("test.parallel", atOnce)
	}
	return p.M.Run()
}

// What muster ends with in scripts when it leaves goroutines behind, or has taken too much memory.
const (
	exitLeak   = 99
	exitGreedy = 98
)

// frugal is set where muster may take only a second of the processor, whatever else the machine does, and so many bytes of memory.
const (
	frugal       = "FRUGAL"
	frugalTime   = raceCost * time.Second
	frugalMemory = 256 << 20
	// tabPatience is more than a person has: what is completed does not depend on what else the machine does.
	tabPatience = time.Minute
)

// runMuster is the command under test. It also sees to it that nothing of it runs on when it is done.
func runMuster() {
	if cli.Introduce(os.Args[1:], os.Stdout) {
		os.Exit(0)
	}
	app := cli.System(cli.Notify())
	app.TabPatience = tabPatience
	code := cli.Main(context.Background(), os.Args[1:], app)
	if err := goleak.Find(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = exitLeak
	}
	var memory runtime.MemStats
	if runtime.ReadMemStats(&memory); os.Getenv(frugal) != "" && memory.Sys > frugalMemory {
		fmt.Fprintf(os.Stderr, "took %d MB of memory\n", memory.Sys>>20)
		code = exitGreedy
	}
	os.Exit(code)
}

// runExits runs a command and succeeds when that ends with a given code: `exits 2 muster plan`. An interrupt is passed on, with
// -term as SIGTERM, which scripts cannot send themselves: `exits -term 130 muster up &up&`. With -to FILE what it writes goes into
// a file too, where scripts can wait for it. With -frugal it fails also when the program takes more than little.
func runExits() {
	flags := flag.NewFlagSet("exits", flag.ExitOnError)
	term := flags.Bool("term", false, "")
	to := flags.String("to", "", "")
	little := flags.Bool("frugal", false, "")
	_ = flags.Parse(os.Args[1:])
	pass := os.Signal(os.Interrupt)
	if *term {
		pass = syscall.SIGTERM
	}
	if *little {
		_ = os.Setenv(frugal, "1")
	}
	if err := exits(flags.Args(), pass, *to); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

func exits(args []string, pass os.Signal, to string) error {
	const least = 2
	if len(args) < least {
		return errors.New("usage: exits [-term] [-frugal] [-to FILE] CODE PROGRAM [ARGUMENT...]")
	}
	wanted, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt)
	cmd := exec.Command(args[1], args[2:]...) //nolint:noctx // it ends when the script's engine does
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	if to != "" {
		file, err := os.Create(to)
		if err != nil {
			return err
		}
		cmd.Stdout, cmd.Stderr = io.MultiWriter(os.Stdout, file), io.MultiWriter(os.Stderr, file)
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	var waiting errgroup.Group
	waiting.Go(func() error { ended <- cmd.Wait(); return nil })
	for {
		select {
		case <-signals:
			_ = cmd.Process.Signal(pass)
		case err := <-ended:
			var exit *exec.ExitError
			if err != nil && !errors.As(err, &exit) {
				return err
			}
			return judge(cmd.ProcessState, wanted)
		}
	}
}

// runHangup plays the docker CLI that is told to end: it listens on a socket, says so in a file beside it, and closes the first
// connection.
func runHangup() {
	listener, err := net.Listen("unix", os.Args[1])
	if err == nil {
		err = os.WriteFile(os.Args[1]+".ready", []byte("yes"), 0o600)
	}
	var connection net.Conn
	if err == nil {
		connection, err = listener.Accept()
	}
	if err == nil {
		err = errors.Join(connection.Close(), listener.Close())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

func judge(ended *os.ProcessState, wanted int) error {
	if code := ended.ExitCode(); code != wanted {
		return fmt.Errorf("exit code %d, want %d", code, wanted)
	}
	if took := ended.UserTime() + ended.SystemTime(); os.Getenv(frugal) != "" && took > frugalTime {
		return fmt.Errorf("took %s of the processor, more than %s", took, frugalTime)
	}
	return nil
}
