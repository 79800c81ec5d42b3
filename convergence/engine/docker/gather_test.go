//go:build unix

package docker

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
)

// pair is both ends of a connection over a socket: an engine's, and one that is gathered.
func pair(t *testing.T, released func()) (far, near net.Conn) {
	t.Helper()
	listener, err := net.Listen("unix", filepath.Join(t.TempDir(), "s")) //nolint:noctx // it is here at once
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	conn, err := net.Dial("unix", listener.Addr().String()) //nolint:noctx // likewise
	if err != nil {
		t.Fatal(err)
	}
	if far, err = listener.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = far.Close() })
	if near, err = gather(conn.(*net.UnixConn), released); err != nil {
		t.Fatal(err)
	}
	return far, near
}

func TestGatherReadsAll(t *testing.T) {
	far, near := pair(t, func() {})
	line := bytes.Repeat([]byte("x"), 130)
	const lines = 3000
	var writing errgroup.Group
	writing.Go(func() error {
		for range lines {
			if _, err := far.Write(line); err != nil {
				return err
			}
		}
		return far.Close()
	})
	got, err := io.ReadAll(near)
	if err := errors.Join(err, writing.Wait(), near.Close()); err != nil {
		t.Fatal(err)
	}
	if want := bytes.Repeat(line, lines); !bytes.Equal(got, want) {
		t.Errorf("%d bytes, want %d", len(got), len(want))
	}
}

// A caller that gives up closes the connection while it is read.
func TestGatherCloseWakesReader(t *testing.T) {
	ends := 0
	far, near := pair(t, func() { ends++ })
	if _, err := far.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if _, err := near.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	var reading errgroup.Group
	reading.Go(func() error {
		_, err := near.Read(make([]byte, 1))
		return err
	})
	if err := errors.Join(near.Close(), near.Close()); err != nil {
		t.Error(err)
	}
	if err := reading.Wait(); err == nil {
		t.Error("nothing came, and the read has not failed")
	}
	if ends != 1 {
		t.Errorf("released %d times", ends)
	}
}

// More long answers than slots are read as all others, at once.
func TestGatherMoreThanSlots(t *testing.T) {
	listener, err := net.Listen("unix", filepath.Join(t.TempDir(), "s")) //nolint:noctx // it is here at once
	if err != nil {
		t.Fatal(err)
	}
	all := make(chan struct{})
	arrived := make(chan struct{}, 2*gatheredAtOnce)
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		arrived <- struct{}{}
		<-all
		_, _ = io.WriteString(w, "said")
	})}
	var group errgroup.Group
	group.Go(func() error { return server.Serve(listener) })
	usual := &http.Transport{DialContext: (&net.Dialer{}).DialContext}
	dial := usual.DialContext
	usual.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
		return dial(ctx, "unix", listener.Addr().String())
	}
	client := http.Client{Transport: newByLength(usual)}
	var calls errgroup.Group
	for range 2 * gatheredAtOnce {
		calls.Go(func() error {
			request, err := http.NewRequestWithContext(gathered(t.Context()), http.MethodGet, "http://engine/", http.NoBody)
			if err != nil {
				return err
			}
			response, err := client.Do(request)
			if err != nil {
				return err
			}
			said, err := io.ReadAll(response.Body)
			if err == nil && string(said) != "said" {
				err = errors.New(string(said))
			}
			return errors.Join(err, response.Body.Close())
		})
	}
	for range 2 * gatheredAtOnce {
		<-arrived
	}
	close(all)
	if err := errors.Join(calls.Wait(), server.Close()); err != nil {
		t.Error(err)
	}
	if err := group.Wait(); !errors.Is(err, http.ErrServerClosed) {
		t.Error(err)
	}
}
