package dag_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/muster-dev/muster/graph/dag"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// parse reads "b>a c~a d": b depends on a, c follows a, d is alone.
func parse(text string) *dag.Graph[string] {
	g := dag.New(cmp.Compare[string])
	for word := range strings.FieldsSeq(text) {
		if vertex, after, ok := strings.Cut(word, "~"); ok {
			g.Follow(vertex, after)
		} else if vertex, dep, ok := strings.Cut(word, ">"); ok {
			g.Connect(vertex, dep)
		} else {
			g.Add(word)
		}
	}
	return g
}

func TestOrder(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, graph, want, cycle string }{
		{name: "empty", graph: "", want: ""},
		{name: "unconnected vertices sort by name", graph: "b a c", want: "a b c"},
		{name: "dependencies come first", graph: "a>c b>c", want: "c a b"},
		{name: "the smallest that can come next does", graph: "a>z b", want: "b z a"},
		{name: "diamond", graph: "top>left top>right left>base right>base", want: "base left right top"},
		{name: "an edge said twice", graph: "b>a b>a", want: "a b"},
		{name: "self", graph: "a>a", cycle: "dependency cycle: a -> a"},
		{name: "the path begins at the smallest", graph: "c>a a>b b>c x>a", cycle: "dependency cycle: a -> b -> c -> a"},
		{name: "what only leads to a cycle is not in it", graph: "0>m m>n n>m", cycle: "dependency cycle: m -> n -> m"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			order, err := parse(test.graph).Order()
			if got := strings.Join(order, " "); got != test.want {
				t.Errorf("order %q, want %q", got, test.want)
			}
			if got := fmt.Sprint(err); err != nil && got != test.cycle || err == nil && test.cycle != "" {
				t.Errorf("error %v, want %q", err, test.cycle)
			}
			var cycle *dag.CycleError[string]
			if test.cycle != "" && !errors.As(err, &cycle) {
				t.Errorf("error is a %T, want a CycleError", err)
			}
		})
	}
}

func TestClosure(t *testing.T) {
	t.Parallel()
	g := parse("web>api api>db api>cache mail>cache")
	for _, test := range []struct{ from, want string }{
		{"db", "db"}, {"web", "api cache db web"}, {"mail db", "cache db mail"}, {"nobody", ""},
	} {
		if got := strings.Join(g.Closure(strings.Fields(test.from)...), " "); got != test.want {
			t.Errorf("closure of %q: %q, want %q", test.from, got, test.want)
		}
	}
}

// randomGraph has edges only from later to earlier vertices, so it is acyclic.
func randomGraph(random *rand.Rand, vertices int) *dag.Graph[int] {
	g := dag.New(cmp.Compare[int])
	for vertex := range vertices {
		g.Add(vertex)
		for dep := range vertex {
			if random.IntN(6) == 0 {
				g.Connect(vertex, dep)
			}
		}
	}
	return g
}

func TestWalkVisitsEachOnceAndInOrder(t *testing.T) {
	t.Parallel()
	for seed := range uint64(60) {
		random := rand.New(rand.NewPCG(seed, 1))
		g := randomGraph(random, 1+random.IntN(30))
		walk := dag.Walk[int]{Reverse: seed%2 == 1, Limit: int(seed % 4)}
		var (
			mutex            sync.Mutex
			order            []int
			running, highest int
		)
		err := walk.Run(t.Context(), g, func(_ context.Context, vertex int) error {
			mutex.Lock()
			running++
			highest = max(highest, running)
			mutex.Unlock()
			mutex.Lock()
			defer mutex.Unlock()
			running--
			order = append(order, vertex)
			return nil
		})
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if walk.Limit > 0 && highest > walk.Limit {
			t.Errorf("seed %d: %d visits at once, limit %d", seed, highest, walk.Limit)
		}
		checkOrder(t, seed, g, order, walk.Reverse)
	}
}

func checkOrder(t *testing.T, seed uint64, g *dag.Graph[int], order []int, reverse bool) {
	t.Helper()
	at := map[int]int{}
	for i, vertex := range order {
		at[vertex] = i
	}
	if len(order) != g.Len() || len(at) != g.Len() {
		t.Fatalf("seed %d: %d visits of %d vertices, %d in the graph", seed, len(order), len(at), g.Len())
	}
	for _, vertex := range g.Vertices() {
		for _, dep := range g.Deps(vertex) {
			if before, after := dep, vertex; reverse != (at[before] > at[after]) {
				t.Errorf("seed %d: edge %d -> %d not respected (reverse %v): %v", seed, vertex, dep, reverse, order)
			}
		}
	}
}

