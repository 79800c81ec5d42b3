package display

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/muster-dev/muster/convergence"
	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/plan"
	"github.com/muster-dev/muster/convergence/step"
	"github.com/muster-dev/muster/graph"
)

// Report is a failure in fields: what failed, the evidence, what it held up, what is now and what to try. Its texts are as the
// engine and containers have them, not to be shown without [Failure]'s care.
type Report struct {
	Code      string        `json:"code,omitempty"`
	Message   string        `json:"message"`
	Service   string        `json:"service,omitempty"`
	Replica   int           `json:"replica,omitempty"`
	Container string        `json:"container,omitempty"`
	Reason    string        `json:"reason,omitempty"`
	State     engine.State  `json:"state,omitempty"`
	ExitCode  *int          `json:"exitCode,omitempty"` // of its last end; nil while it has had none
	Meaning   string        `json:"meaning,omitempty"`  // of the exit code, where it has one
	OOM       bool          `json:"oom,omitempty"`
	Restarts  int           `json:"restarts,omitempty"`
	Engine    string        `json:"engine,omitempty"` // its own words
	Probe     *Probe        `json:"probe,omitempty"`
	Log       []LogLine     `json:"log,omitempty"`
	HeldUp    []plan.HeldUp `json:"heldUp,omitempty"`
	Now       string        `json:"now,omitempty"`
	Try       string        `json:"try,omitempty"`
	During    []string      `json:"during,omitempty"` // steps that the loss of the engine cut short, of several

	timedOut bool
	build    *engine.BuildError
}

// Probe is the last run of a health check.
type Probe struct {
	ExitCode int       `json:"exitCode"`
	Output   string    `json:"output,omitempty"`
	Failed   int       `json:"failed"`  // in a row
	Retries  int       `json:"retries"` // that make it unhealthy
	Time     time.Time `json:"time,omitzero"`
}

// LogLine is a line that a container wrote.
type LogLine struct {
	Time time.Time `json:"time,omitzero"`
	Text string    `json:"text"`
}

// Explanation is what is known about an error beside what it says.
type Explanation struct {
	Code  string // for machines
	Short string // what has happened, in a few words, where the error has many; else empty
	Try   string // what to try, fit to be copied; empty where nothing is known
}

// Reports takes an error apart: one report for each root cause, in their order; the loss of the one engine is
// one, however many steps it has cut short, and the first. HeldUp of the options that no cause explains comes
// back as rest.
func Reports(err error, options FailureOptions) (reports []Report, rest []string) {
	rest = slices.Clone(options.HeldUp)
	explained := func(r Report, causes ...error) {
		rest = slices.DeleteFunc(rest, func(name string) bool {
			return slices.ContainsFunc(causes, func(one error) bool { return isCulprit(one, name) }) ||
				slices.ContainsFunc(r.HeldUp, func(h plan.HeldUp) bool { return h.Service == name })
		})
		reports = append(reports, r)
	}
	lost, others := lostSteps(split(err))
	if len(lost) > 0 {
		explained(lostReport(lost, options), lost...)
	}
	for _, one := range others {
		r := reportOf(one, options)
		r.HeldUp = options.heldUpBy(one)
		explained(r, one)
	}
	if len(reports) == 1 && len(rest) > 0 {
		for _, name := range rest {
			reports[0].HeldUp = append(reports[0].HeldUp, plan.HeldUp{Service: name})
		}
		rest = nil
	}
	return reports, rest
}

// heldUpBy are the services that were not started because of an error.
func (o FailureOptions) heldUpBy(err error) []plan.HeldUp {
	var failed *convergence.StepError
	if o.Plan == nil || !errors.As(err, &failed) {
		return nil
	}
	return slices.DeleteFunc(o.Plan.HeldUpBy(failed.Node), func(h plan.HeldUp) bool {
		return !slices.Contains(o.HeldUp, h.Service) || isCulprit(err, h.Service)
	})
}

// isCulprit says whether an error is that of a service's own containers: it is not held up then. Its hooks before the start are another
// matter.
func isCulprit(err error, service string) bool {
	var failed *convergence.StepError
	var hook *step.PreStartError
	if !errors.As(err, &failed) || errors.As(err, &hook) {
		return false
	}
	target, ok := step.TargetOf(failed.Step)
	return ok && target.Service == service
}

