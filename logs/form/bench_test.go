package form

import (
	"io"
	"regexp"
	"testing"
	"text/template"
	"time"

	"github.com/muster-dev/muster/logs"
	"github.com/muster-dev/muster/logs/record"
)

// BenchmarkForms is the way of a line from the followed to the writer, of two containers in turn.
func BenchmarkForms(b *testing.B) {
	object := `{"level":"warn","time":"2026-11-30T12:04:07Z","msg":"slow query","ms":412,"table":"orders","user":"ann"}`
	plain := "2026-11-30 12:04:07 WARN slow query of the table orders by the user ann took 412 ms in all, which is long"
	printer := logs.NewPrinter(logs.PrinterOptions{Stdout: io.Discard, Raw: true}).Print
	slow := []*regexp.Regexp{regexp.MustCompile("slow")}
	for _, test := range []struct {
		name, text string
		sink       Sink
	}{
		{"bare", plain, printer},
		{"grep", plain, NewFilter(Criteria{Grep: slow}, printer).Item},
		{"level", plain, NewFilter(Criteria{Level: record.Warn}, printer).Item},
		{"level of JSON", object, NewFilter(Criteria{Level: record.Warn}, printer).Item},
		{"gather", plain, NewGather(false, printer).Item},
		{"json", plain, NewJSON(io.Discard).Item},
		{"json of JSON", object, NewJSON(io.Discard).Item},
		{"pretty", object, Pretty(PrettyOptions{Place: time.UTC}, Split(printer))},
		{"highlight", plain, Highlight(slow, printer)},
		{"template", plain, Template(TemplateOptions{Template: template.Must(template.New("").Parse("{{.Name}} {{.Line}}")), Out: io.Discard, Raw: true})},
		{"last", plain, NewLast(20, OfContainer, printer).Item},
	} {
		b.Run(test.name, func(b *testing.B) {
			items := []logs.Item{line("web", 0, test.text), line("api", 0, test.text)}
			b.ReportAllocs()
			b.SetBytes(int64(len(test.text)))
			for i := range b.N {
				if err := test.sink(items[i%2]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
