package project_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/muster-dev/muster/project"
)

// TestLoadLimits has files that would cost much to load. Each is refused with a place, for little memory.
func TestLoadLimits(t *testing.T) {
	t.Parallel()
	const service = "services:\n  web:\n    image: nginx\n"
	for name, test := range map[string]struct{ text, want string }{
		"file over the cap": {
			service + strings.Repeat("# filler\n", 1<<19), "compose.yaml: file is larger than 4 MB",
		},
		"10000 nested levels, flow": {
			service + "x-deep: " + strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000) + "\n",
			"compose.yaml:4:109: nested deeper than 100 levels",
		},
		"10000 nested levels, flow, a little less": {
			service + "x-deep: " + strings.Repeat("[", 9_000) + strings.Repeat("]", 9_000) + "\n",
			"compose.yaml:4:109: nested deeper than 100 levels",
		},
		"10000 nested levels, open": {
			strings.Repeat("[", 10_000), "compose.yaml:1:10001: bad YAML: did not find expected node content",
		},
		"millions of nested levels": {
			strings.Repeat("[", 4_000_000), "compose.yaml:1:10001: nested deeper than 100 levels",
		},
		"10000 nested levels, block": {
			service + "x-deep:\n  " + strings.Repeat("- ", 10_000) + "x\n", "compose.yaml:5:20001: nested deeper than 100 levels",
		},
		"nested mappings": {
			nestedMappings(2000), "compose.yaml:101:101: nested deeper than 100 levels",
		},
		"alias bomb": {
			service + aliasBomb(), "compose.yaml:9:21: holds more than 300000 values, aliases followed",
		},
		"alias chain": {
			service + aliasChain(), "compose.yaml:102:7: nested deeper than 100 levels",
		},
		"a million values": {
			service + "x-list: [" + strings.Repeat("1,", 1_000_000) + "1]\n",
			"compose.yaml:4:600008: holds more than 300000 values, aliases followed",
		},
		"growing variables": {
			service + "    command: [" + strings.Repeat("\"${BIG}\",", 2000) + "x]\n", "variables add up to more than 16 MB",
		},
		"a crowd of variables": {
			service + "    command: \"" + strings.Repeat("${A:-", 20_000) + strings.Repeat("}", 20_000) + "\"\n",
			"compose.yaml:4:14: services.web.command: too many variables in one text",
		},
		"a crowd of keys": {
			service + "    labels: {" + manyKeys(30_000) + "}\n", "compose.yaml:4:13: has too many keys",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := realDir(t)
			writeFile(t, filepath.Join(dir, "compose.yaml"), test.text)
			options := project.Options{Dir: dir, Env: []string{"BIG=" + strings.Repeat("x", 100_000)}}
			_, err := project.Load(t.Context(), options)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("got %.300v, want %s", err, test.want)
			}
		})
	}
}

func nestedMappings(levels int) string {
	var text strings.Builder
	for i := range levels {
		text.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	return text.String()
}

func manyKeys(count int) string {
	var text strings.Builder
	for i := range count {
		fmt.Fprintf(&text, "key%d: x,", i)
	}
	return text.String()
}

func aliasBomb() string {
	text := "x-0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]\n"
	for i := 1; i < 10; i++ {
		text += fmt.Sprintf("x-%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 10), ", "))
	}
	return text
}

func aliasChain() string {
	text := "x-0: &a0 [x]\n"
	for i := 1; i < 600; i++ {
		text += fmt.Sprintf("x-%d: &a%d [*a%d]\n", i, i, i-1)
	}
	return text
}

// TestLoadLimitsOfOthers checks that the limits hold for files that others lead to.
func TestLoadLimitsOfOthers(t *testing.T) {
	t.Parallel()
	large := strings.Repeat("# filler\n", 1<<19)
	for name, test := range map[string]struct{ text, want string }{
		"included":        {"include: [big.yaml]\n", `compose.yaml:1:11: include: file "$DIR/big.yaml" is larger than 4 MB`},
		"included fifo":   {"include: [/dev/zero]\n", `file "/dev/zero" cannot be read: /dev/zero is not a regular file`},
		"included env":    {"include: [{path: ok.yaml, env_file: big.yaml}]\n", `env file "$DIR/big.yaml" is larger than 4 MB`},
		"extended":        {"services: {a: {extends: {file: big.yaml, service: x}}}\n", `file "$DIR/big.yaml" is larger than 4 MB`},
		"extended by job": {"jobs: {a: {extends: {file: /dev/zero, service: x}}}\n", `/dev/zero is not a regular file`},
		"extended deep":   {"services: {a: {extends: {file: deep.yaml, service: x}}}\n", "deep.yaml:1:104: nested deeper than 100 levels"},
		"env file":        {"services: {a: {image: x, env_file: big.yaml}}\n", `env file "$DIR/big.yaml" is larger than 4 MB`},
		"env file fifo":   {"services: {a: {image: x, env_file: /dev/zero}}\n", `/dev/zero is not a regular file`},
		"fan":             {"include: [fan0.yaml]\n", "more than 1000 files"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := realDir(t)
			writeFile(t, filepath.Join(dir, "compose.yaml"), test.text)
			writeFile(t, filepath.Join(dir, "big.yaml"), large)
			writeFile(t, filepath.Join(dir, "ok.yaml"), "services: {}\n")
			writeFile(t, filepath.Join(dir, "deep.yaml"), "x: "+strings.Repeat("[", 3000)+strings.Repeat("]", 3000))
			if name == "fan" {
				writeFan(t, dir)
			}
			_, err := project.Load(t.Context(), project.Options{Dir: dir})
			want := strings.ReplaceAll(test.want, "$DIR", dir)
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Fatalf("got %.500v, want %s", err, want)
			}
		})
	}
}

