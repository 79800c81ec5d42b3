package plan

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/step"
	"github.com/muster-dev/muster/graph"
	"github.com/muster-dev/muster/project"
)

// fewPools is when to say that the engine's addresses run out: what is left when the plan is done.
const fewPools = 3

// newNetworks are the networks that the plan makes and for which the engine has to find addresses.
func (p *Plan) newNetworks() []step.CreateNetwork {
	var networks []step.CreateNetwork
	for _, node := range p.Nodes {
		create, ok := node.Step.(step.CreateNetwork)
		if ok && needsPool(create.Request.Network) {
			networks = append(networks, create)
		}
	}
	return networks
}

// needsPool says whether the engine has to choose the addresses: a subnet is not given, and the driver takes some.
func needsPool(network project.Network) bool {
	local := slices.Contains([]string{"", "bridge", "macvlan", "ipvlan"}, network.Driver)
	without4 := network.EnableIPv4 != nil && !*network.EnableIPv4
	given := slices.ContainsFunc(network.Ipam.Config, func(pool *project.IPAMPool) bool { return pool != nil && pool.Subnet != "" })
	return local && !without4 && !given && slices.Contains([]string{"", "default"}, network.Ipam.Driver)
}

// addressShortage says that there are fewer subnets left than networks are to be made, or warns that there will be few. The engine may
// have even fewer: it leaves out those that its host has routes for.
func (p *Plan) addressShortage(wanted *project.Project, around Surroundings) (*Problem, *Warning) {
	needed := p.newNetworks()
	if len(needed) == 0 || len(around.Pools) == 0 {
		return nil, nil
	}
	taken := taken(around.Networks, needed)
	total, free := 0, 0
	for _, pool := range around.Pools {
		subnets := subnetsOf(pool)
		total += len(subnets)
		free += len(subnets) - countTaken(subnets, taken)
	}
	left := free - len(needed)
	users := usersOf(around.Networks)
	switch {
	case left < 0:
		problem := &Problem{
			Ref: graph.Network(needed[0].Key), Kind: "address-pools",
			Message: fmt.Sprintf("the engine has addresses for %s and the plan makes %s: %d of %d address ranges are in use, by %s",
				plural(free, "more network"), plural(len(needed), "network"), total-free, total, users),
			Try: "take down a project that is not needed, remove networks that nobody uses: docker network prune, or give the networks a subnet",
		}
		if wanted != nil {
			problem.Position = wanted.Place("networks." + needed[0].Key)
		}
		return problem, nil
	case left < fewPools:
		return nil, &Warning{Message: fmt.Sprintf("the engine will have addresses for only %s: %d of %d address ranges are in use, by %s; "+
			"`docker network prune` removes networks that nobody uses", plural(left, "more network"), total-free, total, users)}
	}
	return nil, nil
}

// taken are the subnets that networks have, without those that the plan makes anew under the same name.
func taken(networks []engine.Network, anew []step.CreateNetwork) []netip.Prefix {
	var subnets []netip.Prefix
	for _, network := range networks {
		if slices.ContainsFunc(anew, func(c step.CreateNetwork) bool { return c.Request.Name == network.Name }) {
			continue
		}
		for _, pool := range network.Settings.Ipam.Config {
			if subnet, err := netip.ParsePrefix(pool.Subnet); err == nil {
				subnets = append(subnets, subnet)
			}
		}
	}
	return subnets
}

// subnetsOf are the subnets that a pool is cut into; at most a few thousand count.
func subnetsOf(pool engine.AddressPool) []netip.Prefix {
	const most = 4096
	base, err := netip.ParsePrefix(pool.Base)
	if err != nil || !base.Addr().Is4() || pool.Size < base.Bits() || pool.Size > base.Addr().BitLen() {
		return nil
	}
	var subnets []netip.Prefix
	for at := base.Masked().Addr(); base.Contains(at) && len(subnets) < most; {
		subnet := netip.PrefixFrom(at, pool.Size)
		subnets = append(subnets, subnet)
		bytes := at.As4()
		number := uint64(bytes[0])<<24 | uint64(bytes[1])<<16 | uint64(bytes[2])<<8 | uint64(bytes[3])
		number += 1 << (at.BitLen() - pool.Size)
		if number > 1<<32-1 {
			break
		}
		at = netip.AddrFrom4([4]byte{byte(number >> 24), byte(number >> 16), byte(number >> 8), byte(number)})
	}
	return subnets
}

func countTaken(subnets, taken []netip.Prefix) (count int) {
	for _, subnet := range subnets {
		if slices.ContainsFunc(taken, subnet.Overlaps) {
			count++
		}
	}
	return count
}

// usersOf are the projects that have networks, those with the most first, with how many.
func usersOf(networks []engine.Network) string {
	const shown = 5
	counts := map[string]int{}
	for _, network := range networks {
		if len(network.Settings.Ipam.Config) > 0 {
			counts[network.Labels[project.LabelProject]]++
		}
	}
	names := sortedKeys(counts)
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(counts[b], counts[a]) })
	var users []string
	for _, name := range names[:min(len(names), shown)] {
		who := fmt.Sprintf("project %q", name)
		if name == "" {
			who = "no project"
		}
		users = append(users, fmt.Sprintf("%s (%d)", who, counts[name]))
	}
	if more := len(names) - len(users); more > 0 {
		users = append(users, fmt.Sprintf("%d more", more))
	}
	return strings.Join(users, ", ")
}
