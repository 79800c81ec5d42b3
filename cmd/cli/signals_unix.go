//go:build !windows

package cli

import (
	"os"
	"os/signal"
	"syscall"
)

// notifyOther subscribes to the signals beside interrupts that programs are told things by.
func notifyOther() (signals <-chan os.Signal, stop func()) {
	const pending = 8
	others := make(chan os.Signal, pending)
	signal.Notify(others, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGALRM, syscall.SIGCONT)
	return others, func() { signal.Stop(others) }
}

// signalName is a signal as an engine on Linux knows it, whatever its number is here; empty for one that is not passed on.
func signalName(signal os.Signal) string {
	return map[os.Signal]string{
		os.Interrupt: "SIGINT", syscall.SIGTERM: "SIGTERM", syscall.SIGHUP: "SIGHUP", syscall.SIGQUIT: "SIGQUIT",
		syscall.SIGUSR1: "SIGUSR1", syscall.SIGUSR2: "SIGUSR2", syscall.SIGALRM: "SIGALRM", syscall.SIGCONT: "SIGCONT",
	}[signal]
}

// suspend stops this program, as ctrl-z does, until the shell lets it go on.
func suspend() { _ = syscall.Kill(0, syscall.SIGTSTP) }
