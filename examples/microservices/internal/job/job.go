// Package job is what the API, the worker and the store's client agree on: what a job is and where it is kept.
package job

import (
	"strings"
	"time"
	"unicode/utf8"
)

// Where jobs are in the store: each under its own key, and the IDs of those to be done in a queue.
const (
	KeyPrefix = "job:"
	Queue     = "jobs"
)

// Status is how far a job is.
type Status string

// The states of a job.
const (
	Waiting Status = "waiting"
	Done    Status = "done"
)

// Job is a text to be counted, and the counts once a worker has made them.
type Job struct {
	ID        string    `json:"id"`
	Text      string    `json:"text"`
	Status    Status    `json:"status"`
	Submitted time.Time `json:"submitted"`
	Result    *Result   `json:"result,omitempty"`
}

// Result is what a worker found out about a job's text.
type Result struct {
	Words   int    `json:"words"`
	Letters int    `json:"letters"`
	Longest string `json:"longest"`
	Worker  string `json:"worker"` // the host name of the one that did it
}

// Count does the job's work.
func Count(text string) Result {
	var result Result
	for word := range strings.FieldsSeq(text) {
		word = strings.Trim(word, ".,;:!?\"'()")
		result.Words++
		letters := utf8.RuneCountInString(word)
		result.Letters += letters
		if letters > utf8.RuneCountInString(result.Longest) {
			result.Longest = word
		}
	}
	return result
}
