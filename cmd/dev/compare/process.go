package compare

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

const megabyte = 1e6

// Binary is the size of the program.
func (o Options) Binary() (Result, error) {
	info, err := os.Stat(o.Muster)
	if err != nil {
		return Result{}, fmt.Errorf("measure binary: %w", err)
	}
	return Result{What: "size of the binary", Value: float64(info.Size()) / megabyte, Limit: 30, Unit: "MB"}, nil
}

// Memory is how much memory `muster version` takes at most.
func (o Options) Memory(ctx context.Context, root string) (Result, error) {
	helper := filepath.Join(o.Folder, "resident")
	build := exec.CommandContext(ctx, "go", "build", "-ldflags=-s -w", "-o", helper, "./cmd/dev/compare/resident")
	build.Dir = root
	if output, err := build.CombinedOutput(); err != nil {
		return Result{}, fmt.Errorf("compile resident: %w\n%s", err, output)
	}
	output, err := exec.CommandContext(ctx, helper, o.Muster, "version").Output()
	if err != nil {
		return Result{}, fmt.Errorf("measure muster version: %w", err)
	}
	resident, err := strconv.ParseFloat(strings.TrimSpace(string(output)), 64)
	if err != nil {
		return Result{}, fmt.Errorf("measure muster version: %w", err)
	}
	return Result{What: "memory of `muster version`, resident", Value: resident / megabyte, Limit: 30, Unit: "MB"}, nil
}

// benchmark finds a result of BenchmarkPlan.
var benchmark = regexp.MustCompile(`BenchmarkPlan/(\d+)\S*\s+\d+\s+(\d+) ns/op`)

// Planning compares the time of planning 10,000 services with that of 1,000.
func (o Options) Planning(ctx context.Context, root string) (Result, error) {
	command := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", "^BenchmarkPlan$", "-count", "3", "./convergence/plan")
	command.Dir = root
	output, err := command.CombinedOutput()
	if err != nil {
		return Result{}, fmt.Errorf("run benchmark of planning: %w\n%s", err, output)
	}
	// The least of several times is the one that the machine's other work disturbed least.
	times := map[string]float64{}
	for _, match := range benchmark.FindAllStringSubmatch(string(output), -1) {
		took, err := strconv.ParseFloat(match[2], 64)
		if least, measured := times[match[1]]; err == nil && (!measured || took < least) {
			times[match[1]] = took
		}
	}
	if times["1000"] == 0 || times["10000"] == 0 {
		return Result{}, errors.New("run benchmark of planning: it did not tell both times")
	}
	return Result{
		What: "planning 10,000 services, in times of 1,000", Value: times["10000"] / times["1000"], Limit: 12, Unit: "x",
		Note: fmt.Sprintf("%.0f ms and %.0f ms", times["10000"]/1e6, times["1000"]/1e6),
	}, nil
}