func TestWalkSkipsExactlyTheClosureOfAFailure(t *testing.T) {
	t.Parallel()
	for seed := range uint64(60) {
		random := rand.New(rand.NewPCG(seed, 2))
		g := randomGraph(random, 2+random.IntN(30))
		broken := map[int]bool{random.IntN(g.Len()): true, random.IntN(g.Len()): true}
		var want []int
		for _, vertex := range g.Vertices() {
			upstream := slices.DeleteFunc(g.Closure(vertex), func(v int) bool { return v == vertex })
			if slices.ContainsFunc(upstream, func(v int) bool { return broken[v] }) {
				want = append(want, vertex)
			}
		}
		var skipped []int
		walk := dag.Walk[int]{Skipped: func(vertex int) { skipped = append(skipped, vertex) }}
		err := walk.Run(t.Context(), g, func(_ context.Context, vertex int) error {
			if broken[vertex] {
				return fmt.Errorf("vertex %d", vertex)
			}
			return nil
		})
		slices.Sort(skipped)
		if !slices.Equal(skipped, want) {
			t.Errorf("seed %d: skipped %v, want %v", seed, skipped, want)
		}
		for vertex := range broken {
			isRoot := !slices.Contains(want, vertex)
			if got := strings.Contains(err.Error(), fmt.Sprintf("vertex %d", vertex)); isRoot && !got {
				t.Errorf("seed %d: error %q does not name root cause %d", seed, err, vertex)
			}
		}
	}
}

func TestWhatFollowsIsVisitedAfterAFailure(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, graph, skipped string }{
		{"loose", "b~a c>b", ""},
		{"firm", "b>a c>b", "b c"},
		{"firm wins over loose, said after", "b~a b>a", "b"},
		{"firm wins over loose, said before", "b>a b~a", "b"},
		{"loose through a firm one", "b>a c~b", "b"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var order, skipped []string
			walk := dag.Walk[string]{Skipped: func(vertex string) { skipped = append(skipped, vertex) }}
			err := walk.Run(t.Context(), parse(test.graph), func(_ context.Context, vertex string) error {
				order = append(order, vertex)
				if vertex == "a" {
					return errors.New("a fails")
				}
				return nil
			})
			if got := strings.Join(skipped, " "); got != test.skipped || err == nil || order[0] != "a" {
				t.Errorf("skipped %q, want %q; order %v; error %v", got, test.skipped, order, err)
			}
		})
	}
}

func TestErrSkipBlocksWithoutBeingAFailure(t *testing.T) {
	t.Parallel()
	var skipped []string
	walk := dag.Walk[string]{Skipped: func(vertex string) { skipped = append(skipped, vertex) }}
	err := walk.Run(t.Context(), parse("b>a c>b d"), func(_ context.Context, vertex string) error {
		if vertex == "a" {
			return dag.ErrSkip
		}
		return nil
	})
	if err != nil || strings.Join(skipped, " ") != "b c" {
		t.Errorf("error %v, skipped %v", err, skipped)
	}
}

func TestWalkErrors(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	for _, test := range []struct {
		name, graph string
		fail        string
		want        string
	}{
		{name: "failures are joined in the order of the vertices", graph: "b a c", fail: "c b", want: "b: broken\nc: broken"},
		{name: "a cycle is not walked", graph: "a>b b>a", want: "dependency cycle: a -> b -> a"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			err := dag.Walk[string]{}.Run(t.Context(), parse(test.graph), func(_ context.Context, vertex string) error {
				if slices.Contains(strings.Fields(test.fail), vertex) {
					return fmt.Errorf("%s: %w", vertex, broken)
				}
				return nil
			})
			if fmt.Sprint(err) != test.want {
				t.Errorf("error %q, want %q", err, test.want)
			}
		})
	}
}

func TestWalkStopsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		var skipped []string
		walk := dag.Walk[string]{Skipped: func(vertex string) { skipped = append(skipped, vertex) }}
		visitedSlow := false
		go func() {
			<-time.After(time.Second)
			cancel()
		}()
		err := walk.Run(ctx, parse("slow after>slow last>after"), func(ctx context.Context, vertex string) error {
			visitedSlow = vertex == "slow"
			<-ctx.Done()
			return ctx.Err()
		})
		if !errors.Is(err, context.Canceled) || !visitedSlow || strings.Join(skipped, " ") != "after last" {
			t.Errorf("error %v, visited slow %v, skipped %v", err, visitedSlow, skipped)
		}
	})
}

func TestWalkThatFinishedIgnoresALateCancel(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	err := dag.Walk[string]{}.Run(ctx, parse("only"), func(context.Context, string) error {
		cancel()
		return nil
	})
	if err != nil {
		t.Errorf("error %v of a walk that left nothing out", err)
	}
}

func TestIndependentVerticesAreVisitedAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		err := dag.Walk[string]{}.Run(t.Context(), parse("a b c d>a"), func(context.Context, string) error {
			<-time.After(time.Second)
			return nil
		})
		if took := time.Since(start); err != nil || took != 2*time.Second {
			t.Errorf("two layers of a second each took %s, error %v", took, err)
		}
	})
}
