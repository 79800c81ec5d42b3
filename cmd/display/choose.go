package display

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Mode is how progress is shown.
type Mode string

// Modes of progress, by the names that --progress and COMPOSE_PROGRESS take.
const (
	Auto  Mode = "auto"
	TTY   Mode = "tty"
	Plain Mode = "plain"
	JSON  Mode = "json"
	Quiet Mode = "quiet"
)

// Choice is what the user said about looks.
type Choice struct {
	Progress string // --progress or COMPOSE_PROGRESS; empty means auto
	Ansi     string // --ansi or COMPOSE_ANSI: auto, never, always; empty means auto
	NoColor  bool   // NO_COLOR is set and not empty
}

// Looks are how output looks.
type Looks struct {
	Mode Mode
	// ColorOut and ColorErr say whether the streams take colours.
	ColorOut, ColorErr bool
}

// Choose decides how output looks on the given streams, by docker compose's rules and with its words for what contradicts
// itself.
func Choose(choice Choice, streams Streams) (Looks, error) {
	mode, ansi, err := check(Mode(choice.Progress), choice.Ansi)
	if err != nil {
		return Looks{}, err
	}
	if choice.NoColor && ansi != always {
		ansi = never
	}
	looks := Looks{Mode: mode, ColorOut: colored(ansi, streams.OutTerminal), ColorErr: colored(ansi, streams.ErrTerminal)}
	if mode == Auto {
		looks.Mode = Plain
		if looks.ColorErr {
			looks.Mode = TTY
		}
	}
	return looks, nil
}

// Values of --ansi beside auto.
const (
	never  = "never"
	always = "always"
)

func colored(ansi string, terminal bool) bool { return ansi == always || ansi != never && terminal }

// check refuses what is no value of --progress and --ansi, and what contradicts itself.
func check(mode Mode, ansi string) (Mode, string, error) {
	switch mode {
	case "":
		mode = Auto
	case "none":
		mode = Quiet
	case Auto, TTY, Plain, JSON, Quiet:
	default:
		return "", "", fmt.Errorf("unsupported --progress value %q", string(mode))
	}
	switch ansi {
	case "", string(Auto), never, always:
	default:
		return "", "", fmt.Errorf("unsupported --ansi value %q: use never, always or auto", ansi)
	}
	switch {
	case mode == TTY && ansi == never:
		return "", "", errors.New("can't use --progress tty while ANSI support is disabled")
	case mode == Plain && ansi == always:
		return "", "", errors.New("can't use --progress plain while ANSI support is forced")
	}
	return mode, ansi, nil
}

// harmless makes text of others fit to be printed between our own: control characters and terminal escapes become visible
// text, those of a terminal that reads single bytes too, and it stays on its line.
func harmless(text string) string {
	if strings.IndexFunc(text, isControl) < 0 && utf8.ValidString(text) {
		return text
	}
	var b strings.Builder
	for size := 0; text != ""; text = text[size:] {
		var r rune
		switch r, size = utf8.DecodeRuneInString(text); {
		case r == utf8.RuneError && size == 1 && isControl(rune(text[0])):
			fmt.Fprintf(&b, `\x%02x`, text[0])
		case isControl(r):
			quoted := strconv.QuoteRune(r)
			b.WriteString(quoted[1 : len(quoted)-1])
		default:
			b.WriteString(text[:size])
		}
	}
	return b.String()
}

// isControl covers C0, DEL, C1 and the marks that turn the direction of text.
func isControl(r rune) bool {
	return r < ' ' || r >= 0x7f && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069
}
