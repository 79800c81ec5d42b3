package plan_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/plan"
	"github.com/muster-dev/muster/convergence/step"
	"github.com/muster-dev/muster/graph/dag"
	"github.com/muster-dev/muster/project"
)

func planOf(steps ...step.Step) *plan.Plan {
	p := &plan.Plan{Project: "own", Order: dag.New(func(a, b plan.NodeID) int { return int(a - b) })}
	for i, s := range steps {
		p.Nodes = append(p.Nodes, plan.Node{ID: plan.NodeID(i), Step: s})
		p.Order.Add(plan.NodeID(i))
	}
	return p
}

// publishing is a service web with ports as the short syntax has them, "8080", "127.0.0.1:8080", "8080/udp".
func publishing(ports ...string) project.Service {
	service := project.Service{Name: "web"}
	for _, text := range ports {
		port := project.Port{Target: 80, Protocol: "tcp"}
		text, port.Protocol, _ = strings.Cut(text, "/")
		if i := strings.LastIndex(text, ":"); i >= 0 {
			port.HostIP, text = strings.Trim(text[:i], "[]"), text[i+1:]
		}
		port.Published = text
		service.Ports = append(service.Ports, port)
	}
	return service
}

// starting is a plan that creates and starts one container of a service.
func starting(service project.Service, before ...step.Step) *plan.Plan {
	target := step.Target{Name: "own-web-1", Service: "web", Replica: 1}
	return planOf(append(before,
		step.CreateContainer{Target: target, Request: engine.CreateContainer{Name: "own-web-1", Service: service}},
		step.StartContainer{Target: target},
	)...)
}

func running(id, name, of, service string, ports ...engine.PublishedPort) engine.Container {
	return engine.Container{ID: id, Name: name, Project: of, Service: service, Number: 1, State: engine.StateRunning, Ports: ports}
}

func published(address string, port uint16) engine.PublishedPort {
	return engine.PublishedPort{HostIP: address, HostPort: port, Port: 80, Protocol: "tcp"}
}

func TestTakenPorts(t *testing.T) {
	t.Parallel()
	shop := running("1", "shop-web-1", "shop", "web", published("0.0.0.0", 8080), published("::", 8080))
	local := running("2", "alone", "", "", published("127.0.0.1", 8080))
	old := running("3", "own-web-1-old", "own", "web", published("0.0.0.0", 8080))
	nginx := plan.Listener{Address: "0.0.0.0", Port: 8080, Protocol: "tcp", Program: "nginx", PID: 42}
	stopOld := step.StopContainer{Target: step.Target{ID: "3"}}
	stopped := shop
	stopped.State = engine.StateExited
	for _, test := range []struct {
		name   string
		plan   *plan.Plan
		around plan.Surroundings
		want   string // message, and what to try
	}{
		{"free", starting(publishing("8081")), plan.Surroundings{Containers: []engine.Container{shop}}, ""},
		{
			"another project's", starting(publishing("8080")),
			plan.Surroundings{Containers: []engine.Container{shop}},
			`service "web": port 8080 is taken by web-1 of project "shop" | publish another port, 8081 is free, or stop the one that has it: muster -p shop stop web`,
		},
		{
			"nobody's container, at one address", starting(publishing("127.0.0.1:8080")),
			plan.Surroundings{Containers: []engine.Container{local}},
			`service "web": port 8080 of 127.0.0.1 is taken by container alone, which belongs to no project | publish another port, 8081 is free, or stop the one that has it: docker stop alone`,
		},
		{"another address", starting(publishing("127.0.0.2:8080")), plan.Surroundings{Containers: []engine.Container{local}}, ""},
		{"another protocol", starting(publishing("8080/udp")), plan.Surroundings{Containers: []engine.Container{shop}}, ""},
		{
			"IPv6 beside IPv4", starting(publishing("[::1]:8080")), plan.Surroundings{Containers: []engine.Container{local}}, "",
		},
		{
			"IPv6, of all", starting(publishing("[::1]:8080")),
			plan.Surroundings{Containers: []engine.Container{shop}},
			`service "web": port 8080 of ::1 is taken by web-1 of project "shop" | publish another port, 8081 is free, or stop the one that has it: muster -p shop stop web`,
		},
		{"one that does not run", starting(publishing("8080")), plan.Surroundings{Containers: []engine.Container{stopped}}, ""},
		{
			"one that the plan stops, and the engine for it", starting(publishing("8080"), stopOld),
			plan.Surroundings{Containers: []engine.Container{old}, Listeners: []plan.Listener{nginx}},
			"",
		},
		{
			"one of its own that stays", starting(publishing("8080")),
			plan.Surroundings{Containers: []engine.Container{old}},
			`service "web": port 8080 is taken by container own-web-1-old of this project | publish another port, 8081 is free, or remove what the file does not have any more with --remove-orphans`,
		},
		{
			"a program", starting(publishing("8080")),
			plan.Surroundings{Listeners: []plan.Listener{nginx, {Address: "::", Port: 8081, Protocol: "tcp"}}},
			`service "web": port 8080 is taken by nginx (process 42) of this host | publish another port, 8082 is free, or end that program`,
		},
		{
			"a program that may not be known", starting(publishing("8080")),
			plan.Surroundings{Listeners: []plan.Listener{{Address: "::", Port: 8080, Protocol: "tcp"}}},
			`service "web": port 8080 is taken by a program of this host | publish another port, 8081 is free, or see which program it is: sudo ss -lntup 'sport = :8080'`,
		},
		{"a range with room", starting(publishing("8080-8081")), plan.Surroundings{Containers: []engine.Container{shop}}, ""},
		{
			"a range without", starting(publishing("8080-8080", "8081")),
			plan.Surroundings{Containers: []engine.Container{shop}},
			`service "web": port 8080 is taken by web-1 of project "shop" | publish another port, 8082 is free, or stop the one that has it: muster -p shop stop web`,
		},
		{
			"all at once", starting(publishing("8080", "9090")),
			plan.Surroundings{Containers: []engine.Container{shop, running("4", "x", "", "", published("0.0.0.0", 9090))}},
			`service "web": port 8080 is taken by web-1 of project "shop" | publish another port, 8081 is free, or stop the one that has it: muster -p shop stop web
service "web": port 9090 is taken by container x, which belongs to no project | publish another port, 9091 is free, or stop the one that has it: docker stop x`,
		},
		{"chosen by the engine", starting(publishing("", "0")), plan.Surroundings{Containers: []engine.Container{shop}}, ""},
		{"the host's network", starting(hostNetwork()), plan.Surroundings{Containers: []engine.Container{shop}}, ""},
		{
			"only created", planOf(step.CreateContainer{
				Target: step.Target{Name: "own-web-1"}, Request: engine.CreateContainer{Service: publishing("8080")},
			}), plan.Surroundings{Containers: []engine.Container{shop}}, "",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			problems, warnings := test.plan.Preflight(nil, test.around)
			var got []string
			for _, problem := range problems {
				got = append(got, problem.Error()+" | "+problem.Hint())
				if problem.Code() != "port-taken" {
					t.Errorf("code %q", problem.Code())
				}
			}
			if strings.Join(got, "\n") != test.want || len(warnings) > 0 {
				t.Errorf("got  %s\nwant %s\n%v", strings.Join(got, "\n"), test.want, warnings)
			}
		})
	}
}

