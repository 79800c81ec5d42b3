package docker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/docker/docker/api/types/container"

	"github.com/muster-dev/muster/convergence/engine"
)

// ListProcesses implements [engine.Monitors].
func (c *Client) ListProcesses(ctx context.Context, ref string) (engine.Processes, error) {
	found, err := c.api.ContainerTop(ctx, ref, nil)
	return engine.Processes{Titles: found.Titles, Rows: found.Processes}, c.wrap(err)
}

// Stats implements [engine.Monitors].
func (c *Client) Stats(ctx context.Context, ref string, once bool, yield func(engine.Stats) error) error {
	response, err := c.api.ContainerStats(ctx, ref, !once)
	if err != nil {
		return c.wrap(err)
	}
	defer response.Body.Close() //nolint:errcheck // nothing is written through it
	for decoder := json.NewDecoder(response.Body); ; {
		var sample container.StatsResponse
		err := decoder.Decode(&sample)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return c.wrap(fmt.Errorf("read statistics: %w", err))
		}
		if err := yield(fromStats(&sample)); err != nil || once {
			return err
		}
	}
}

func fromStats(sample *container.StatsResponse) engine.Stats {
	stats := engine.Stats{
		Time: sample.Read, CPU: processorUse(&sample.PreCPUStats, &sample.CPUStats), Processes: sample.PidsStats.Current,
		Memory: memoryUse(&sample.MemoryStats), MemoryLimit: sample.MemoryStats.Limit,
	}
	if stats.Time.Year() <= 1 {
		stats.Time = time.Time{} // of one that does not run
	}
	for _, network := range sample.Networks {
		stats.Received += network.RxBytes
		stats.Sent += network.TxBytes
	}
	for _, entry := range sample.BlkioStats.IoServiceBytesRecursive {
		switch strings.ToLower(entry.Op) {
		case "read":
			stats.Read += entry.Value
		case "write":
			stats.Written += entry.Value
		}
	}
	return stats
}

// processorUse is what the docker CLI shows: the container's share of the time of all processors, in percent of one.
func processorUse(before, now *container.CPUStats) float64 {
	const percent = 100
	used := float64(now.CPUUsage.TotalUsage) - float64(before.CPUUsage.TotalUsage)
	system := float64(now.SystemUsage) - float64(before.SystemUsage)
	processors := float64(now.OnlineCPUs)
	if processors == 0 {
		processors = float64(len(now.CPUUsage.PercpuUsage))
	}
	if used <= 0 || system <= 0 || before.SystemUsage == 0 {
		return 0
	}
	return used / system * processors * percent
}

// memoryUse leaves out the cache that the kernel would give back: total_inactive_file of cgroups 1, inactive_file of cgroups 2.
func memoryUse(memory *container.MemoryStats) uint64 {
	for _, name := range []string{"total_inactive_file", "inactive_file"} {
		if cached, ok := memory.Stats[name]; ok && cached < memory.Usage {
			return memory.Usage - cached
		}
	}
	return memory.Usage
}
