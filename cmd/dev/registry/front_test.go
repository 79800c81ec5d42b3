package registry

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	blobURL     = "/v2/shop/web/blobs/sha256:00ff"
	manifestURL = "/v2/shop/web/manifests/1"
)

// content is what the registry behind the front answers to everything.
func content() []byte { return bytes.Repeat([]byte("0123456789abcdef"), 4<<10) }

// roundTrip is a registry without a network.
type roundTrip func(*http.Request) (*http.Response, error)

func (r roundTrip) RoundTrip(request *http.Request) (*http.Response, error) { return r(request) }

// startFront starts a front before a registry that has the content.
func startFront(t *testing.T, faults Faults) *Registry {
	t.Helper()
	backend := roundTrip(func(request *http.Request) (*http.Response, error) {
		return &http.Response{
			StatusCode: http.StatusOK, ProtoMajor: 1, ProtoMinor: 1, Request: request, Header: http.Header{},
			Body: io.NopCloser(bytes.NewReader(content())), ContentLength: int64(len(content())),
		}, nil
	})
	f, err := newFront(t.Context(), backend, faults)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.close(); err != nil {
			t.Error(err)
		}
	})
	return &Registry{front: f}
}

// get fetches a path over a connection of its own.
func get(ctx context.Context, r *Registry, path string) (status int, body []byte, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+r.Address()+path, http.NoBody)
	if err != nil {
		return 0, nil, err
	}
	transport := &http.Transport{DisableKeepAlives: true}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	body, err = io.ReadAll(response.Body)
	return response.StatusCode, body, err
}

func TestFrontPassesOn(t *testing.T) {
	t.Parallel()
	r := startFront(t, Faults{})
	for _, path := range []string{blobURL, manifestURL} {
		if status, body, err := get(t.Context(), r, path); status != http.StatusOK || !bytes.Equal(body, content()) || err != nil {
			t.Errorf("%s: %d, %d bytes, %v", path, status, len(body), err)
		}
	}
	if got := r.Requests(); !slices.Equal(got, []string{"GET " + blobURL, "GET " + manifestURL}) {
		t.Errorf("requests: %q", got)
	}
}

func TestFrontRefuses(t *testing.T) {
	t.Parallel()
	r := startFront(t, Faults{Status: http.StatusUnauthorized})
	for _, want := range []int{http.StatusUnauthorized, http.StatusForbidden, http.StatusTooManyRequests, http.StatusServiceUnavailable} {
		r.SetFaults(Faults{Status: want})
		if status, body, err := get(t.Context(), r, manifestURL); status != want || !bytes.HasPrefix(body, []byte(`{"errors":[{"code":`)) || err != nil {
			t.Errorf("%d: %s, %v; want %d", status, body, err, want)
		}
	}
}

func TestFrontBreaksOff(t *testing.T) {
	t.Parallel()
	const after = piece + 100
	r := startFront(t, Faults{BreakAfter: after, Breaks: 2})
	for range 2 {
		if _, body, err := get(t.Context(), r, blobURL); !errors.Is(err, io.ErrUnexpectedEOF) || len(body) > after {
			t.Errorf("%d bytes, %v; want at most %d and an end in the middle", len(body), err, after)
		}
		if _, body, err := get(t.Context(), r, manifestURL); len(body) != len(content()) || err != nil {
			t.Errorf("what is no blob: %d bytes, %v", len(body), err)
		}
	}
	if _, body, err := get(t.Context(), r, blobURL); len(body) != len(content()) || err != nil {
		t.Errorf("after the last break: %d bytes, %v", len(body), err)
	}
}

func TestFrontHolds(t *testing.T) {
	t.Parallel()
	r := startFront(t, Faults{HoldAfter: 1000})
	ctx, giveUp := context.WithCancel(t.Context())
	fetch := func(ctx context.Context) *errgroup.Group {
		var fetching errgroup.Group
		fetching.Go(func() error {
			_, body, err := get(ctx, r, blobURL)
			if err == nil && len(body) != len(content()) {
				err = io.ErrShortWrite
			}
			return err
		})
		return &fetching
	}
	t.Run("until the client goes", func(t *testing.T) {
		fetching := fetch(ctx)
		if path, err := r.AwaitHeld(t.Context()); path != blobURL || err != nil {
			t.Fatalf("held %q, %v", path, err)
		}
		giveUp()
		if err := fetching.Wait(); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
	t.Run("until it is let go", func(t *testing.T) {
		fetching := fetch(t.Context())
		if _, err := r.AwaitHeld(t.Context()); err != nil {
			t.Fatal(err)
		}
		r.SetFaults(Faults{})
		if err := fetching.Wait(); err != nil {
			t.Error(err)
		}
	})
}

func TestFrontIsSlow(t *testing.T) {
	t.Parallel()
	started := time.Now()
	r := startFront(t, Faults{BytesPerSecond: 5 * len(content())})
	_, body, err := get(t.Context(), r, blobURL)
	// The first piece is free.
	if took, least := time.Since(started), time.Second*15/16/5; took < least || len(body) != len(content()) || err != nil {
		t.Errorf("%d bytes in %v, %v; want at least %v", len(body), took, err, least)
	}
}

func TestFrontIsDown(t *testing.T) {
	t.Parallel()
	r := startFront(t, Faults{})
	address := r.Address()
	for range 2 { // twice is no harm
		if err := r.Down(); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := get(t.Context(), r, manifestURL); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("while it is down: %v", err)
	}
	if err := r.Up(t.Context()); err != nil || r.Address() != address {
		t.Fatalf("up at %s, %v; was %s", r.Address(), err, address)
	}
	if status, _, err := get(t.Context(), r, manifestURL); status != http.StatusOK || err != nil {
		t.Errorf("after it was down: %d, %v", status, err)
	}
}
