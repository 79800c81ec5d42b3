// Package service is what the four programs of the example have in common: settings from the environment, JSON logs, a
// health endpoint and the command that asks it, and an end on SIGTERM that cuts no request.
package service

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
)

// Program is one of the example's programs.
type Program struct {
	Name string
	// Setup makes the program's parts without waiting for anything. The context ends when the program is asked to stop.
	Setup func(ctx context.Context, settings Settings, log *slog.Logger) (Parts, error)
}

// Parts are what a program consists of; those that are nil are left out.
type Parts struct {
	// Handler answers everything but /healthz.
	Handler http.Handler
	// Ready says why the program cannot do its work just now, or nil. It is asked by the health check.
	Ready func(ctx context.Context) error
	// Work runs beside the server until its context ends; a program whose work fails ends.
	Work func(ctx context.Context) error
	// Close is called last.
	Close func() error
}

// Main runs the program with the process's arguments, environment and signals, and returns the exit code.
func Main(program Program) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	if err := run(ctx, program, os.Args[1:], os.Getenv, os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", program.Name, err)
		return 1
	}
	return 0
}

func run(ctx context.Context, program Program, args []string, env func(string) string, out io.Writer) error {
	settings := Settings{env: env}
	switch {
	case len(args) == 0:
		return start(ctx, program, settings, out)
	case len(args) == 1 && args[0] == "healthcheck":
		return askHealth(ctx, settings.Listen())
	}
	return fmt.Errorf("usage: %s [healthcheck]", program.Name)
}

// start makes the parts, listens, and serves until the context ends.
func start(ctx context.Context, program Program, settings Settings, out io.Writer) (err error) {
	level, err := settings.level()
	if err != nil {
		return err
	}
	log := slog.New(slog.NewJSONHandler(out, &slog.HandlerOptions{Level: level})).With("service", program.Name)
	parts, err := program.Setup(ctx, settings, log)
	if err != nil {
		return err
	}
	if parts.Close != nil {
		defer func() { err = errors.Join(err, parts.Close()) }()
	}
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", settings.Listen())
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	log.Info("ready", "address", listener.Addr().String())
	err = serve(ctx, listener, parts, log)
	log.Info("stopped")
	return err
}