func hostNetwork() project.Service {
	service := publishing("8080")
	service.NetworkMode = "host"
	return service
}

// networked are so many networks of a project, one subnet each.
func networked(of string, subnets ...string) []engine.Network {
	var networks []engine.Network
	for i, subnet := range subnets {
		network := engine.Network{Name: fmt.Sprintf("%s_%d", of, i), Labels: map[string]string{project.LabelProject: of}}
		network.Settings.Ipam.Config = []*project.IPAMPool{{Subnet: subnet}}
		networks = append(networks, network)
	}
	return networks
}

func TestAddressPools(t *testing.T) {
	t.Parallel()
	pools := []engine.AddressPool{{Base: "10.0.0.0/14", Size: 16}} // four
	creates := func(names ...string) *plan.Plan {
		var steps []step.Step
		for _, name := range names {
			steps = append(steps, step.CreateNetwork{Key: name, Request: engine.CreateNetwork{Name: "own_" + name}})
		}
		return planOf(steps...)
	}
	given := step.CreateNetwork{Key: "given", Request: engine.CreateNetwork{Name: "own_given"}}
	given.Request.Network.Ipam.Config = []*project.IPAMPool{{Subnet: "10.9.0.0/24"}}
	for _, test := range []struct {
		name     string
		plan     *plan.Plan
		networks []engine.Network
		problem  string
		warning  string
	}{
		{"room", creates("default"), nil, "", ""},
		{
			"few left", creates("default"), networked("shop", "10.0.0.0/16", "10.1.7.0/24"), "",
			`the engine will have addresses for only 1 more network: 2 of 4 address ranges are in use, by project "shop" (2); ` +
				"`docker network prune` removes networks that nobody uses",
		},
		{
			"none left", creates("a", "b"), append(networked("shop", "10.0.0.0/16", "10.1.0.0/16"), networked("", "10.2.0.0/16")...),
			`the engine has addresses for 1 more network and the plan makes 2 networks: 3 of 4 address ranges are in use, by project "shop" (2), no project (1)`, "",
		},
		{"its own is made anew", creates("0"), networked("own", "10.0.0.0/14"), "", ""},
		{"a subnet that is given", planOf(given), networked("shop", "10.0.0.0/14"), "", ""},
		{"addresses elsewhere", creates("a"), networked("shop", "192.168.1.0/24", "fd00::/64"), "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			problems, warnings := test.plan.Preflight(nil, plan.Surroundings{Networks: test.networks, Pools: pools})
			var problem, warning string
			for _, p := range problems {
				problem = p.Message
			}
			for _, w := range warnings {
				warning = w.Message
			}
			if problem != test.problem || warning != test.warning {
				t.Errorf("problem %q, want %q\nwarning %q, want %q", problem, test.problem, warning, test.warning)
			}
		})
	}
}

func TestPathsElsewhere(t *testing.T) {
	t.Parallel()
	mounting := func(name, source string) step.Step {
		service := project.Service{Name: name}
		service.Volumes = []project.Mount{{Type: project.MountBind, Source: source, Target: "/x"}}
		return step.CreateContainer{Target: step.Target{Name: "own-" + name + "-1", Service: name}, Request: engine.CreateContainer{Service: service}}
	}
	wanted := &project.Project{Model: &project.Model{}}
	wanted.WorkingDir = "/home/me/shop"
	made := planOf(mounting("web", "/home/me/shop/html"), mounting("api", "/home/me/shop"), mounting("proxy", "/var/run/docker.sock"), mounting("near", "/home/me/shopping"))
	for elsewhere, want := range map[string]string{
		"": "",
		"far.example": `the engine is on far.example: what services "api" and "web" mount below /home/me/shop is looked up there, not here; ` +
			"where it does not exist there, the engine makes an empty folder or fails",
	} {
		_, warnings := made.Preflight(wanted, plan.Surroundings{Elsewhere: elsewhere})
		got := ""
		for _, warning := range warnings {
			got += warning.Message
		}
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if asks := made.Asks(wanted); asks != (plan.Asks{Host: true}) {
		t.Errorf("asks for %+v", asks)
	}
}
