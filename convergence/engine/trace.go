package engine

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"
)

// Trace writes a line for every call when it ends: how long it took, what it was about and what came of it. It is what
// --verbose shows. Lines are whole whatever runs at once.
func Trace(next Engine, w io.Writer) Engine {
	var mutex sync.Mutex
	return Intercept(next, func(ctx context.Context, call Call, do func(context.Context) error) error {
		start := time.Now()
		err := do(ctx)
		outcome := "ok"
		if err != nil {
			outcome = err.Error()
		}
		mutex.Lock()
		defer mutex.Unlock()
		_, _ = fmt.Fprintf(w, "engine %8.1f ms  %-18s %s  %s\n", float64(time.Since(start).Microseconds())/1000, call.Name, call.Object, outcome)
		return err
	})
}
