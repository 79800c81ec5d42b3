// Package project is what the user wants: a Compose file, loaded, checked and narrowed, and the names and labels that go with it.
//
// It imports nothing else of Muster. Everybody else takes compose-go's types from here, so that the library is named in one place.
package project

import (
	"github.com/compose-spec/compose-go/v2/types"
)

// compose-go's types under the names that the rest of Muster uses.
type (
	// Model is a Compose model as compose-go has it.
	Model = types.Project
	// Service is one entry of `services`.
	Service = types.ServiceConfig
	// Services maps service names to services.
	Services = types.Services
	// Network is one entry of the top-level `networks`.
	Network = types.NetworkConfig
	// Volume is one entry of the top-level `volumes`.
	Volume = types.VolumeConfig
	// IPAMPool is one address pool of a network.
	IPAMPool = types.IPAMPool
	// Secret is one entry of the top-level `secrets`.
	Secret = types.SecretConfig
	// Config is one entry of the top-level `configs`.
	Config = types.ConfigObjConfig
	// FileReference is a service's use of a secret or a config.
	FileReference = types.FileReferenceConfig
	// FileMode are the permission bits of a secret or a config.
	FileMode = types.FileMode
	// FileObject is what a secret or a config is made of.
	FileObject = types.FileObjectConfig
	// Dependency is one entry of a service's `depends_on`.
	Dependency = types.ServiceDependency
	// ServiceHook is a command that is run in a container.
	ServiceHook = types.ServiceHook
	// Port is one published port of a service, long form.
	Port = types.ServicePortConfig
	// Mount is one entry of a service's `volumes`, long form.
	Mount = types.ServiceVolumeConfig
	// BindOptions are the options of a bind mount.
	BindOptions = types.ServiceVolumeBind
	// VolumeOptions are the options of the mount of a volume.
	VolumeOptions = types.ServiceVolumeVolume
	// Endpoint is a service's attachment to one network; nil where the file gives no options.
	Endpoint = types.ServiceNetworkConfig
	// HealthCheck is a service's `healthcheck`.
	HealthCheck = types.HealthCheckConfig
	// Deploy is a service's `deploy`.
	Deploy = types.DeployConfig
	// UpdateConfig says how containers are replaced.
	UpdateConfig = types.UpdateConfig
	// Duration is a duration of the model.
	Duration = types.Duration
	// BlockIO is a service's `blkio_config`.
	BlockIO = types.BlkioConfig
	// ThrottleDevice is a device and the most that may be read from or written to it in a second.
	ThrottleDevice = types.ThrottleDevice
	// DeviceRequest asks the engine for devices by driver and capability.
	DeviceRequest = types.DeviceRequest
	// Labels are label keys and values.
	Labels = types.Labels
	// SSHKey is a key, or an agent, that a build may use.
	SSHKey = types.SSHKey
)

// Conditions of `depends_on`.
const (
	ConditionStarted   = types.ServiceConditionStarted
	ConditionHealthy   = types.ServiceConditionHealthy
	ConditionCompleted = types.ServiceConditionCompletedSuccessfully
)

// Kinds of mount.
const (
	MountBind    = types.VolumeTypeBind
	MountVolume  = types.VolumeTypeVolume
	MountTmpfs   = types.VolumeTypeTmpfs
	MountImage   = types.VolumeTypeImage
	MountCluster = types.VolumeTypeCluster
	// MountNamedPipe is for engines on Windows only.
	MountNamedPipe = types.VolumeTypeNamedPipe
)

// Pull policies as the Compose Specification names them.
const (
	PullAlways  = types.PullPolicyAlways
	PullNever   = types.PullPolicyNever
	PullMissing = types.PullPolicyMissing
	PullBuild   = types.PullPolicyBuild
	PullRefresh = types.PullPolicyRefresh
)

// ServicePrefix starts the value of network_mode, ipc, pid and uts when it names a service of the same project.
const ServicePrefix = types.ServicePrefix

// Project is a loaded Compose model with what Muster knows about it beyond the model. It is immutable once [Load] has
// returned it: everybody may read it from many goroutines, nobody may change it, narrowing returns a copy.
type Project struct {
	*Model
	// EnvFiles are the files that --env-file or COMPOSE_ENV_FILES named, absolute; empty where nobody named one.
	EnvFiles []string
	// Compatibility joins the parts of container names with "_", as Compose V1 did.
	Compatibility bool
	// Warnings are what is worth telling about the files, in the order of their places.
	Warnings []Warning
	// Digests are what secrets and configs hold, as hex SHA-256 by [SecretKey] and [ConfigKey]; filled by [Project.ReadContents].
	Digests map[string]string

	contents map[string]Content
	fromFile map[string]bool // the variables and labels of services that come from env files and label files, by originKey

	places *places
}
