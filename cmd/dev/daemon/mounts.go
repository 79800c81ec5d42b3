package daemon

import (
	"fmt"
	"os"
	"slices"
	"strings"
)

// unmountIn takes off what an engine that was killed left mounted in its folders, so that they can be removed.
func unmountIn(folders ...string) error {
	info, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return fmt.Errorf("list mounts: %w", err)
	}
	for _, point := range mountsIn(string(info), folders) {
		if err := unmount(point); err != nil {
			return fmt.Errorf("unmount %s: %w", point, err)
		}
	}
	return nil
}

// mountsIn reads proc_pid_mountinfo(5) and returns the folders that are mount points and those in them, those on top of others first.
func mountsIn(info string, folders []string) []string {
	const mountPoint = 4
	unescape := strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)
	var points []string
	for line := range strings.Lines(info) {
		fields := strings.Fields(line)
		if len(fields) <= mountPoint {
			continue
		}
		point := unescape.Replace(fields[mountPoint])
		if slices.ContainsFunc(folders, func(folder string) bool { return within(point, folder) }) {
			points = append(points, point)
		}
	}
	slices.Reverse(points)
	return points
}

// within says whether a path is a folder or in it. Nothing counts as within the root: no engine's folder is that.
func within(point, folder string) bool {
	return len(folder) > 1 && (point == folder || strings.HasPrefix(point, folder+"/"))
}
