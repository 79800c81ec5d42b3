package main

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const twoJobs = `[
	{"id": "1", "text": "<b>one</b> two", "status": "done", "result": {"words": 2, "longest": "three", "worker": "w-1"}},
	{"id": "2", "text": "later", "status": "waiting"}
]`

// newFrontend is the front end on an API that answers with a status and a body, and the last body that the API was sent.
func newFrontend(t *testing.T, status int, body string) (frontend http.Handler, sent func() string) {
	t.Helper()
	var last strings.Builder
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := r.Write(&last); err != nil {
			t.Error(err)
		}
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}))
	t.Cleanup(api.Close)
	handler := newHandler(apiClient{url: api.URL, client: api.Client()}, look{Title: "Counts"}, slog.New(slog.DiscardHandler))
	return handler, last.String
}

func TestPages(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		apiStatus int
		apiBody   string
		form      url.Values
		status    int
		want      []string
	}{
		"jobs":        {http.StatusOK, twoJobs, nil, http.StatusOK, []string{"<h1>Counts</h1>", "&lt;b&gt;one", "w-1", "<td>waiting</td>"}},
		"no jobs":     {http.StatusOK, "[]", nil, http.StatusOK, []string{"No jobs yet."}},
		"API fails":   {http.StatusBadGateway, "", nil, http.StatusBadGateway, []string{"The API does not answer."}},
		"API babbles": {http.StatusOK, "hello", nil, http.StatusBadGateway, []string{"The API does not answer."}},
		"job taken":   {http.StatusAccepted, "", url.Values{"text": {"a text"}}, http.StatusSeeOther, nil},
		"job refused": {http.StatusBadRequest, "", url.Values{}, http.StatusBadGateway, []string{"The job was not taken."}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			frontend, sent := newFrontend(t, test.apiStatus, test.apiBody)
			request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
			if test.form != nil {
				request = httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(test.form.Encode()))
				request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			}
			recorder := httptest.NewRecorder()
			frontend.ServeHTTP(recorder, request)
			if recorder.Code != test.status {
				t.Errorf("status = %d, want %d", recorder.Code, test.status)
			}
			for _, want := range test.want {
				if !strings.Contains(recorder.Body.String(), want) {
					t.Errorf("page lacks %q:\n%s", want, recorder.Body)
				}
			}
			if text := test.form.Get("text"); text != "" && !strings.Contains(sent(), `{"text":"`+text+`"}`) {
				t.Errorf("API was sent %s", sent())
			}
		})
	}
}

func TestReadLook(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "frontend.json")
	if _, err := readLook(path); err == nil || !strings.Contains(err.Error(), "read configuration") {
		t.Errorf("no file: %v", err)
	}
	if err := os.WriteFile(path, []byte(`{"title": "Shop", "refresh": 5}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := readLook(path); err != nil || got != (look{Title: "Shop", Refresh: 5}) {
		t.Errorf("readLook = %+v, %v", got, err)
	}
	if _, err := readLook("../config/frontend.json"); err != nil {
		t.Errorf("the example's own: %v", err)
	}
}
