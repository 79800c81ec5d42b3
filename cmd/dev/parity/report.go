package parity

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// report tells of each file as it is done, and of all of them at the end.
type report struct {
	out     io.Writer
	wanted  *intended
	whole   bool // all files were checked
	results []outcome
}

func (r *report) add(result outcome) {
	r.results = append(r.results, result)
	fmt.Fprintf(r.out, "%-9s  %-22s %3d objects, %3d attributes", result.verdict, result.file.Name+".yaml", result.objects, len(result.file.Rows))
	if result.note != "" {
		fmt.Fprintf(r.out, "  (%s)", result.note)
	}
	fmt.Fprintln(r.out)
	for _, d := range result.differences {
		if d.Reason == "" {
			fmt.Fprintf(r.out, "    %v\n", d)
		}
	}
	for _, problem := range result.problems {
		fmt.Fprintf(r.out, "    %s\n", problem)
	}
}

// end counts the attributes and says whether all is well.
func (r *report) end() error {
	r.writeIntended()
	all, err := readRows()
	if err != nil {
		return err
	}
	rows := map[verdict]map[string]bool{}
	for _, v := range []verdict{equal, alone, refused, declined, gated, neither, different, failed} {
		rows[v] = map[string]bool{}
	}
	bad := 0
	for _, result := range r.results {
		if result.verdict == different || result.verdict == failed {
			bad++
		}
		for _, row := range result.file.Rows {
			rows[result.verdict][row] = true
		}
	}
	fmt.Fprintf(r.out, "\nattributes that came out equal: %d of %d\n", len(rows[equal]), len(all.all))
	counted := maps.Clone(rows[equal])
	for _, group := range []struct {
		verdict verdict
		about   string
	}{
		{alone, "that docker compose refuses, and Muster alone brings up"},
		{refused, "that both refuse, with words"},
		{declined, "that docker compose takes, and Muster refuses on purpose"},
		{gated, "that this engine is too old for"},
		{neither, "that this engine refuses whoever asks"},
		{different, "in files that differ"},
		{failed, "in files that only one tool brings up"},
	} {
		r.writeRows(group.about, without(rows[group.verdict], counted))
		maps.Copy(counted, rows[group.verdict])
	}
	missing := map[string]bool{}
	for _, row := range all.all {
		missing[row] = true
	}
	if r.whole {
		r.writeRows("that no file uses", without(missing, counted))
	}
	if bad > 0 {
		return fmt.Errorf("%d of %d files: %w", bad, len(r.results), ErrDifferent)
	}
	return nil
}

func without(rows, others map[string]bool) []string {
	var rest []string
	for row := range rows {
		if !others[row] {
			rest = append(rest, row)
		}
	}
	slices.Sort(rest)
	return rest
}

func (r *report) writeRows(about string, rows []string) {
	if len(rows) == 0 {
		return
	}
	fmt.Fprintf(r.out, "%d %s:\n", len(rows), about)
	const width = 120
	line := " "
	for _, row := range rows {
		row = strings.TrimPrefix(row, "services.*.")
		if len(line)+len(row) > width {
			fmt.Fprintln(r.out, line)
			line = " "
		}
		line += " " + row
	}
	fmt.Fprintln(r.out, line)
}

// writeIntended lists the differences that were met and are wanted, and those of the list that were not met.
func (r *report) writeIntended() {
	fmt.Fprintln(r.out, "\nintended differences:")
	for _, one := range r.wanted.Differences {
		r.writeReason(one.seen, one.Path, one.Files, one.Reason)
	}
	for _, one := range r.wanted.Recreated {
		what := fmt.Sprintf("%s makes %s anew", cmp.Or(one.By, "each"), strings.Join(one.Objects, ", "))
		r.writeReason(one.seen, what, []string{one.File}, one.Reason)
	}
	for _, one := range r.wanted.Declined {
		r.writeReason(one.seen, "muster refuses", []string{one.File}, one.Reason)
	}
}

func (r *report) writeReason(seen bool, what string, files []string, reason string) {
	where := ""
	if len(files) > 0 {
		where = " in " + strings.Join(files, ", ")
	}
	switch {
	case seen:
		fmt.Fprintf(r.out, "  %s%s: %s\n", what, where, reason)
	case r.whole:
		fmt.Fprintf(r.out, "  (not met on this engine) %s%s\n", what, where)
	}
}
