package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

func TestGetPage(t *testing.T) {
	t.Parallel()
	var calls atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/away":
			w.WriteHeader(http.StatusBadGateway)
		case r.Method == http.MethodPost:
			http.Redirect(w, r, "/?got="+r.FormValue("text"), http.StatusSeeOther)
		default:
			fmt.Fprintf(w, "call %d\n", calls.Add(1))
		}
	}))
	defer server.Close()
	for _, test := range []struct {
		args []string
		out  string
		err  string
	}{
		{[]string{server.URL}, "call 1\n", ""},
		{[]string{"--form", "text=hello", "--expect", "call 3", server.URL}, "call 3\n", ""},
		{[]string{server.URL + "/away"}, "", "502 Bad Gateway"},
		{[]string{"--expect", "never", "--within", "10ms", server.URL}, "", `never had the text "never"`},
		{[]string{"http://127.0.0.1:1"}, "", "fetch page"},
		{nil, "", "usage"},
	} {
		var out strings.Builder
		err := getPage(t.Context(), tool{out: &out, err: &out}, test.args)
		if test.err == "" && err != nil || test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)) {
			t.Errorf("get %q = %v, want %q", test.args, err, test.err)
		}
		if out.String() != test.out {
			t.Errorf("get %q printed %q, want %q", test.args, out.String(), test.out)
		}
	}
}
