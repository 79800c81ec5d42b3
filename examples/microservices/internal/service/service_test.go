package service

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"
)

func environment(variables map[string]string) func(string) string {
	return func(name string) string { return variables[name] }
}

func TestHealthcheckCommand(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		ready error
		want  string // part of the error; empty means healthy
	}{
		"healthy":   {},
		"not ready": {ready: errors.New("the store is away"), want: `503 Service Unavailable: {"error":"the store is away"}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			parts := Parts{Ready: func(context.Context) error { return test.ready }}
			server := httptest.NewServer(handler(parts, slog.New(slog.DiscardHandler)))
			defer server.Close()
			env := environment(map[string]string{"LISTEN": server.Listener.Addr().String()})
			err := run(t.Context(), Program{Name: "test"}, []string{"healthcheck"}, env, io.Discard)
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("healthcheck = %v, want %q", err, test.want)
			}
		})
	}
}

func TestBadCalls(t *testing.T) {
	t.Parallel()
	fails := errors.New("no data")
	broken := Program{Name: "test", Setup: func(context.Context, Settings, *slog.Logger) (Parts, error) { return Parts{}, fails }}
	for name, test := range map[string]struct {
		args []string
		env  map[string]string
		want string
	}{
		"unknown command": {args: []string{"frobnicate"}, want: "usage: test [healthcheck]"},
		"log level":       {env: map[string]string{"LOG_LEVEL": "loud"}, want: "read LOG_LEVEL"},
		"nobody listens":  {args: []string{"healthcheck"}, env: map[string]string{"LISTEN": ":1"}, want: "ask for health"},
		"no port":         {args: []string{"healthcheck"}, env: map[string]string{"LISTEN": "here"}, want: "read LISTEN"},
		"setup":           {want: "no data"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := run(t.Context(), broken, test.args, environment(test.env), io.Discard)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("run = %v, want %q", err, test.want)
			}
		})
	}
}

func TestRequestsFinishAfterStop(t *testing.T) {
	t.Parallel()
	arrived, proceed := make(chan struct{}), make(chan struct{})
	var closed bool
	parts := Parts{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			close(arrived)
			<-proceed
			WriteJSON(w, http.StatusOK, "whole")
		}),
		Work:  func(ctx context.Context) error { <-ctx.Done(); close(proceed); return nil },
		Close: func() error { closed = true; return nil },
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var log strings.Builder
	var group errgroup.Group
	group.Go(func() error { return serve(ctx, listener, parts, slog.New(slog.NewJSONHandler(&log, nil))) })
	group.Go(func() error { <-arrived; stop(); return nil })

	response, err := http.Get("http://" + listener.Addr().String() + "/work")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if body, err := io.ReadAll(response.Body); err != nil || string(body) != "\"whole\"\n" {
		t.Errorf("answer = %q, %v", body, err)
	}
	if err := group.Wait(); err != nil {
		t.Errorf("serve = %v", err)
	}
	if closed {
		t.Error("serve closed what start closes")
	}
	if !strings.Contains(log.String(), `"path":"/work","status":200`) {
		t.Errorf("no line for the request in %s", log.String())
	}
}

func TestWorkThatFailsEndsTheProgram(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	var closed bool
	program := Program{Name: "test", Setup: func(context.Context, Settings, *slog.Logger) (Parts, error) {
		return Parts{
			Work:  func(context.Context) error { return broken },
			Close: func() error { closed = true; return nil },
		}, nil
	}}
	var log strings.Builder
	err := run(t.Context(), program, nil, environment(map[string]string{"LISTEN": "127.0.0.1:0"}), &log)
	if !errors.Is(err, broken) {
		t.Errorf("run = %v, want %v", err, broken)
	}
	if !closed {
		t.Error("Close was not called")
	}
	if !strings.Contains(log.String(), `"msg":"stopped","service":"test"`) {
		t.Errorf("log = %s", log.String())
	}
}
