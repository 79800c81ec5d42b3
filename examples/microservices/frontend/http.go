package main

import (
	"bytes"
	_ "embed"
	"html/template"
	"log/slog"
	"net/http"

	"github.com/muster-dev/muster/examples/microservices/internal/job"
)

//go:embed page.html
var pageSource string

// page is what the template shows.
type page struct {
	look
	Jobs  []job.Job
	Error string
}

func newHandler(api apiClient, l look, log *slog.Logger) http.Handler {
	pages := template.Must(template.New("page").Parse(pageSource))
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		jobs, err := api.jobs(r.Context())
		if err != nil {
			log.Error("no jobs to show", "error", err.Error())
			write(w, pages, http.StatusBadGateway, page{look: l, Error: "The API does not answer."})
			return
		}
		write(w, pages, http.StatusOK, page{look: l, Jobs: jobs})
	})
	mux.HandleFunc("POST /{$}", func(w http.ResponseWriter, r *http.Request) {
		if err := api.submit(r.Context(), r.FormValue("text")); err != nil {
			log.Error("job not taken", "error", err.Error())
			write(w, pages, http.StatusBadGateway, page{look: l, Error: "The job was not taken."})
			return
		}
		http.Redirect(w, r, "/", http.StatusSeeOther)
	})
	return mux
}

// write renders the page whole before it answers, so that a broken page is an error and not half a page.
func write(w http.ResponseWriter, pages *template.Template, status int, p page) {
	var body bytes.Buffer
	if err := pages.Execute(&body, p); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = body.WriteTo(w) // a client that has gone away is not our error
}
