package testbox_test

import (
	"bytes"
	"errors"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/muster-dev/muster/convergence/engine/docker/testbox"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// files is a store in memory that remembers when its health changed.
type files struct {
	mutex   sync.Mutex
	content map[string]string
	health  []string // "0s starting", "1s healthy"
	start   time.Time
}

func newFiles() *files { return &files{content: map[string]string{}, start: time.Now()} }

func (f *files) ReadFile(path string) ([]byte, error) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	content, ok := f.content[path]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
	}
	return []byte(content), nil
}

func (f *files) WriteFile(path string, content []byte) error {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.content[path] = string(content)
	if path == testbox.HealthFile {
		f.health = append(f.health, time.Since(f.start).String()+" "+string(content))
	}
	return nil
}

// sent is a signal and when it comes.
type sent struct {
	after  time.Duration
	signal os.Signal
}

type result struct {
	code           int
	took           time.Duration
	stdout, stderr string
	files          *files
}

// run runs the program in a bubble, where it takes no real time.
func run(t *testing.T, line string, signals ...sent) (r result) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		t.Helper()
		var stdout, stderr bytes.Buffer
		incoming := make(chan os.Signal, len(signals))
		for _, one := range signals {
			timer := time.AfterFunc(one.after, func() { incoming <- one.signal })
			defer timer.Stop()
		}
		r.files = newFiles()
		r.files.content["/etc/note"] = "noted\n"
		begin := time.Now()
		r.code = testbox.Run(testbox.World{
			Args: strings.Fields(line), Env: map[string]string{"LEVEL": "debug"}, Stdout: &stdout, Stderr: &stderr,
			Signals: incoming, Files: r.files, User: "1:2", Folder: "/tmp",
		})
		r.took, r.stdout, r.stderr = time.Since(begin), stdout.String(), stderr.String()
	})
	return r
}

func TestSteps(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		line   string
		code   int
		took   time.Duration
		stdout string
		stderr string
	}{
		{"", 0, 0, "", ""},
		{"-out one -err two -out three", 0, 0, "one\nthree\n", "two\n"},
		{"-part one -part two", 0, 0, "onetwo", ""},
		{"-every 1s -lines 2 -every 10s -err-lines 1", 0, 12 * time.Second, "line 1\nline 2\n", "line 1\n"},
		{"-env LEVEL -env NOBODY", 0, 0, "LEVEL=debug\nNOBODY is not set\n", ""},
		{"-cat /etc/note -write /tmp/x=y=z -cat /tmp/x", 0, 0, "noted\ny=z", ""},
		{"-cat /nothing -out never", 1, 0, "", "testbox: open /nothing: file does not exist\n"},
		{"-stat /etc/note", 1, 0, "", "testbox: stat /etc/note: files have no owners here\n"},
		{"-who", 0, 0, "1:2 /tmp\n", ""},
		{"-sleep 2s -exit 7 -out never", 7, 2 * time.Second, "", ""},
		{"-fetch http://web/", 1, 0, "", "testbox: fetch http://web/: there is no network here\n"},
		{"-serve :80", 1, 0, "", "testbox: serve :80: there is no network here\n"},
		{"-grow 5", 1, 0, "", "testbox: grow 5: there is no memory to take here\n"},
		{"-exit nine", 2, 0, "", "invalid value \"nine\" for flag -exit: strconv.Atoi: parsing \"nine\": invalid syntax\n"},
		{"-bogus", 2, 0, "", "flag provided but not defined: -bogus\n"},
		{"-out one two", 2, 0, "", "argument is not a flag: \"two\"\n"},
	} {
		t.Run(c.line, func(t *testing.T) {
			t.Parallel()
			r := run(t, c.line)
			if r.code != c.code || r.took != c.took || r.stdout != c.stdout || r.stderr != c.stderr {
				t.Errorf("got %d after %v, %q, %q; want %d after %v, %q, %q",
					r.code, r.took, r.stdout, r.stderr, c.code, c.took, c.stdout, c.stderr)
			}
		})
	}
	if r := run(t, "-long 3"); len(r.stdout) != 3*1024+1 {
		t.Errorf("a long line: got %d bytes", len(r.stdout))
	}
}

