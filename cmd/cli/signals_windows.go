package cli

import (
	"os"
	"syscall"
)

// notifyOther: Windows has no other signals.
func notifyOther() (signals <-chan os.Signal, stop func()) { return nil, func() {} }

// signalName is a signal as an engine on Linux knows it; empty for one that is not passed on.
func signalName(signal os.Signal) string {
	return map[os.Signal]string{os.Interrupt: "SIGINT", syscall.SIGTERM: "SIGTERM"}[signal]
}

// suspend: Windows suspends no programs.
func suspend() {}
