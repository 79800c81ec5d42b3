package docker

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/docker/docker/api/types/blkiodev"
	"github.com/docker/docker/api/types/container"

	"github.com/muster-dev/muster/project"
)

// resources are the limits and the devices of a service. `deploy.resources` wins over the older keys; loading has checked
// that they do not contradict each other.
func resources(service project.Service) container.Resources {
	requests, cdi := deviceRequests(service)
	limits := container.Resources{
		CgroupParent:       service.CgroupParent,
		CPUCount:           service.CPUCount,
		CPUPercent:         int64(service.CPUPercent * 100), //nolint:mnd // the engine wants hundredths of a percent
		CPUPeriod:          service.CPUPeriod,
		CPUQuota:           service.CPUQuota,
		CPURealtimePeriod:  service.CPURTPeriod,
		CPURealtimeRuntime: service.CPURTRuntime,
		CPUShares:          service.CPUShares,
		CpusetCpus:         service.CPUSet,
		NanoCPUs:           nanoCPUs(service.CPUS),
		Memory:             int64(service.MemLimit),
		MemoryReservation:  int64(service.MemReservation),
		MemorySwap:         int64(service.MemSwapLimit),
		DeviceCgroupRules:  service.DeviceCgroupRules,
		DeviceRequests:     append(requests, cdi...),
		Devices:            devices(service),
		Ulimits:            ulimits(service),
	}
	if service.MemSwappiness > 0 {
		swappiness := int64(service.MemSwappiness)
		limits.MemorySwappiness = &swappiness
	}
	if service.OomKillDisable {
		limits.OomKillDisable = &service.OomKillDisable
	}
	if service.PidsLimit != 0 {
		limits.PidsLimit = &service.PidsLimit
	}
	setBlockIO(&limits, service.BlkioConfig)
	setDeployLimits(&limits, service.Deploy)
	return limits
}

func setDeployLimits(limits *container.Resources, deploy *project.Deploy) {
	if deploy == nil {
		return
	}
	if most := deploy.Resources.Limits; most != nil {
		if most.MemoryBytes != 0 {
			limits.Memory = int64(most.MemoryBytes)
		}
		if most.NanoCPUs != 0 {
			limits.NanoCPUs = nanoCPUs(most.NanoCPUs.Value())
		}
		if most.Pids > 0 {
			limits.PidsLimit = &most.Pids
		}
	}
	if least := deploy.Resources.Reservations; least != nil && least.MemoryBytes != 0 {
		limits.MemoryReservation = int64(least.MemoryBytes)
	}
}

// nanoCPUs is the exact number that the file gave: the model holds a float32, whose nearest decimal is what was written.
func nanoCPUs(cpus float32) int64 {
	const nano = 1e9
	exact, _ := strconv.ParseFloat(strconv.FormatFloat(float64(cpus), 'f', -1, 32), 64)
	return int64(math.Round(exact * nano))
}

func setBlockIO(limits *container.Resources, config *project.BlockIO) {
	if config == nil {
		return
	}
	limits.BlkioWeight = config.Weight
	for _, device := range config.WeightDevice {
		limits.BlkioWeightDevice = append(limits.BlkioWeightDevice, &blkiodev.WeightDevice{Path: device.Path, Weight: device.Weight})
	}
	limits.BlkioDeviceReadBps = throttles(config.DeviceReadBps)
	limits.BlkioDeviceReadIOps = throttles(config.DeviceReadIOps)
	limits.BlkioDeviceWriteBps = throttles(config.DeviceWriteBps)
	limits.BlkioDeviceWriteIOps = throttles(config.DeviceWriteIOps)
}

func throttles(devices []project.ThrottleDevice) []*blkiodev.ThrottleDevice {
	var result []*blkiodev.ThrottleDevice
	for _, device := range devices {
		result = append(result, &blkiodev.ThrottleDevice{Path: device.Path, Rate: uint64(device.Rate)})
	}
	return result
}

func ulimits(service project.Service) []*container.Ulimit {
	var result []*container.Ulimit
	for _, name := range sortedCopy(service.Ulimits) {
		limit := service.Ulimits[name]
		soft, hard := int64(limit.Soft), int64(limit.Hard)
		if limit.Single != 0 {
			soft, hard = int64(limit.Single), int64(limit.Single)
		}
		result = append(result, &container.Ulimit{Name: name, Soft: soft, Hard: hard})
	}
	return result
}

// devices are the host's device files; names of the Container Device Interface ("vendor/class=name") are requests instead.
func devices(service project.Service) []container.DeviceMapping {
	var result []container.DeviceMapping
	for _, device := range service.Devices {
		if !isCDI(device.Source) {
			result = append(result, container.DeviceMapping{
				PathOnHost: device.Source, PathInContainer: device.Target, CgroupPermissions: device.Permissions,
			})
		}
	}
	return result
}

func isCDI(source string) bool {
	return !strings.HasPrefix(source, "/") && strings.Contains(source, "/") && strings.Contains(source, "=")
}

func deviceRequests(service project.Service) (requests, cdi []container.DeviceRequest) {
	if service.Deploy != nil && service.Deploy.Resources.Reservations != nil {
		for _, request := range service.Deploy.Resources.Reservations.Devices {
			requests = append(requests, deviceRequest(request))
		}
	}
	for _, request := range service.Gpus {
		converted := deviceRequest(request)
		if !slices.Contains(request.Capabilities, "gpu") {
			converted.Capabilities = [][]string{append(slices.Clone(request.Capabilities), "gpu")}
		}
		requests = append(requests, converted)
	}
	var names []string
	for _, device := range service.Devices {
		if isCDI(device.Source) {
			names = append(names, device.Source)
		}
	}
	if len(names) > 0 {
		cdi = []container.DeviceRequest{{Driver: "cdi", DeviceIDs: names}}
	}
	return requests, cdi
}

// deviceRequest asks for all devices where the file gives neither a count nor IDs.
func deviceRequest(request project.DeviceRequest) container.DeviceRequest {
	count := int(request.Count)
	if count == 0 && len(request.IDs) == 0 {
		count = -1
	}
	return container.DeviceRequest{
		Driver: request.Driver, Count: count, DeviceIDs: request.IDs,
		Capabilities: [][]string{request.Capabilities}, Options: request.Options,
	}
}
