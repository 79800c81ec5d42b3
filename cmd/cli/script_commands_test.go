package cli_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/crypto/ssh"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/step"
	"github.com/muster-dev/muster/project"
)

// patience is how long a script waits for something that should come.
const patience = 30 * time.Second

// commands are what scripts can do beside running muster. Containers are named without the project: web-1.
func commands() map[string]func(ts *testscript.TestScript, neg bool, args []string) {
	return map[string]func(ts *testscript.TestScript, neg bool, args []string){
		"await": await, "says": says, "containers": containers, "leftovers": leftovers,
		"engine": engineDoes, "remember": remember, "kept": kept, "fetch": fetch, "appears": appears, "push": push,
		"add": add, "inspect": inspect, "validates": validates, "registry": ownRegistryDoes, "sshkey": sshKey, "plugin": plugin,
		"builder": startBuilder, "use": useBuilder, "unuse": unuseBuilder, "listens": listens,
	}
}

// sshKey writes a new key, without a passphrase, into a file: `sshkey FILE`.
func sshKey(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: sshkey FILE")
	}
	_, key, err := ed25519.GenerateKey(nil)
	ts.Check(err)
	block, err := ssh.MarshalPrivateKey(key, "")
	ts.Check(err)
	const private = 0o600
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), pem.EncodeToMemory(block), private))
}

// onEngine runs what a command does, connected to the script's engine.
func onEngine(ts *testscript.TestScript, do func(ctx context.Context, eng engine.Engine) error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	eng, err := connect(ctx, ts.Getenv("DOCKER_HOST"))
	ts.Check(err)
	defer eng.Close()
	ts.Check(do(ctx, eng))
}

// full is a container's name with its project.
func full(ts *testscript.TestScript, name string) string { return ts.Getenv("P") + "-" + name }

// await waits until a container of the project is in a state: `await web-1 running`. The engine's events wake it.
func await(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: await CONTAINER created|running|exited|...|healthy|unhealthy|gone")
	}
	name, wanted := full(ts, args[0]), args[1]
	onEngine(ts, func(ctx context.Context, eng engine.Engine) error {
		have := "none"
		err := eventually(ctx, eng, func() (bool, error) {
			found, err := eng.InspectContainer(ctx, name)
			switch {
			case errors.Is(err, engine.ErrNotFound):
				have = "gone"
			case err != nil:
				return false, err
			default:
				have = string(found.State) + " " + string(found.Health)
			}
			return strings.Contains(" "+have+" ", " "+wanted+" "), nil
		})
		if err != nil {
			return fmt.Errorf("container %s is %s: %w", name, have, err)
		}
		return nil
	})
}

// eventually looks now and at every event, until there is what is waited for.
func eventually(ctx context.Context, eng engine.Engine, look func() (bool, error)) error {
	errDone := errors.New("done")
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	check := func() error {
		done, err := look()
		if err == nil && done {
			err = errDone
		}
		if err != nil {
			cancel(err)
		}
		return err
	}
	err := eng.Events(ctx, engine.EventFilter{}, func() { _ = check() }, func(engine.Event) error { return check() })
	if errors.Is(err, errDone) || errors.Is(context.Cause(ctx), errDone) {
		return nil
	}
	return err
}

// says waits until a container has written something: `says web-1 'ready'`.
func says(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: says CONTAINER REGEXP")
	}
	wanted, err := regexp.Compile("(?m)" + args[1])
	ts.Check(err)
	onEngine(ts, func(ctx context.Context, eng engine.Engine) error {
		name := full(ts, args[0])
		started := func() (bool, error) {
			found, err := eng.InspectContainer(ctx, name)
			if errors.Is(err, engine.ErrNotFound) {
				return false, nil
			}
			return !found.StartedAt.IsZero(), err
		}
		if err := eventually(ctx, eng, started); err != nil {
			return fmt.Errorf("wait for the start of %s: %w", name, err)
		}
		errSaid := errors.New("said")
		var said bytes.Buffer
		err := eng.Logs(ctx, name, engine.LogOptions{Follow: true, Tail: -1}, func(frame engine.Frame) error {
			said.Write(frame.Data)
			if wanted.Match(said.Bytes()) {
				return errSaid
			}
			return nil
		})
		if errors.Is(err, errSaid) {
			return nil
		}
		return fmt.Errorf("%s has said %q: %w", args[0], said.String(), err)
	})
}