func TestSignals(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		line    string
		signals []sent
		code    int
		took    time.Duration
		stdout  string
	}{
		{"-stay", []sent{{time.Second, syscall.SIGTERM}}, 0, time.Second, ""},
		{"-stay -term-exit 5", []sent{{time.Second, syscall.SIGINT}}, 5, time.Second, ""},
		{"-stay -term-sleep 3s", []sent{{time.Second, syscall.SIGTERM}, {2 * time.Second, syscall.SIGTERM}}, 0, 4 * time.Second, ""},
		{"-stay -term-sleep 3s", []sent{{time.Second, syscall.SIGTERM}, {2 * time.Second, syscall.SIGKILL}}, 137, 2 * time.Second, ""},
		{
			"-stay -ignore-term",
			[]sent{{time.Second, syscall.SIGTERM}, {2 * time.Second, syscall.SIGKILL}},
			137, 2 * time.Second,
			"ignored terminated\n",
		},
		{"-sleep 10s", []sent{{time.Second, syscall.SIGTERM}}, 0, time.Second, ""},
		{"-every 1s -lines -1", []sent{{2500 * time.Millisecond, syscall.SIGQUIT}}, 0, 2500 * time.Millisecond, "line 1\nline 2\n"},
		{"-sleep 2s", []sent{{time.Second, syscall.SIGHUP}}, 0, 2 * time.Second, "signal hangup\n"},
	} {
		t.Run(c.line, func(t *testing.T) {
			t.Parallel()
			r := run(t, c.line, c.signals...)
			if r.code != c.code || r.took != c.took || r.stdout != c.stdout {
				t.Errorf("got %d after %v, %q; want %d after %v, %q", r.code, r.took, r.stdout, c.code, c.took, c.stdout)
			}
		})
	}
}

func TestHealth(t *testing.T) {
	t.Parallel()
	for line, c := range map[string]struct {
		signals []sent
		want    string
	}{
		"-sleep 9s":                     {nil, "0s healthy"},
		"-starting -sleep 9s":           {nil, "0s starting"},
		"-healthy-after 2s -sleep 9s":   {nil, "0s starting, 2s healthy"},
		"-unhealthy-after 2s -sleep 9s": {nil, "0s healthy, 2s unhealthy"},
		"-unhealthy-after 3s -healthy-after 1s -every 1s -lines 5": {nil, "0s starting, 1s healthy, 3s unhealthy"},
		"-sleep 8s": {
			[]sent{{time.Second, testbox.SignalUnhealthy}, {2 * time.Second, testbox.SignalHealthy}}, "0s healthy, 1s unhealthy, 2s healthy",
		},
	} {
		t.Run(line, func(t *testing.T) {
			t.Parallel()
			if got := strings.Join(run(t, line, c.signals...).files.health, ", "); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestProbe(t *testing.T) {
	t.Parallel()
	for health, code := range map[string]int{testbox.Healthy: 0, testbox.Unhealthy: 1, testbox.Starting: 1} {
		synctest.Test(t, func(t *testing.T) {
			var stdout bytes.Buffer
			store := newFiles()
			store.content[testbox.HealthFile] = health
			got := testbox.Run(testbox.World{
				Args: []string{"probe", "-sleep", "3s"}, Stdout: &stdout, Stderr: &stdout, Files: store, Signals: make(chan os.Signal),
			})
			if got != code || stdout.String() != health+"\n" || time.Since(store.start) != 3*time.Second {
				t.Errorf("%s: got %d, %q after %v", health, got, stdout.String(), time.Since(store.start))
			}
		})
	}
	if r := run(t, "probe"); r.code != 1 || r.stderr == "" {
		t.Errorf("probe before any health is known: got %d, %q", r.code, r.stderr)
	}
}

func TestServe(t *testing.T) {
	t.Parallel()
	var handler http.Handler
	store := newFiles()
	code := testbox.Run(testbox.World{
		Args: []string{"-serve", ":8080", "-exit", "0"}, Env: map[string]string{"APP_MESSAGE": "hello"},
		Stdout: &bytes.Buffer{}, Stderr: &bytes.Buffer{}, Files: store, Signals: make(chan os.Signal),
		Listen: func(address string, served http.Handler) error {
			if address != ":8080" {
				return errors.New("address " + address)
			}
			handler = served
			return nil
		},
	})
	if code != 0 {
		t.Fatalf("exit code: %d", code)
	}
	get := func(path string) (int, string) {
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, path, nil))
		return recorder.Code, recorder.Body.String()
	}
	if status, body := get("/"); status != 200 || body != "hello\n" {
		t.Errorf("/: %d %q", status, body)
	}
	if status, body := get("/health"); status != 200 || body != "healthy\n" {
		t.Errorf("/health: %d %q", status, body)
	}
	store.content[testbox.HealthFile] = testbox.Unhealthy
	if status, _ := get("/health"); status != http.StatusServiceUnavailable {
		t.Errorf("/health while unhealthy: %d", status)
	}
	if status, _ := get("/other"); status != http.StatusNotFound {
		t.Errorf("/other: %d", status)
	}
}
