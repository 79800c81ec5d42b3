package buildkit

import (
	"bytes"
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/tonistiigi/fsutil"
	"golang.org/x/sync/errgroup"
)

// sharing lets builds that are under way at once, and read the same context, share a session: BuildKit then takes what several of
// them ask for only once. The zero value is ready.
type sharing struct {
	mutex sync.Mutex
	open  map[string][]*sharedSession // by what cannot differ
}

// sharedSession is a session and what can be asked for in it. It lives from the first build that uses it to the last.
type sharedSession struct {
	*session
	offers *offers
	users  int // under the mutex of sharing
	key    string
	group  *errgroup.Group
	ctx    context.Context //nolint:containedctx // it ends with the connection, which every build has to hear of
	cancel context.CancelFunc
}

// join is the session for a build: one that is there, if nothing that the build offers is something else in it and it has the same
// secrets, else a new one. Whoever joined leaves.
func (s *sharing) join(
	ctx context.Context, dial Dial, key string, wanted *offers, start func(*offers) *session,
) *sharedSession {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	for _, one := range s.open[key] {
		if one.ctx.Err() == nil && one.offers.add(wanted) {
			one.users++
			return one
		}
	}
	if s.open == nil {
		s.open = map[string][]*sharedSession{}
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	group, ctx := errgroup.WithContext(ctx)
	joined := &sharedSession{session: start(wanted), offers: wanted, users: 1, key: key, group: group, ctx: ctx, cancel: cancel}
	group.Go(func() error { return joined.run(ctx, dial) })
	s.open[key] = append(s.open[key], joined)
	return joined
}

// leave ends the session after its last build.
func (s *sharing) leave(one *sharedSession) {
	s.mutex.Lock()
	one.users--
	last := one.users == 0
	if last {
		s.open[one.key] = slices.DeleteFunc(s.open[one.key], func(other *sharedSession) bool { return other == one })
		if len(s.open[one.key]) == 0 {
			delete(s.open, one.key)
		}
	}
	s.mutex.Unlock()
	if last {
		one.cancel()
		one.close()
		_ = one.group.Wait() // every build has heard of it
	}
}

// watch returns why the connection ended before the build did.
func (s *sharedSession) watch(ctx context.Context) error {
	select {
	case <-s.ctx.Done():
		return context.Cause(s.ctx)
	case <-ctx.Done():
		return nil
	}
}

// offers are what BuildKit may ask for in a session: folders and secrets, by name; and what it may send. Safe for concurrent use.
type offers struct {
	mutex   sync.Mutex
	folders map[string]offered
	secrets map[string][]byte
	outputs map[string]*output // by the names of the images, [outputName]
}

// offered is a folder, and what it is one of: two with the same identity have the same files.
type offered struct {
	fsutil.FS
	identity string
}

// add takes over what others offer, unless something else is offered here under one of their names, or the secrets are not the same:
// BuildKit asks for whatever a Dockerfile names, and a build finds no secret but its own.
func (o *offers) add(others *offers) bool {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	if !maps.EqualFunc(o.secrets, others.secrets, bytes.Equal) {
		return false
	}
	for name, folder := range others.folders {
		if here, taken := o.folders[name]; taken && here.identity != folder.identity {
			return false
		}
	}
	for name := range others.outputs {
		if _, taken := o.outputs[name]; taken {
			return false
		}
	}
	maps.Copy(o.folders, others.folders)
	if o.outputs == nil {
		o.outputs = map[string]*output{}
	}
	maps.Copy(o.outputs, others.outputs)
	return true
}

func (o *offers) output(name string) (*output, bool) {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	found, ok := o.outputs[name]
	return found, ok
}

// LookupDir implements filesync.DirSource.
func (o *offers) LookupDir(name string) (fsutil.FS, bool) {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	found, ok := o.folders[name]
	return found.FS, ok
}

func (o *offers) secret(id string) ([]byte, bool) {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	content, ok := o.secrets[id]
	return content, ok
}
