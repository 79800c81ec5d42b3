package cli

import (
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/spf13/pflag"

	"github.com/muster-dev/muster/logs"
)

// logOrder is what `logs` can be asked about the order and the amount of lines.
type logOrder struct {
	noMerge, events        bool
	tailTotal, tailService string
}

func (o *logOrder) addOrder(flags *pflag.FlagSet) {
	flags.BoolVar(&o.noMerge, "no-merge", false, "Show the history container by container, not in the order of time")
	flags.BoolVar(&o.events, "events", false, "Show between the lines when containers start, end, run out of memory or change their health")
	flags.StringVar(&o.tailTotal, "tail-total", "all", "Number of lines to show from the end of the logs of all containers together")
	flags.StringVar(&o.tailService, "tail-service", "all", "Number of lines to show from the end of the logs of each service")
}

// order says in options what was asked for.
func (o *logOrder) order(options *logs.Options) error {
	options.NoMerge, options.Events = o.noMerge, o.events
	if o.tailTotal != "all" && o.tailService != "all" {
		return errors.New("--tail-total and --tail-service cannot be used together")
	}
	for _, count := range []struct {
		flag, value string
		to          *int
	}{{"tail-total", o.tailTotal, &options.TailTotal}, {"tail-service", o.tailService, &options.TailService}} {
		if count.value == "all" {
			continue
		}
		lines, err := strconv.Atoi(count.value)
		if err != nil || lines < 0 {
			return fmt.Errorf("invalid value for --%s: %q is neither a number nor \"all\"", count.flag, count.value)
		}
		if *count.to = lines; lines == 0 {
			options.Tail = 0
		}
	}
	return nil
}

// marks is how the ends and starts of containers are told.
func marks(terminal, all bool) logs.Marks {
	switch {
	case all:
		return logs.MarksAll
	case terminal:
		return logs.MarksBrief
	}
	return logs.MarksPlain
}

// gathered is where lines go to, and what writes those that were gathered: a terminal shows each at once, a pipe or a file takes
// many together.
func (a App) gathered() (out io.Writer, flush func() error) {
	if a.OutTerminal {
		return a.Out, func() error { return nil }
	}
	buffer := logs.NewBuffer(a.Out)
	return buffer, buffer.Flush
}