// appears waits until a file has a text: `appears up.txt 'web-1  \|'`. Who writes it tells nobody, so it is looked at often.
func appears(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: appears FILE REGEXP")
	}
	wanted, err := regexp.Compile("(?m)" + args[1])
	ts.Check(err)
	const often = 5 * time.Millisecond
	looks := time.NewTicker(often)
	defer looks.Stop()
	late := time.After(patience)
	var content []byte
	for {
		if content, _ = os.ReadFile(ts.MkAbs(args[0])); wanted.Match(content) {
			return
		}
		select {
		case <-looks.C:
		case <-late:
			ts.Fatalf("%s has %q", args[0], content)
		}
	}
}

// add writes a text behind a file, many times over where that is said: `add big.yaml '# filler' 500000`. \n and \e in the text are
// line breaks and escapes.
func add(ts *testscript.TestScript, neg bool, args []string) {
	const least, most = 2, 3
	if neg || len(args) < least || len(args) > most {
		ts.Fatalf("usage: add FILE TEXT [TIMES]")
	}
	times := 1
	if len(args) == most {
		var err error
		times, err = strconv.Atoi(args[least])
		ts.Check(err)
	}
	file, err := os.OpenFile(ts.MkAbs(args[0]), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	ts.Check(err)
	text := strings.NewReplacer(`\n`, "\n", `\e`, "\x1b").Replace(args[1])
	_, err = file.WriteString(strings.Repeat(text, times))
	ts.Check(errors.Join(err, file.Close()))
}

// plugin makes muster a plugin of the docker CLI with a folder of configuration: `plugin docker`.
func plugin(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: plugin FOLDER")
	}
	const mode = 0o755
	folder := filepath.Join(ts.MkAbs(args[0]), "cli-plugins")
	ts.Check(os.MkdirAll(folder, mode))
	for _, bin := range filepath.SplitList(ts.Getenv("PATH")) {
		program := filepath.Join(bin, "docker-compose")
		if _, err := os.Stat(program); err == nil {
			ts.Check(os.Symlink(program, filepath.Join(folder, "docker-compose")))
			return
		}
	}
	ts.Fatalf("muster is not in PATH")
}

// remember notes which container has a name now, for kept.
func remember(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		ts.Fatalf("usage: remember CONTAINER...")
	}
	for _, name := range args {
		ts.Setenv("ID_"+name, identify(ts, name))
	}
}

// kept fails when another container has a remembered one's name by now.
func kept(ts *testscript.TestScript, neg bool, args []string) {
	for _, name := range args {
		if same := identify(ts, name) == ts.Getenv("ID_"+name); same == neg {
			ts.Fatalf("container %s: kept is %v", name, same)
		}
	}
}

func identify(ts *testscript.TestScript, name string) string {
	var id string
	onEngine(ts, func(ctx context.Context, eng engine.Engine) error {
		found, err := eng.InspectContainer(ctx, full(ts, name))
		id = found.ID
		return err
	})
	return id
}

