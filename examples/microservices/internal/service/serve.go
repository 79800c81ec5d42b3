package service

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"
)

// grace is how long requests may still run after the program was asked to stop. It is below the 10 seconds that an engine
// waits before it kills.
const grace = 5 * time.Second

// serve answers on the listener and does the program's work until the context ends or one of the two fails.
func serve(ctx context.Context, listener net.Listener, parts Parts, log *slog.Logger) error {
	const slowestHeader = 5 * time.Second
	server := &http.Server{Handler: handler(parts, log), ReadHeaderTimeout: slowestHeader}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve: %w", err)
		}
		return nil
	})
	group.Go(func() error {
		<-ctx.Done()
		log.Info("stopping")
		deadline, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
		defer cancel()
		if err := server.Shutdown(deadline); err != nil {
			return fmt.Errorf("wait for open requests: %w", err)
		}
		return nil
	})
	if parts.Work != nil {
		group.Go(func() error { return parts.Work(ctx) })
	}
	return group.Wait()
}

func handler(parts Parts, log *slog.Logger) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET "+healthPath, healthHandler(parts.Ready))
	if parts.Handler != nil {
		mux.Handle("/", logged(parts.Handler, log))
	}
	return mux
}

// logged writes one line per request. Health checks do not come through here: they would drown the rest.
func logged(next http.Handler, log *slog.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		started := time.Now()
		recorder := &statusRecorder{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(recorder, r)
		log.Info("request", "method", r.Method, "path", r.URL.Path, "status", recorder.status,
			"ms", time.Since(started).Milliseconds())
	})
}

type statusRecorder struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements [http.ResponseWriter].
func (s *statusRecorder) WriteHeader(status int) {
	s.status = status
	s.ResponseWriter.WriteHeader(status)
}
