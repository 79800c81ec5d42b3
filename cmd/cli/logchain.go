package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/logs"
	"github.com/muster-dev/muster/logs/form"
	"github.com/muster-dev/muster/logs/record"
	"github.com/muster-dev/muster/project"
)

// logChain is the way of lines from what is followed to what is shown. What the user did not ask for is not in it.
type logChain struct {
	sink   form.Sink
	filter *form.Filter // nil where all lines are shown
	lasts  []*form.Last // in the order in which lines come to them; none where lines of the history are counted before
	gather *form.Gather // nil where lines are not held
	first  bool         // they are held before all else
	level  record.Level
	idle   func() error // writes what was gathered to be written together; may be nil
}

// holds says whether lines are held for a moment, so that records stay together, on the way to a printer with these options.
func (f *logForms) holds(options logs.PrinterOptions) bool {
	return f.records || !f.recordsGiven && !f.formatted() && (f.pretty || !options.Raw)
}

// chain makes the way of lines to a printer with these options. counted says how many of the history are wanted where they are counted on
// this way; nil where they were counted before.
func (f *logForms) chain(options logs.PrinterOptions, counted *logs.Options) *logChain {
	c := &logChain{level: f.criteria.Level}
	c.sink = f.writer(options)
	if f.holds(options) && !f.records {
		c.gather = form.NewGather(f.pretty, c.sink)
		c.sink = c.gather.Item
	}
	if counted != nil {
		c.count(*counted)
	}
	if f.criteria.Any() {
		c.filter = form.NewFilter(f.criteria, c.sink)
		c.sink = c.filter.Item
	}
	if f.records {
		c.gather, c.first = form.NewGather(true, c.sink), true
		c.sink = c.gather.Item
	}
	return c
}

// count has the last lines counted that come so far.
func (c *logChain) count(amount logs.Options) {
	keep := func(lines int, of func(logs.Source) string) {
		last := form.NewLast(lines, of, c.sink)
		c.lasts = append([]*form.Last{last}, c.lasts...)
		c.sink = last.Item
	}
	if amount.TailTotal > 0 {
		keep(amount.TailTotal, form.OfAll)
	}
	if amount.TailService > 0 {
		keep(amount.TailService, form.OfService)
	}
	if amount.Tail >= 0 {
		keep(amount.Tail, form.OfContainer)
	}
}

// writer is the end of the way.
func (f *logForms) writer(options logs.PrinterOptions) form.Sink {
	switch {
	case f.json:
		return form.NewJSON(options.Stdout).Item
	case f.template != nil:
		return form.Template(form.TemplateOptions{
			Template: f.template, Out: options.Stdout, Err: options.Stderr, Place: f.place(time.UTC), Raw: options.Raw,
		})
	}
	stamped := options.Timestamps && f.local
	options.Timestamps = options.Timestamps && !stamped
	sink := logs.NewPrinter(options).Print
	if stamped {
		sink = form.Stamp(f.place(time.UTC), sink)
	}
	if options.Color && len(f.criteria.Grep) > 0 {
		sink = form.Highlight(f.criteria.Grep, sink)
	}
	if f.pretty || f.records {
		sink = form.Split(sink)
	}
	if f.pretty {
		pretty := form.PrettyOptions{
			Place: f.place(time.Local), NoClock: options.Timestamps || stamped, Color: options.Color,
		}
		sink = form.Pretty(pretty, sink)
	}
	return sink
}

// follow follows logs through the chain, to their end. Where lines are counted after they were filtered, the history is read to its end
// first, by the engine's clock.
func (c *logChain) follow(ctx context.Context, eng engine.Engine, options logs.Options) error {
	options.Idle = c.idle
	if len(c.lasts) == 0 {
		return c.closed(logs.Follow(ctx, eng, options, c.sink))
	}
	options.Tail, options.TailTotal, options.TailService = -1, 0, 0
	if !options.Follow {
		return c.closed(logs.Follow(ctx, eng, options, c.sink))
	}
	info, err := eng.Info(ctx)
	if err != nil {
		return fmt.Errorf("ask for the engine's time: %w", err)
	}
	history := options
	history.Follow, history.Ready, history.Starting = false, nil, nil
	if history.Until.IsZero() || info.Time.Before(history.Until) {
		history.Until = info.Time
	}
	if err = logs.Follow(ctx, eng, history, c.sink); err == nil {
		err = c.flush()
	}
	if err == nil {
		if next := info.Time.Add(1); next.After(options.Since) {
			options.Since = next
		}
		err = logs.Follow(ctx, eng, options, c.sink)
	}
	return c.closed(err)
}

// flush hands on what is held: the history has ended.
func (c *logChain) flush() (err error) {
	if c.gather != nil && c.first {
		err = c.gather.Flush()
	}
	for _, last := range c.lasts {
		err = errors.Join(err, last.End())
	}
	if c.idle != nil {
		err = errors.Join(err, c.idle())
	}
	return err
}

// closed hands on what is held, after what was followed has ended with err.
func (c *logChain) closed(err error) error {
	err = errors.Join(err, c.flush())
	if c.gather != nil {
		err = errors.Join(err, c.gather.Close())
	}
	return err
}

// warnings are what there is to say in the end of lines that were not shown.
func (c *logChain) warnings() (warnings []project.Warning) {
	if c.filter != nil && c.level > record.Unknown {
		if services := c.filter.Unleveled(); len(services) > 0 {
			warnings = append(warnings, project.Warning{
				Message: fmt.Sprintf("no line of %s has a level that is known: --level hides them all", strings.Join(services, ", ")),
			})
		}
	}
	if slices.ContainsFunc(c.lasts, (*form.Last).Full) {
		warnings = append(warnings, project.Warning{Message: "the last lines are too large to keep all of them: fewer are shown"})
	}
	return warnings
}
