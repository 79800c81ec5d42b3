package project

import (
	"strconv"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"
)

// AppliedService is what a fingerprint tells of a service in those attributes that an engine lets people change while the container is
// there: its limits and its restart policy. The rest of it is empty.
func AppliedService(made Fingerprint) Service {
	var service Service
	service.Restart, service.CPUSet, service.CPUS = made.Plain("restart"), made.Plain("cpuset"), made.decimal("cpus")
	service.MemLimit, service.MemReservation = made.bytes("mem_limit"), made.bytes("mem_reservation")
	service.MemSwapLimit, service.PidsLimit = made.bytes("memswap_limit"), made.whole("pids_limit")
	service.CPUShares, service.CPUPeriod, service.CPUQuota = made.whole("cpu_shares"), made.whole("cpu_period"), made.whole("cpu_quota")
	service.CPURTPeriod, service.CPURTRuntime = made.whole("cpu_rt_period"), made.whole("cpu_rt_runtime")
	if weight := made.whole("blkio_config.weight"); weight > 0 {
		service.BlkioConfig = &BlockIO{Weight: uint16(weight)}
	}
	service.Deploy = appliedDeploy(made)
	return service
}

// appliedDeploy is the part of `deploy` that counts.
func appliedDeploy(made Fingerprint) *Deploy {
	deploy := &Deploy{}
	const limits, reservations, restart = "deploy.resources.limits.", "deploy.resources.reservations.", "deploy.restart_policy."
	if made.hasBelow(limits) {
		deploy.Resources.Limits = &types.Resource{MemoryBytes: made.bytes(limits + "memory"), Pids: made.whole(limits + "pids")}
		_ = deploy.Resources.Limits.NanoCPUs.DecodeMapstructure(made.Plain(limits + "cpus")) // what is no number limits nothing
	}
	if made.hasBelow(reservations) {
		deploy.Resources.Reservations = &types.Resource{MemoryBytes: made.bytes(reservations + "memory")}
	}
	if made.hasBelow(restart) {
		deploy.RestartPolicy = &types.RestartPolicy{Condition: made.Plain(restart + "condition")}
		if attempts := made.whole(restart + "max_attempts"); attempts > 0 {
			most := uint64(attempts)
			deploy.RestartPolicy.MaxAttempts = &most
		}
	}
	return deploy
}

func (f Fingerprint) hasBelow(prefix string) bool {
	for path := range f.Fields {
		if strings.HasPrefix(path, prefix) {
			return true
		}
	}
	return false
}

func (f Fingerprint) whole(path string) int64 {
	number, _ := strconv.ParseInt(f.Plain(path), 10, 64)
	return number
}

func (f Fingerprint) bytes(path string) types.UnitBytes { return types.UnitBytes(f.whole(path)) }

func (f Fingerprint) decimal(path string) float32 {
	number, _ := strconv.ParseFloat(f.Plain(path), 32)
	return float32(number)
}
