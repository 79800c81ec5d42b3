package daemon

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestReadiness(t *testing.T) {
	t.Parallel()
	running := func() bool { return true }
	ended := func() bool { return false }
	over, cancel := context.WithCancel(t.Context())
	cancel()
	for name, test := range map[string]struct {
		ctx   context.Context
		sent  []string
		alive func() bool
		want  error
	}{
		"ready":         {t.Context(), []string{"STATUS=loading", "MAINPID=7\nREADY=1\n"}, running, nil},
		"ended":         {t.Context(), []string{"STATUS=loading", "NOTREADY=1"}, ended, errEnded},
		"ready and out": {t.Context(), []string{"READY=1"}, ended, nil},
		"interrupted":   {over, nil, running, context.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ready, err := listenForReadiness(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			defer ready.close()
			service, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: ready.path, Net: "unixgram"})
			if err != nil {
				t.Fatal(err)
			}
			defer service.Close()
			for _, message := range test.sent {
				if _, err := service.Write([]byte(message)); err != nil {
					t.Fatal(err)
				}
			}
			if err := ready.wait(test.ctx, test.alive); !errors.Is(err, test.want) {
				t.Errorf("wait = %v, want %v", err, test.want)
			}
		})
	}
}

func TestTail(t *testing.T) {
	t.Parallel()
	if got := tail("/no/such/log"); !strings.Contains(got, "no such file") {
		t.Errorf("tail = %q", got)
	}
	log := filepath.Join(t.TempDir(), "engine.log")
	content := strings.Repeat("time=1 level=warning msg=old\n", 20) + "time=2 level=info msg=booted\nfailed to start daemon\n"
	if err := os.WriteFile(log, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	got := tail(log)
	if strings.Count(got, "old") != 11 || strings.Contains(got, "booted") || !strings.HasSuffix(got, "\n  failed to start daemon") {
		t.Errorf("tail = %q", got)
	}
}