// inspect compares what the engine has of a container with what is expected: `inspect web-1 HostConfig.Init true`. Values are JSON
// without spaces; a key that has dots in it ends the path.
func inspect(ts *testscript.TestScript, neg bool, args []string) {
	const path, wanted, all = 1, 2, 3
	if neg || len(args) != all {
		ts.Fatalf("usage: inspect CONTAINER PATH VALUE")
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	whole, err := inspected(ctx, ts.Getenv("DOCKER_HOST"), full(ts, args[0]))
	ts.Check(err)
	value, rest := any(whole), args[path]
	for rest != "" {
		object, _ := value.(map[string]any)
		if found, ok := object[rest]; ok {
			value, rest = found, ""
			continue
		}
		var key string
		key, rest, _ = strings.Cut(rest, ".")
		value = object[key]
	}
	text, err := json.Marshal(value)
	ts.Check(err)
	if string(text) != args[wanted] {
		ts.Fatalf("%s of %s is %s", args[path], args[0], text)
	}
}

// inspected is the engine's own answer, whatever Muster takes from it.
func inspected(ctx context.Context, host, name string) (map[string]any, error) {
	network, address, _ := strings.Cut(host, "://")
	client := &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, address)
		},
		DisableKeepAlives: true,
	}}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://engine/containers/"+name+"/json", nil)
	if err != nil {
		return nil, err
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	var whole map[string]any
	return whole, json.NewDecoder(response.Body).Decode(&whole)
}

// fetch gets a URL from the engine's host: `fetch http://127.0.0.1:8080/ hello`.
func fetch(ts *testscript.TestScript, neg bool, args []string) {
	here, ok := ts.Value(placeKey{}).(place)
	if neg || len(args) != 2 || !ok {
		ts.Fatalf("usage: fetch URL TEXT")
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	body, err := here.fetch(ctx, args[0])
	ts.Check(err)
	if !strings.Contains(body, args[1]) {
		ts.Fatalf("GET %s: %q", args[0], body)
	}
}

// push puts a version of an image into the registry: `push shop/web:1 v2`. Services name it $REGISTRY/shop/web:1.
func push(ts *testscript.TestScript, neg bool, args []string) {
	here, ok := ts.Value(placeKey{}).(place)
	if neg || len(args) != 2 || !ok {
		ts.Fatalf("usage: push REPOSITORY:TAG VERSION")
	}
	ts.Check(here.push(args[0], args[1]))
}

// containers compares the project's containers with what is expected: `containers db-1=exited web-1=running`, by name. Those
// that are not given must not be there.
func containers(ts *testscript.TestScript, neg bool, args []string) {
	onEngine(ts, func(ctx context.Context, eng engine.Engine) error {
		found, err := eng.ListContainers(ctx, engine.ContainerFilter{Project: ts.Getenv("P")})
		if err != nil {
			return err
		}
		var have []string
		for _, c := range found {
			details, err := eng.InspectContainer(ctx, c.ID)
			if err != nil {
				return err
			}
			have = append(have, strings.TrimPrefix(c.Name, ts.Getenv("P")+"-")+"="+string(details.State))
		}
		if same := strings.Join(have, " ") == strings.Join(args, " "); same == neg {
			return fmt.Errorf("containers: %s", strings.Join(have, " "))
		}
		return nil
	})
}

// leftovers fails when the engine has anything of the project: a container, a network, a volume.
func leftovers(ts *testscript.TestScript, neg bool, _ []string) {
	name := ts.Getenv("P")
	onEngine(ts, func(ctx context.Context, eng engine.Engine) error {
		found, containersErr := eng.ListContainers(ctx, engine.ContainerFilter{Project: name, Hooks: true})
		networks, networksErr := eng.ListNetworks(ctx)
		volumes, volumesErr := eng.ListVolumes(ctx)
		if err := errors.Join(containersErr, networksErr, volumesErr); err != nil {
			return err
		}
		var left []string
		for _, c := range found {
			left = append(left, step.Object{Kind: step.Container, Name: c.Name}.String())
		}
		for _, n := range networks {
			if n.Labels[project.LabelProject] == name {
				left = append(left, step.Object{Kind: step.Network, Name: n.Name}.String())
			}
		}
		for _, v := range volumes {
			if v.Labels[project.LabelProject] == name || v.Labels[project.LabelFiles] == name || v.Labels[project.LabelLock] == name {
				left = append(left, step.Object{Kind: step.Volume, Name: v.Name}.String())
			}
		}
		if (len(left) > 0) != neg {
			return fmt.Errorf("left: %s", strings.Join(left, ", "))
		}
		return nil
	})
}
