package buildkit

import (
	"context"
	"errors"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
)

// TestSharing joins and leaves sessions: those of builds that offer nothing else under a name are one.
func TestSharing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		t.Helper()
		var s sharing
		started := 0
		dial := func(context.Context, string, http.Header) (net.Conn, error) { //nolint:unparam // a Dial
			here, there := net.Pipe()
			context.AfterFunc(t.Context(), func() { _ = there.Close() })
			return here, nil
		}
		join := func(key string, given *offers) *sharedSession {
			return s.join(t.Context(), dial, key, given, func(*offers) *session {
				started++
				return newSession(key, nil)
			})
		}
		offer := func(identity, secret string) *offers {
			return &offers{
				folders: map[string]offered{contextName: {identity: "/shop"}, identity: {identity: identity}},
				secrets: map[string][]byte{"token": []byte(secret)},
			}
		}
		web, api := join("shop", offer("web", "a")), join("shop", offer("api", "a"))
		if web != api || started != 1 {
			t.Fatalf("two builds of one context: %d sessions", started)
		}
		if _, ok := web.offers.LookupDir("api"); !ok {
			t.Error("what the second one offers is not there")
		}
		otherSecret, otherKey := join("shop", offer("web", "b")), join("elsewhere", offer("web", "a"))
		if started != 3 {
			t.Errorf("builds with another secret, and of another context: %d sessions, want 3", started)
		}
		// BuildKit asks in a session for whatever a Dockerfile names: one that was given no secret must not find another's.
		without := join("shop", &offers{folders: map[string]offered{contextName: {identity: "/shop"}}})
		if _, leaked := without.offers.secret("token"); leaked {
			t.Error("a build that was given no secret finds that of another one")
		}
		more := offer("web", "a")
		more.secrets["own"] = []byte("c")
		withMore := join("shop", more)
		if _, leaked := web.offers.secret("own"); leaked {
			t.Error("a build finds a secret that only a later one was given")
		}
		s.leave(web)
		if again := join("shop", offer("web", "a")); again != web {
			t.Error("a session that is in use was not found")
		} else {
			s.leave(again)
		}
		s.leave(api)
		if later := join("shop", offer("web", "a")); later == web {
			t.Error("a session that has ended was joined")
		} else {
			s.leave(later)
		}
		for _, one := range []*sharedSession{otherSecret, otherKey, without, withMore} {
			s.leave(one)
		}
		if len(s.open) != 0 {
			t.Errorf("sessions are left: %v", s.open)
		}
	})
}

// TestSharingLost has a connection that cannot be made: every build of the session hears of it, and no other joins.
func TestSharingLost(t *testing.T) {
	t.Parallel()
	var s sharing
	lost := errors.New("lost")
	dial := func(context.Context, string, http.Header) (net.Conn, error) { return nil, lost }
	start := func(*offers) *session { return newSession("key", nil) }
	first := s.join(t.Context(), dial, "key", &offers{}, start)
	if err := first.watch(t.Context()); !errors.Is(err, lost) {
		t.Errorf("the build hears %v", err)
	}
	second := s.join(t.Context(), dial, "key", &offers{}, start)
	if second == first {
		t.Error("a session without a connection was joined")
	}
	s.leave(first)
	s.leave(second)
}
