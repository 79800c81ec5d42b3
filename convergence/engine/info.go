package engine

import "time"

// Info is what an engine is and what it runs on.
type Info struct {
	Version
	ID     string
	Host   string            // the name of its host
	Labels map[string]string // of the engine
	CPUs   int
	Memory int64 // bytes
	// Cgroups is the version of control groups that limits are kept with: "1" or "2"; empty where there are none.
	Cgroups string
	// Time is what the engine's clock said when it answered, in UTC; zero where it did not tell.
	Time time.Time
	// AddressPools are where addresses of networks that name none come from; empty where the engine keeps to its defaults.
	AddressPools []AddressPool
}

// AddressPool is addresses that are cut into subnets of a size.
type AddressPool struct {
	Base string // "172.80.0.0/16"
	Size int    // the bits of a subnet's prefix
}
