package enginetest

import (
	"context"
	"slices"
	"strings"

	"github.com/muster-dev/muster/convergence/engine"
)

func monitorCases() []testCase {
	return []testCase{
		{"processes of a container", processesAreListed},
		{"what a container uses", useIsTold},
		{"what a container uses once", useIsToldOnce},
		{"the statistics end with the container", statsEnd},
		{"the statistics end with their reader", statsReaderEnds},
	}
}

func processesAreListed(f *fixture) {
	id := f.create(f.request("web", "-out", "ready", "-stay"))
	_, err := f.ListProcesses(f.ctx, id)
	f.wants(err, engine.ErrConflict, "list what does not run")
	f.must(f.StartContainer(f.ctx, id), "start")
	f.awaitOutput(id, "ready\n") // until then it may still be the engine's own program that sets the container up
	found, err := f.ListProcesses(f.ctx, f.own("web"))
	f.must(err, "list processes")
	equal(f, "processes", len(found.Rows), 1)
	for _, title := range []string{"UID", "PID", "CMD"} {
		equal(f, "has column "+title, slices.Contains(found.Titles, title), true)
	}
	for _, row := range found.Rows {
		equal(f, "columns", len(row), len(found.Titles))
		equal(f, "command", strings.Contains(row[slices.Index(found.Titles, "CMD")], "-stay"), true)
	}
	f.must(f.PauseContainer(f.ctx, id), "pause")
	_, err = f.ListProcesses(f.ctx, id)
	f.must(err, "list processes of what is paused")
	_, err = f.ListProcesses(f.ctx, f.own("nobody"))
	f.wants(err, engine.ErrNotFound, "list nothing")
}

func useIsTold(f *fixture) {
	id := f.start(f.request("web", "-stay"))
	var samples []engine.Stats
	err := f.Stats(f.ctx, id, false, func(stats engine.Stats) error {
		samples = append(samples, stats)
		if len(samples) == 2 { //nolint:mnd // one after the other
			return errEnough
		}
		return nil
	})
	f.wants(err, errEnough, "follow the statistics")
	last := samples[len(samples)-1]
	equal(f, "processes", last.Processes > 0, true)
	equal(f, "memory", last.Memory > 0 && last.Memory < last.MemoryLimit, true)
	equal(f, "has a time", last.Time.IsZero(), false)
	equal(f, "processors", last.CPU >= 0, true)
	equal(f, "later", last.Time.After(samples[0].Time), true)
}

func useIsToldOnce(f *fixture) {
	id := f.create(f.request("web", "-stay"))
	once := func() (samples []engine.Stats) {
		f.must(f.Stats(f.ctx, f.own("web"), true, func(stats engine.Stats) error {
			samples = append(samples, stats)
			return nil
		}), "statistics")
		equal(f, "samples", len(samples), 1)
		return samples
	}
	equal(f, "of what does not run", once()[0], engine.Stats{})
	f.must(f.StartContainer(f.ctx, id), "start")
	equal(f, "memory", once()[0].Memory > 0, true)
	err := f.Stats(f.ctx, f.own("nobody"), true, func(engine.Stats) error { return nil })
	f.wants(err, engine.ErrNotFound, "statistics of nothing")
}

func statsEnd(f *fixture) {
	id := f.start(f.request("web", "-stay"))
	removed, idle := false, false
	f.must(f.Stats(f.ctx, id, false, func(stats engine.Stats) error {
		switch {
		case stats.Memory > 0 && !removed:
			f.must(f.KillContainer(f.ctx, id, ""), "kill")
		case stats.Memory == 0 && !removed:
			idle, removed = true, true
			f.must(f.RemoveContainer(f.ctx, id, engine.RemoveContainer{}), "remove")
		}
		return nil
	}), "follow the statistics")
	equal(f, "told that nothing is used", idle, true)
}

func statsReaderEnds(f *fixture) {
	id := f.start(f.request("web", "-stay"))
	ctx, cancel := context.WithCancel(f.ctx)
	defer cancel()
	err := f.Stats(ctx, id, false, func(engine.Stats) error {
		cancel()
		return nil
	})
	f.wants(err, context.Canceled, "follow the statistics")
}
