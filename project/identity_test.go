package project

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func identify(t *testing.T, content, service string) Fields {
	t.Helper()
	p := &Project{Model: model(t, content), Digests: map[string]string{"secret s": "d1", "config c": "d2"}}
	identity, err := Identify(p, p.Services[service])
	if err != nil {
		t.Fatal(err)
	}
	return identity.Fields
}

func show(fields Fields) string {
	var lines []string
	for path, field := range fields {
		line := path + " = " + field.Value
		if field.Sensitive {
			line += " (sensitive)"
		}
		if field.Hidden {
			line += " (hidden)"
		}
		lines = append(lines, line)
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func TestFieldsAreWhatAContainerShows(t *testing.T) {
	t.Parallel()
	got := show(identify(t, `
services:
  a:
    image: nginx
    build: .
    command: [echo, "a b"]
    entrypoint: []
    environment: {LEVEL: info, UNSET: }
    ports: ["8080:80", "127.0.0.1:5353:53/udp", "9000", {target: 1, published: "2", name: n, app_protocol: http, mode: host}]
    volumes:
      - data:/data
      - /host:/mnt:ro,z
      - /anonymous
      - {type: tmpfs, target: /tmp, tmpfs: {size: 1m}}
    networks: {front: {aliases: [x, y]}, back: }
    secrets: [{source: s, target: /s, mode: 0400}]
    configs: [c]
    depends_on: [b]
    profiles: []
    pull_policy: always
    scale: 2
    labels: {k: v}
    deploy: {update_config: {parallelism: 2}, resources: {limits: {memory: 50M}}}
    develop: {watch: [{path: /x, action: rebuild}]}
    post_start: [{command: x}]
    healthcheck: {test: "true", interval: 90s}
    restart: always
  b: {image: b}
networks: {front: {name: other}, back: }
volumes: {data: {name: vol}}
secrets: {s: {file: /secret}}
configs: {c: {file: /config}}
`, "a"))
	want := `command = ["echo", "a b"]
configs.c.content = d2 (hidden)
configs.c.file = /config
deploy.resources.limits.memory = 52428800
entrypoint = []
environment.LEVEL = info (sensitive)
environment.UNSET = ` + unset + ` (sensitive)
healthcheck.interval = 1m30s
healthcheck.test = ["CMD-SHELL", "true"]
image = nginx
labels.k = v
networks.back.name = p_back
networks.front.aliases = ["x", "y"]
networks.front.name = other
ports = 8080:80, 127.0.0.1:5353:53/udp, 9000, 2:1
restart = always
secrets./s.content = d1 (hidden)
secrets./s.file = /secret
secrets./s.mode = 0400
volumes./anonymous = volume
volumes./data = volume vol
volumes./mnt = bind /host read-only bind.selinux=z
volumes./tmp = tmpfs tmpfs.size=1048576`
	if got != want {
		t.Errorf("fields\n%s\nwant\n%s", got, want)
	}
}

func TestFingerprintTellsWhatChanged(t *testing.T) {
	t.Parallel()
	old := Fields{
		"image": {Value: "nginx:1"}, "user": {Value: "root"}, "same": {Value: "x"},
		"environment.A": {Value: "1", Sensitive: true}, "environment.B": {Value: "2", Sensitive: true},
		"environment.GONE": {Value: "3", Sensitive: true},
	}
	label := old.Seal(NewSalt())
	for _, secret := range []string{"nginx:1", "environment.A"} {
		if strings.Contains(label, secret) {
			t.Errorf("the label shows %q: %s", secret, label)
		}
	}
	fingerprint, err := OpenFingerprint(label)
	if err != nil {
		t.Fatal(err)
	}
	for path, value := range fingerprint.Fields {
		if strings.HasPrefix(path, "environment.") && (!strings.HasPrefix(value, "#") || len(value) != 17) {
			t.Errorf("%s is kept as %q", path, value)
		}
	}
	if changes := old.Changes(fingerprint); len(changes) > 0 {
		t.Errorf("changes of the same fields: %v", changes)
	}
	wanted := Fields{
		"image": {Value: "nginx:2"}, "same": {Value: "x"}, "hostname": {Value: "h"},
		"environment.A": {Value: "1", Sensitive: true}, "environment.B": {Value: "two", Sensitive: true},
	}
	var got []string
	for _, change := range wanted.Changes(fingerprint) {
		got = append(got, fmt.Sprintf("%s %q->%q added=%v removed=%v sensitive=%v",
			change.Path, change.Old, change.New, change.Added, change.Removed, change.Sensitive))
	}
	want := []string{
		`environment.B ""->"two" added=false removed=false sensitive=true`,
		`environment.GONE ""->"" added=false removed=true sensitive=true`,
		`hostname ""->"h" added=true removed=false sensitive=false`,
		`image "nginx:1"->"nginx:2" added=false removed=false sensitive=false`,
		`user "root"->"" added=false removed=true sensitive=false`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("changes\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// What is hidden gives away nothing but that it has changed, whether it was hidden before or will be.
func TestHiddenValuesAreNeverTold(t *testing.T) {
	t.Parallel()
	open := Fields{"a": {Value: "1"}, "b": {Value: "2", Sensitive: true}}
	hidden := Fields{"a": {Value: "1", Hidden: true}, "b": {Value: "2", Sensitive: true, Hidden: true}}
	other := Fields{"a": {Value: "one", Hidden: true}, "b": {Value: "two", Sensitive: true, Hidden: true}}
	read := func(fields Fields) Fingerprint {
		fingerprint, err := OpenFingerprint(fields.Seal("salt"))
		if err != nil {
			t.Fatal(err)
		}
		return fingerprint
	}
	for name, pair := range map[string][2]Fields{"hidden": {open, hidden}, "open": {hidden, open}, "same": {hidden, hidden}} {
		if changes := pair[1].Changes(read(pair[0])); len(changes) > 0 {
			t.Errorf("%s: %+v", name, changes)
		}
	}
	for name, pair := range map[string][2]Fields{
		"hidden": {open, other}, "open": {other, open}, "other": {hidden, other}, "gone": {hidden, {}}, "new": {{}, hidden},
	} {
		changes := pair[1].Changes(read(pair[0]))
		if len(changes) != 2 {
			t.Errorf("%s: %+v", name, changes)
		}
		for _, change := range changes {
			if !change.Hidden || change.Old != "" || change.New != "" || change.Added != (name == "new") || change.Removed != (name == "gone") {
				t.Errorf("%s: %+v", name, change)
			}
		}
	}
}

func TestSealIsAFunctionOfFieldsAndSalt(t *testing.T) {
	t.Parallel()
	fields := Fields{"a": {Value: "1"}, "b": {Value: "2", Sensitive: true}}
	first, again := fields.Seal("s"), fields.Seal("s")
	if first != again {
		t.Error("the same fields and salt seal differently")
	}
	if fields.Seal("s") == fields.Seal("t") {
		t.Error("another salt seals the same")
	}
}

func TestLabelsOfOthersAreNoFingerprints(t *testing.T) {
	t.Parallel()
	whole := Fields{"a": {Value: "1"}}.Seal("s")
	for name, label := range map[string]string{
		"none": "", "no base64": "!!!", "no gzip": "aGVsbG8=", "cut": whole[:len(whole)/2],
	} {
		if _, err := OpenFingerprint(label); !errors.Is(err, ErrNoFingerprint) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	p := &Project{Model: &Model{Name: "shop"}}
	web := Service{Name: "web"}
	named := Service{Name: "web", ContainerName: "the-web"}
	named.Image = "nginx"
	old := "0123456789abcdef0123"
	for _, test := range []struct{ got, want string }{
		{p.ContainerName(web, 2), "shop-web-2"},
		{p.ContainerName(named, 1), "the-web"},
		{(&Project{Model: p.Model, Compatibility: true}).ContainerName(web, 2), "shop_web_2"},
		{p.ImageName(web), "shop-web"},
		{p.ImageName(named), "nginx"},
		{ReplacementName(old, "shop-web-1"), "0123456789ab_shop-web-1"},
		{RetiredName(old, "shop-web-1"), "shop-web-1_retired_0123456789ab"},
	} {
		if test.got != test.want {
			t.Errorf("%q, want %q", test.got, test.want)
		}
	}
	for name, temporary := range map[string]bool{
		"0123456789ab_shop-web-1": true, "shop-web-1_retired_0123456789ab": true, "shop-web-1": false,
		"shop_shop-web-1": false, "0123456789AB_shop-web-1": false, "shop-web-1_retired_x": false, "0123456789ab_shop-web-10": false,
	} {
		if IsTemporaryName(name, "shop-web-1") != temporary {
			t.Errorf("%q is temporary: %v", name, !temporary)
		}
	}
}

func TestRestartPolicy(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"": " 0 false", "restart: no": "no 0 false", "restart: always": "always 0 true", "restart: on-failure:3": "on-failure 3 true",
		"restart: unless-stopped": "unless-stopped 0 true",
		"restart: always\n    deploy: {restart_policy: {condition: none}}":                  "no 0 false",
		"deploy: {restart_policy: {condition: any}}":                                        "always 0 true",
		"deploy: {restart_policy: {condition: on-failure, max_attempts: 2}}":                "on-failure 2 true",
		"restart: always\n    deploy: {mode: global-job}":                                   "on-failure 0 true",
		"deploy: {mode: replicated-job, restart_policy: {condition: any, max_attempts: 2}}": "on-failure 2 true",
		"deploy: {mode: replicated-job, restart_policy: {condition: none}}":                 "no 0 false",
		"deploy: {mode: replicated-job}":                                                    " 0 false",
	} {
		service := model(t, "services:\n  a:\n    image: i\n    "+text+"\n").Services["a"]
		name, retries := RestartPolicy(service)
		if got := fmt.Sprint(name, " ", retries, " ", Restarts(service)); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

func TestDependsOnLabel(t *testing.T) {
	t.Parallel()
	p := &Project{Model: model(t, `
services:
  a:
    image: i
    depends_on:
      z: {condition: service_healthy, restart: true}
      b: {condition: service_started}
      away: {condition: service_started, required: false}
  b: {image: i}
  z: {image: i}
  away: {image: i}
`)}
	delete(p.Services, "away")
	const want = "b:service_started:false,z:service_healthy:true"
	if got := dependsOnLabel(p, p.Services["a"]); got != want {
		t.Errorf("label %q, want %q", got, want)
	}
	got := ParseDependsOnLabel(want + ",,lonely,odd:x:y:z")
	if len(got) != 4 || !got["z"].Restart || got["z"].Condition != ConditionHealthy || got["lonely"].Condition != ConditionStarted {
		t.Errorf("read back: %v", got)
	}
}

func TestOverridesLeaveTheProjectAlone(t *testing.T) {
	t.Parallel()
	p := &Project{Model: model(t, "services: {a: {image: i, deploy: {replicas: 1}}, b: {image: i, container_name: bb}}")}
	scaled, err := p.WithScale(map[string]int{"a": 3})
	a, before := scaled.Services["a"], p.Services["a"]
	if err != nil || a.GetScale() != 3 || before.GetScale() != 1 {
		t.Errorf("error %v, replicas %d, before %d", err, a.GetScale(), before.GetScale())
	}
	pulled, err := p.WithPullPolicy("if_not_present")
	if err != nil || pulled.Services["a"].PullPolicy != PullMissing || p.Services["a"].PullPolicy != "" {
		t.Errorf("error %v, policy %q", err, pulled.Services["a"].PullPolicy)
	}
	for _, replicas := range []map[string]int{{"nobody": 1}, {"b": 2}} {
		if _, err := p.WithScale(replicas); err == nil {
			t.Errorf("scale %v is taken", replicas)
		}
	}
	if _, err := p.WithPullPolicy("sometimes"); err == nil || err.Error() != `invalid --pull option "sometimes"` {
		t.Errorf("error %v", err)
	}
}

func TestPermanentName(t *testing.T) {
	t.Parallel()
	const id = "0123456789abcdef0123"
	for name, want := range map[string]string{
		RetiredName(id, "shop-web-1"): "shop-web-1", ReplacementName(id, "shop-web-1"): "shop-web-1", "shop-web-1": "shop-web-1",
		"shop_web_1": "shop_web_1", "0123456789ab_": "0123456789ab_", "_retired_0123456789ab": "_retired_0123456789ab", "": "",
		"web_retired_yesterday_": "web_retired_yesterday_",
	} {
		if got := PermanentName(name); got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
}
