package testbox

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"slices"
	"syscall"
	"time"
)

// forever is longer than anything lasts.
const forever = time.Duration(1<<63 - 1)

// change is a change of health at a time after the start.
type change struct {
	after time.Duration
	to    string
}

// addFacts defines the flags that hold from the start.
func (p *program) addFacts(flags *flag.FlagSet) {
	flags.BoolFunc("starting", "", func(string) error { p.begins = Starting; return nil })
	flags.Func("healthy-after", "", func(value string) error {
		p.begins = Starting
		return p.addChange(value, Healthy)
	})
	flags.Func("unhealthy-after", "", func(value string) error { return p.addChange(value, Unhealthy) })
	flags.BoolVar(&p.ignoreTerm, "ignore-term", false, "")
	flags.IntVar(&p.termExit, "term-exit", 0, "")
	flags.DurationVar(&p.termSleep, "term-sleep", 0, "")
}

func (p *program) addChange(after, to string) error {
	d, err := time.ParseDuration(after)
	if err != nil {
		return err
	}
	p.changes = append(p.changes, change{d, to})
	slices.SortStableFunc(p.changes, func(a, b change) int { return cmp.Compare(a.after, b.after) })
	return nil
}

// setHealth puts the health down. Where that cannot be written, a probe finds nothing and fails, which says it too.
func (p *program) setHealth(health string) {
	_ = p.world.Files.WriteFile(HealthFile, []byte(health))
}

// wait lets time pass, doing what is due in the meantime: changes of health, and what signals ask for. A wait for no time
// does what is due now.
func (p *program) wait(d time.Duration) error {
	end := time.NewTimer(d)
	defer end.Stop()
	for {
		health := p.nextChange()
		select {
		case signal := <-p.world.Signals:
			if err := p.signal(signal); err != nil {
				return err
			}
		case <-health:
			p.setHealth(p.changes[0].to)
			p.changes = p.changes[1:]
		case <-end.C:
			return p.pending()
		}
	}
}

// pending handles a signal that is there already, so that steps without a pause can be interrupted too.
func (p *program) pending() error {
	select {
	case signal := <-p.world.Signals:
		return p.signal(signal)
	default:
		return nil
	}
}

// nextChange fires when the next change of health is due; never, where there is none.
func (p *program) nextChange() <-chan time.Time {
	if len(p.changes) == 0 {
		return nil
	}
	return time.After(time.Until(p.started.Add(p.changes[0].after)))
}

// signal does what the process shall do on a signal; nil, the zero of a closed channel, is SIGKILL.
func (p *program) signal(signal os.Signal) error {
	switch {
	case signal == nil || signal == syscall.SIGKILL:
		return exit(ExitKilled)
	case signal == SignalResized:
		return p.printSize()
	case signal != syscall.SIGTERM && signal != syscall.SIGINT && signal != syscall.SIGQUIT:
		return p.print(p.world.Stdout, fmt.Sprintf("signal %s\n", p.healthSignal(signal)))
	case p.ignoreTerm:
		return p.print(p.world.Stdout, fmt.Sprintf("ignored %s\n", signal))
	}
	return p.end()
}

// healthSignal changes the health on the signals that are for it, and returns the signal's name.
func (p *program) healthSignal(signal os.Signal) (name string) {
	switch signal {
	case SignalHealthy:
		p.setHealth(Healthy)
		return "user defined signal 1"
	case SignalUnhealthy:
		p.setHealth(Unhealthy)
		return "user defined signal 2"
	}
	return signal.String()
}

// end is the graceful end: only SIGKILL cuts it short.
func (p *program) end() error {
	end := time.NewTimer(p.termSleep)
	defer end.Stop()
	for {
		select {
		case <-end.C:
			return exit(p.termExit)
		case signal := <-p.world.Signals:
			if signal == nil || signal == syscall.SIGKILL {
				return exit(ExitKilled)
			}
		}
	}
}
