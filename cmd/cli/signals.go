package cli

import (
	"os"
	"os/signal"
	"syscall"
)

// Notify subscribes to the signals by which a user or a system ends a command.
func Notify() <-chan os.Signal {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	return signals
}
