// Command main is testbox for real containers: static, with little beyond the standard library, fit to be process 1.
package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/term"

	"github.com/muster-dev/muster/convergence/engine/docker/testbox"
)

func main() {
	signals := make(chan os.Signal, 16)
	// Not all: the runtime sends itself SIGURG.
	signal.Notify(signals, syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM,
		testbox.SignalHealthy, testbox.SignalUnhealthy, testbox.SignalResized)
	memory := &memory{}
	folder, _ := os.Getwd() // none, where it is gone
	os.Exit(testbox.Run(testbox.World{
		Args: os.Args[1:], Env: environment(), Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Signals: signals,
		Files: files{}, User: fmt.Sprintf("%d:%d", os.Getuid(), os.Getgid()), Folder: folder, Stat: stat, Size: size,
		Listen: listen, Fetch: fetch, Agent: agent, Grow: memory.grow,
	}))
}

// environment has the host's name in it even where nobody set the variable.
func environment() map[string]string {
	variables := map[string]string{}
	for _, entry := range os.Environ() {
		name, value, _ := strings.Cut(entry, "=")
		variables[name] = value
	}
	if variables["HOSTNAME"] == "" {
		variables["HOSTNAME"], _ = os.Hostname()
	}
	return variables
}

func size() (width, height int, ok bool) {
	width, height, err := term.GetSize(int(os.Stdout.Fd()))
	return width, height, err == nil
}

type files struct{}

func (files) ReadFile(path string) ([]byte, error) { return os.ReadFile(path) }

func (files) WriteFile(path string, content []byte) error {
	const forAll = 0o644
	return os.WriteFile(path, content, forAll)
}

// listen serves until the process ends.
func listen(address string, handler http.Handler) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	var group sync.WaitGroup
	group.Go(func() { _ = server.Serve(listener) })
	return nil
}

func fetch(url string) (string, error) {
	client := http.Client{Timeout: 10 * time.Second}
	answer, err := client.Get(url)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close() //nolint:errcheck // only read
	if answer.StatusCode != http.StatusOK {
		return "", fmt.Errorf("get %s: %s", url, answer.Status)
	}
	body, err := io.ReadAll(answer.Body)
	return string(body), err
}

func agent(socket string) (io.ReadWriteCloser, error) { return net.Dial("unix", socket) }

// memory is what -grow has taken.
type memory struct {
	taken [][]byte
}

func (m *memory) grow(megabytes int) error {
	block := make([]byte, megabytes<<20)
	for i := 0; i < len(block); i += os.Getpagesize() {
		block[i] = 1 // a page that nobody has touched is not there yet
	}
	m.taken = append(m.taken, block)
	return nil
}
