package display

import (
	"fmt"
	"io"
	"strings"

	"github.com/mattn/go-runewidth"
)

// Table is rows of text in columns that line up. Cells are other people's text and are made harmless when written.
type Table struct {
	Header []string
	Rows   [][]string
	// Gap is the number of spaces between columns; docker's tables have three.
	Gap int
	// Narrowest is how wide a column is at least, with its gap; but for the last one.
	Narrowest int
}

// Write writes the table. The last column is not filled up.
func (t Table) Write(w io.Writer) error {
	widths := make([]int, len(t.Header))
	rows := append([][]string{t.Header}, t.Rows...)
	for _, row := range rows {
		for i := range row {
			row[i] = harmless(row[i])
			widths[i] = max(widths[i], runewidth.StringWidth(row[i]))
		}
	}
	for i := range widths {
		widths[i] = max(widths[i], t.Narrowest-t.Gap)
	}
	gap := strings.Repeat(" ", t.Gap)
	for _, row := range rows {
		cells := make([]string, len(row))
		for i, cell := range row {
			cells[i] = cell
			if i < len(row)-1 {
				cells[i] = pad(cell, widths[i])
			}
		}
		if _, err := fmt.Fprintln(w, strings.Join(cells, gap)); err != nil {
			return err
		}
	}
	return nil
}