// writeFan writes files that each include all later ones, in folders with a .env each, so that none is read as another one.
func writeFan(t *testing.T, dir string) {
	t.Helper()
	const count = 40
	for i := range count {
		text := "include:\n"
		for j := i + 1; j < count; j++ {
			text += fmt.Sprintf("  - {path: %s/fan%d.yaml, env_file: %s/fan%d.env}\n", dir, j, dir, j)
		}
		if i == count-1 {
			text = "services: {x: {image: y}}\n"
		}
		writeFile(t, filepath.Join(dir, fmt.Sprintf("fan%d.yaml", i)), text)
		writeFile(t, filepath.Join(dir, fmt.Sprintf("fan%d.env", i)), fmt.Sprintf("FAN%d=1\n", i))
	}
}

// TestLoadTwice checks that the same files give the same, problems in the same order.
func TestLoadTwice(t *testing.T) {
	t.Parallel()
	good, bad := realDir(t), realDir(t)
	writeFile(t, filepath.Join(good, "compose.yaml"), manyServices(3))
	writeFile(t, filepath.Join(bad, "compose.yaml"), manyServices(3)+`
  bad1: {image: "${A:?a}", ports: ["x:1"], links: [nope]}
  bad2: {imag: x, stop_grace_period: soon, depends_on: [svc99]}
  bad3: {image: X, networks: [n1, n2], secrets: [s1, s2], volumes: ["v1:/1", "v2:/1"]}
secrets: {a: {}, b: {}, c: {file: x, environment: y}}
`)
	for name, dir := range map[string]string{"good": good, "bad": bad} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const times = 40 // of two things in an order by chance, one order that often has a probability of 1e-12
			first := loadText(t, dir)
			for range times {
				if again := loadText(t, dir); again != first {
					t.Fatalf("got\n%s\nafter\n%s", again, first)
				}
			}
		})
	}
}

func loadText(t *testing.T, dir string) string {
	t.Helper()
	loaded, err := project.Load(t.Context(), project.Options{Dir: dir})
	if err != nil {
		return err.Error()
	}
	model, err := loaded.MarshalYAML()
	if err != nil {
		t.Fatal(err)
	}
	return string(model) + problemText(loaded.Warnings)
}

func manyServices(count int) string {
	var text strings.Builder
	text.WriteString("name: many\nservices:\n")
	for i := range count {
		fmt.Fprintf(&text, `  svc%[1]d:
    image: registry.example.com/team/service%[1]d:${TAG:-1.0}
    environment:
      LOG_LEVEL: info
      PORT: "80%[1]d"
      DATABASE: postgres://db/svc%[1]d
    ports: ["%[2]d:8080"]
    volumes: ["./data%[1]d:/data", "/tmp/x%[1]d:/tmp/x:ro"]
    healthcheck: {test: [CMD, "true"], interval: 5s, retries: 3}
    restart: unless-stopped
    labels: {team: core, index: "%[1]d"}
`, i, 10000+i)
		if i > 0 {
			fmt.Fprintf(&text, "    depends_on: {svc%d: {condition: service_healthy}}\n", i-1)
		}
	}
	return text.String()
}

// TestLoadMemory checks that refusing a bomb takes no more memory than its text is worth.
func TestLoadMemory(t *testing.T) {
	dir := realDir(t)
	writeFile(t, filepath.Join(dir, "compose.yaml"), "services: {web: {image: nginx}}\n"+aliasBomb())
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := project.Load(t.Context(), project.Options{Dir: dir})
	runtime.ReadMemStats(&after)
	if loading := (*project.LoadError)(nil); !errors.As(err, &loading) {
		t.Fatalf("got %v, want a LoadError", err)
	}
	if used := (after.TotalAlloc - before.TotalAlloc) >> 20; used > 50 {
		t.Errorf("%d MB for a bomb", used)
	}
}

func BenchmarkLoad(b *testing.B) {
	for _, count := range []int{1, 50, 500} {
		b.Run(fmt.Sprintf("services=%d", count), func(b *testing.B) {
			dir := b.TempDir()
			writeFile(b, filepath.Join(dir, "compose.yaml"), manyServices(count))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := project.Load(b.Context(), project.Options{Dir: dir}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("services=500/bad", func(b *testing.B) {
		dir := b.TempDir()
		text := manyServices(500) + "  bad: {image: x, prots: [], depends_on: [svc0x]}\n"
		writeFile(b, filepath.Join(dir, "compose.yaml"), text)
		for b.Loop() {
			if _, err := project.Load(b.Context(), project.Options{Dir: dir}); err == nil {
				b.Fatal("no error")
			}
		}
	})
}