func reportOf(err error, options FailureOptions) Report {
	known := options.explain(err)
	r := Report{Code: known.Code, Message: strings.TrimRight(err.Error(), "\n"), Try: known.Try}
	var failed *convergence.StepError
	if errors.As(err, &failed) {
		r.fromStep(failed, known.Short)
	}
	var waited *step.WaitError
	if errors.As(err, &waited) {
		r.fromWait(waited)
	}
	var hook *step.HookError
	if errors.As(err, &hook) {
		r.ExitCode, r.Meaning = &hook.ExitCode, exitMeaning(hook.ExitCode)
	}
	_ = errors.As(err, &r.build)
	if failed != nil && failed.Undone != nil {
		r.Now = undoneText(failed.Undone)
		if waited != nil {
			r.Try = "" // the container that it would send to is gone
		}
	}
	return r
}

// fromStep tells which container or service it was. Of an error with many words the short ones come first, and the engine's stay.
func (r *Report) fromStep(failed *convergence.StepError, short string) {
	if failed.Step.Ref().Kind == graph.KindService {
		r.Service = failed.Step.Ref().Name
	}
	if target, ok := step.TargetOf(failed.Step); ok {
		r.Container, r.Replica = target.Object().Name, target.Replica
	}
	if short == "" || failed.Err == nil {
		return
	}
	r.Message, r.Engine = failed.What()+": "+short, strings.TrimRight(failed.Err.Error(), "\n")
}

func (r *Report) fromWait(failed *step.WaitError) {
	details := failed.Details
	r.Service, r.Replica, r.Container = failed.Wait.Service, failed.Wait.Replica, failed.Wait.Object().Name
	r.Reason, r.State, r.timedOut = failed.Reason, details.State, failed.TimedOut
	r.OOM, r.Restarts, r.Engine = details.OOMKilled, details.RestartCount, details.Error
	if ended := details.State == engine.StateExited || details.State == engine.StateDead || details.State == engine.StateRestarting; ended {
		r.ExitCode, r.Meaning = &details.ExitCode, exitMeaning(details.ExitCode)
	}
	if check := details.HealthCheck; check != nil && len(check.Probes) > 0 {
		last := check.Probes[len(check.Probes)-1]
		r.Probe = &Probe{
			ExitCode: last.ExitCode, Output: strings.TrimSpace(string(bytes.ToValidUTF8([]byte(last.Output), []byte("\ufffd")))),
			Failed: check.FailingStreak, Retries: check.Retries, Time: last.End,
		}
	}
	if details.State == engine.StateRestarting {
		r.Restarts-- // that one is to come
	}
	for _, line := range failed.Log {
		r.Log = append(r.Log, LogLine{line.Time, strings.ToValidUTF8(line.Text, "\ufffd")})
	}
	r.Now = nowText(r.Container, details.State)
}

// nowText is what a container that has failed does now; empty where what happened to it says so.
func nowText(container string, state engine.State) string {
	switch state {
	case engine.StateRunning:
		return container + " is still running"
	case engine.StateRestarting:
		return "the engine goes on restarting " + container
	case engine.StatePaused:
		return container + " is paused"
	}
	return ""
}

func undoneText(undone *convergence.Undone) string {
	names := strings.Join(undone.Restored, ", ")
	switch {
	case undone.Err != nil:
		return "putting back what ran before failed: " + undone.Err.Error()
	case len(undone.Restored) == 0:
		return ""
	case undone.Untouched:
		return "what ran before was not touched: " + names
	case len(undone.Restored) == 1:
		return "the " + names + " that ran before is running again"
	}
	return "the containers that ran before are running again: " + names
}

// Exit codes that mean the same for every program: a shell's, and 128 and the number of the signal that ended it.
const (
	cannotRunCode = 126
	notFoundCode  = 127
	killedCode    = 137
)

// exitMeaning is what an exit code means whatever the program is; empty for those that are the program's own.
func exitMeaning(code int) string {
	meaning, known := map[int]string{
		cannotRunCode: "the command is there and cannot be run",
		notFoundCode:  "the command was not found",
		129:           "SIGHUP", 130: "SIGINT: it was interrupted", 131: "SIGQUIT",
		132: "SIGILL: it ran an instruction that the processor does not have",
		134: "SIGABRT: it gave up by itself", 135: "SIGBUS", 136: "SIGFPE",
		killedCode: "SIGKILL", 139: "SIGSEGV: it crashed", 141: "SIGPIPE",
		143: "SIGTERM: it was asked to end",
	}[code]
	if !known {
		return ""
	}
	return fmt.Sprintf("%d: %s", code, meaning)
}
