package testbox

import (
	"io"
	"net/http"
)

// handler is what -serve answers. It is called from many goroutines.
type handler struct {
	env   map[string]string
	files Files
}

func (h handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/":
		message := h.env["APP_MESSAGE"]
		if message == "" {
			message = h.env["HOSTNAME"]
		}
		_, _ = io.WriteString(w, message+"\n")
	case "/health":
		health, err := h.files.ReadFile(HealthFile)
		if err != nil || string(health) != Healthy {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		_, _ = io.WriteString(w, string(health)+"\n")
	default:
		http.NotFound(w, r)
	}
}
