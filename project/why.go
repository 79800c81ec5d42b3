package project

import (
	"encoding/json"
	"errors"
	"fmt"
)

// Why is what [LabelWhy] holds: why a container was made, so that it is known for as long as the container lives. Values that are
// secret, or may be, must have been left out: labels are read by many, and come with every event.
type Why struct {
	Version int `json:"v"`
	// Kind is "create" or "replace".
	Kind string `json:"kind"`
	// Was is the beginning of the ID of the container that it replaced.
	Was     string      `json:"was,omitempty"`
	Reasons []WhyReason `json:"reasons,omitempty"`
	// More counts the reasons that were too many or too long for a label.
	More int `json:"more,omitempty"`
}

// WhyReason is a field that differed, or words.
type WhyReason struct {
	Path    string `json:"path,omitempty"`
	Old     string `json:"old,omitempty"`
	New     string `json:"new,omitempty"`
	Added   bool   `json:"added,omitempty"`
	Removed bool   `json:"removed,omitempty"`
	// Untold says that the values were left out.
	Untold bool   `json:"untold,omitempty"`
	Text   string `json:"text,omitempty"`
}

const (
	whyVersion = 1
	// maxWhy bounds the label that is written, and maxWhyRead what is read: labels can be anybody's.
	maxWhy     = 4 << 10
	maxWhyRead = 64 << 10
)

// Label is the reasons as [LabelWhy] has them: at most 4 KB, with the first reasons in full.
func (w Why) Label() string {
	w.Version = whyVersion
	for {
		text, err := json.Marshal(w)
		if err != nil {
			return "" // of plain texts: it cannot be
		}
		if len(text) <= maxWhy || len(w.Reasons) == 0 {
			return string(text)
		}
		last := len(w.Reasons) - 1
		w.Reasons, w.More = w.Reasons[:last:last], w.More+1
	}
}

// ErrNoWhy says that a container does not tell why it was made: it is docker compose's, or of a Muster that did not note it, or of a
// newer one.
var ErrNoWhy = errors.New("not noted")

// ParseWhyLabel reads [LabelWhy] back. The error matches [ErrNoWhy].
func ParseWhyLabel(value string) (Why, error) {
	if value == "" || len(value) > maxWhyRead {
		return Why{}, ErrNoWhy
	}
	var why Why
	if err := json.Unmarshal([]byte(value), &why); err != nil {
		return Why{}, fmt.Errorf("%w: %w", ErrNoWhy, err)
	}
	if why.Version != whyVersion {
		return Why{}, fmt.Errorf("%w: version %d", ErrNoWhy, why.Version)
	}
	return why, nil
}
