package display

import (
	"fmt"
	"testing"
)

func TestChoose(t *testing.T) {
	t.Parallel()
	terminal, _, _ := buffers(80, 24)
	pipe, _, _ := buffers(0, 0)
	mixed := pipe
	mixed.ErrTerminal = true
	for _, test := range []struct {
		name    string
		choice  Choice
		streams Streams
		want    string
	}{
		{"a terminal", Choice{}, terminal, "{tty true true} <nil>"},
		{"a pipe", Choice{}, pipe, "{plain false false} <nil>"},
		{"out is a pipe, err a terminal", Choice{}, mixed, "{tty false true} <nil>"},
		{"no colours, still live", Choice{NoColor: true}, terminal, "{plain false false} <nil>"},
		{"never", Choice{Ansi: "never"}, terminal, "{plain false false} <nil>"},
		{"always", Choice{Ansi: "always"}, pipe, "{tty true true} <nil>"},
		{"NO_COLOR gives way to always", Choice{Ansi: "always", NoColor: true}, pipe, "{tty true true} <nil>"},
		{"none is quiet", Choice{Progress: "none"}, terminal, "{quiet true true} <nil>"},
		{"json", Choice{Progress: "json"}, terminal, "{json true true} <nil>"},
		{"plain on a terminal keeps colours", Choice{Progress: "plain"}, terminal, "{plain true true} <nil>"},
		{"unknown", Choice{Progress: "x"}, terminal, `{ false false} unsupported --progress value "x"`},
		{
			"tty without ansi",
			Choice{Progress: "tty", Ansi: "never"},
			terminal,
			"{ false false} can't use --progress tty while ANSI support is disabled",
		},
		{
			"plain with ansi forced",
			Choice{Progress: "plain", Ansi: "always"},
			terminal,
			"{ false false} can't use --progress plain while ANSI support is forced",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			looks, err := Choose(test.choice, test.streams)
			if got := fmt.Sprint(looks, " ", err); got != test.want {
				t.Errorf("%s, want %s", got, test.want)
			}
		})
	}
}

func TestHarmless(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"web":                    "web",
		"ünïcode ✔":              "ünïcode ✔",
		"\x1b[31mred\x1b[0m":     `\x1b[31mred\x1b[0m`,
		"\x1b]0;title\x07":       `\x1b]0;title\a`,
		"two\nlines\r":           `two\nlines\r`,
		"c1 \u009b2J":            `c1 \u009b2J`,
		"right \u202eto left":    `right \u202eto left`,
		"invalid \xff is a mark": "invalid \xff is a mark",
		"one byte \x9b31m of c1": `one byte \x9b31m of c1`,
	} {
		if got := harmless(text); got != want {
			t.Errorf("harmless(%q) = %q, want %q", text, got, want)
		}
	}
}
