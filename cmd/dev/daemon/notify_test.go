package daemon

import (
	"context"
	"errors"
	"net"
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
}
