package dag

import (
	"context"
	"errors"

	"golang.org/x/sync/errgroup"
)

// Walk says how to walk a graph. The zero value visits dependencies first, as many at once as can be.
type Walk[K comparable] struct {
	// Reverse visits dependents before what they depend on.
	Reverse bool
	// Limit bounds how many visits run at once; 0 means no bound.
	Limit int
	// Skipped is told of every vertex that is not visited because something before it failed, or because the context ended
	// before its turn came. It is called from one goroutine at a time, never while another call of it runs. nil is allowed.
	Skipped func(vertex K)
}

// ErrSkip is returned by a visit that has decided to do nothing: what depends on the vertex is skipped as after a failure, but
// it is none.
var ErrSkip = errors.New("skip")

// Run visits every vertex of the graph once, each as soon as all that comes before it is done, and returns when all visits
// have. visit is called from several goroutines at once.
//
// A visit that fails skips everything that depends on its vertex, directly or not; the rest is still visited. In a reverse walk
// everything that comes after a failed vertex is skipped, loose edges or not. The error joins
// the failures in the order of their vertices: roots only, since what was skipped is no failure. A graph with a cycle is not
// walked at all: the error is a [*CycleError]. When the context ends nothing new is visited; if that left anything out, its
// cause is the result, unless a visit failed for a reason of its own.
func (w Walk[K]) Run(ctx context.Context, g *Graph[K], visit func(context.Context, K) error) error {
	if _, err := g.Order(); err != nil {
		return err
	}
	run := walkRun[K]{
		walk: w, graph: g, before: g.deps, after: g.dependents,
		waiting: make(map[K]int, g.Len()), blocked: map[K]bool{}, failures: map[K]error{},
		done: make(chan visited[K]),
	}
	if w.Reverse {
		run.before, run.after = g.dependents, g.deps
	}
	return run.loop(ctx, visit)
}

type visited[K comparable] struct {
	vertex K
	err    error
}

// walkRun is one walk. Its fields belong to the goroutine of loop; visits only send on done.
type walkRun[K comparable] struct {
	walk          Walk[K]
	graph         *Graph[K]
	before, after map[K][]K
	waiting       map[K]int // how many of those before the vertex are not settled
	blocked       map[K]bool
	failures      map[K]error
	ready         []K
	running       int
	interrupted   bool // something was skipped because the context had ended
	done          chan visited[K]
}

func (r *walkRun[K]) loop(ctx context.Context, visit func(context.Context, K) error) error {
	for _, vertex := range r.graph.Vertices() {
		if r.waiting[vertex] = len(r.before[vertex]); r.waiting[vertex] == 0 {
			r.ready = append(r.ready, vertex)
		}
	}
	var visits errgroup.Group
	for {
		for vertex, ok := r.next(ctx); ok; vertex, ok = r.next(ctx) {
			r.running++
			visits.Go(func() error {
				r.done <- visited[K]{vertex, visit(ctx, vertex)}
				return nil
			})
		}
		if r.running == 0 {
			break
		}
		end := <-r.done
		r.running--
		if end.err != nil && !errors.Is(end.err, ErrSkip) {
			r.failures[end.vertex] = end.err
		}
		r.settle(end.vertex, end.err != nil)
	}
	_ = visits.Wait()
	return r.result(ctx)
}

// next takes a vertex that can be visited now, where there is one and the limit allows it. What is not to be visited is skipped.
func (r *walkRun[K]) next(ctx context.Context) (vertex K, ok bool) {
	for len(r.ready) > 0 && (r.walk.Limit <= 0 || r.running < r.walk.Limit) {
		vertex, r.ready = r.ready[0], r.ready[1:]
		if !r.blocked[vertex] && ctx.Err() == nil {
			return vertex, true
		}
		r.interrupted = r.interrupted || !r.blocked[vertex]
		r.skip(vertex)
	}
	return vertex, false
}

func (r *walkRun[K]) skip(vertex K) {
	if r.walk.Skipped != nil {
		r.walk.Skipped(vertex)
	}
	r.settle(vertex, true)
}

// settle frees, or blocks, what comes after the vertex.
func (r *walkRun[K]) settle(vertex K, block bool) {
	for _, next := range r.after[vertex] {
		if block && !r.graph.IsLoose(next, vertex) {
			r.blocked[next] = true
		}
		if r.waiting[next]--; r.waiting[next] == 0 {
			r.ready = append(r.ready, next)
		}
	}
}

func (r *walkRun[K]) result(ctx context.Context) error {
	var failures []error
	for _, vertex := range r.graph.Vertices() {
		err, failed := r.failures[vertex]
		switch {
		case !failed:
		case ctx.Err() != nil && errors.Is(err, ctx.Err()):
			r.interrupted = true
		default:
			failures = append(failures, err)
		}
	}
	if r.interrupted && len(failures) == 0 {
		return context.Cause(ctx)
	}
	return errors.Join(failures...)
}
