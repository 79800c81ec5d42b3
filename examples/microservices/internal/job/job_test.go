package job

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestCount(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Result{
		"":                           {},
		"one":                        {Words: 1, Letters: 3, Longest: "one"},
		"Grüße, schöne Welt!":        {Words: 3, Letters: 15, Longest: "schöne"},
		" the  same\nlong word long": {Words: 5, Letters: 19, Longest: "same"},
	} {
		if got := Count(text); got != want {
			t.Errorf("Count(%q) = %+v, want %+v", text, got, want)
		}
	}
}

func TestStoreSaysWhatWentWrong(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "disk full", http.StatusInternalServerError)
	}))
	defer server.Close()
	err := Store{URL: server.URL, Client: server.Client()}.Put(t.Context(), "key", "value")
	const want = "ask store: 500 Internal Server Error: disk full"
	if err == nil || strings.TrimSpace(err.Error()) != want {
		t.Errorf("Put = %v, want %s", err, want)
	}
}
