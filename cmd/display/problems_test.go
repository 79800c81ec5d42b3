package display

import (
	"strings"
	"testing"

	"github.com/muster-dev/muster/project"
)

func TestProblems(t *testing.T) {
	t.Parallel()
	load := &project.LoadError{
		Source: map[string][]byte{
			"compose.yaml": []byte("services:\n  web:\n    prots:\n    \x1b[2Jimage: nginx\n    labels: {\"日本語\": b, prots: [1], " +
				strings.Repeat("a", 150) + ": [2], c: [3]}\n    PASSWORD: hunter2, and more\n    DB_PASSWORD: [hunter2]\n"),
			"one-line.json": []byte(`{"services":{` + strings.Repeat(" ", 20_000) + `}}`),
		},
		Problems: []project.Problem{
			{
				Position: project.Position{File: "compose.yaml", Line: 3, Column: 5}, Path: "services.web", Message: `unknown key "prots"`,
				Hint: `did you mean "ports"?`, Length: 5,
			},
			{Position: project.Position{File: "compose.yaml", Line: 4, Column: 8}, Message: "a place behind an escape", Length: 5},
			{Position: project.Position{File: "compose.yaml", Line: 5, Column: 23}, Message: "a place behind wide characters", Length: 5},
			{Position: project.Position{File: "compose.yaml", Line: 5, Column: 182}, Message: "a place far away", Length: 3},
			{Position: project.Position{File: "compose.yaml", Line: 5, Column: 35}, Message: "a long word", Length: 150},
			{Position: project.Position{File: "compose.yaml", Line: 6, Column: 15}, Message: "a secret", Length: 7},
			{Position: project.Position{File: "compose.yaml", Line: 7, Column: 19}, Message: "within a secret", Length: 7},
			{Position: project.Position{File: "compose.yaml", Line: 7, Column: 90}, Message: "behind the end", Length: 7},
			{Position: project.Position{File: "one-line.json", Line: 1, Column: 20_001}, Message: "a line that nobody reads", Length: 7},
			{Position: project.Position{File: "other.yaml"}, Message: "no place"},
		},
	}
	for name, width := range map[string]int{"problems": 0, "problems-80": 80, "problems-40": 40} {
		streams, _, errOut := buffers(width, 24)
		Problems(streams, load, false)
		golden(t, name, errOut.String())
	}
}

// TestSecretsInListings has what is shown of files, which may be too bad to be parsed, on the left and how it is shown on the right.
func TestSecretsInListings(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, file, want string }{
		{"a mapping", "DB_PASSWORD: hunter2", "DB_PASSWORD: ******"},
		{"with a comma", "DB_PASSWORD: hunter2, hunter3 # old", "DB_PASSWORD: ******"},
		{"quoted", `"DB_PASSWORD": "hun\"ter2" # set`, `"DB_PASSWORD": ****** # set`},
		{"in single quotes", "DB_PASSWORD: 'hun''ter2' # set", "DB_PASSWORD: ****** # set"},
		{"a quote that never ends", `DB_PASSWORD: "hunter2`, `DB_PASSWORD: ******`},
		{"no space", `DB_PASSWORD :hunter2`, `DB_PASSWORD :hunter2`},
		{"a list", "- DB_PASSWORD=hunter2", "- DB_PASSWORD=******"},
		{"a list in quotes", `- "DB_PASSWORD=hunter2 3" # set`, `- "DB_PASSWORD=******" # set`},
		{"a flow mapping", "{A: b, DB_PASSWORD: hunter2, C: d}", "{A: b, DB_PASSWORD: ******, C: d}"},
		{"JSON", `{"A":"b","DB_PASSWORD":"hunter2","C":"d"}`, `{"A":"b","DB_PASSWORD":******,"C":"d"}`},
		{"a flow list", "[A=b, DB_PASSWORD=hunter2, C=d]", "[A=b, DB_PASSWORD=******, C=d]"},
		{"a flow list, quoted", `["A=b", "DB_PASSWORD=hunter2", "C=d"]`, `["A=b", "DB_PASSWORD=******", "C=d"]`},
		{"a list as value", "DB_PASSWORD: [hunter2, hunter3]", "DB_PASSWORD: ******"},
		{"a mapping as value", "DB_PASSWORD: {value: hunter2}", "DB_PASSWORD: ******"},
		{"a mapping below", "DB_PASSWORD:\n  value: hunter2\nA: b", "DB_PASSWORD:\n  ******\nA: b"},
		{"a file of a secret in one line", "db_password: {fiel: ./password}", "db_password: {fiel: ./password}"},
		{"a flag", "command: serve --api-token hunter2 --verbose", "command: serve --api-token ******"},
		{"a flag with =", "command: [serve, --api-token=hunter2, --verbose]", "command: [serve, --api-token=******, --verbose]"},
		{"a URL", "DATABASE: postgres://app:hunter2@db/app", "DATABASE: postgres://app:******@db/app"},
		{"a query", "HOOK: https://hooks/?token=hunter2", "HOOK: https://hooks/?token=******"},
		{"a variable", "DB_PASSWORD: ${DB_PASSWORD:?set it in .env}", "DB_PASSWORD: ${DB_PASSWORD:?set it in .env}"},
		{"a variable in a flow", "{DB_PASSWORD: ${DB_PASSWORD?}, A: b}", "{DB_PASSWORD: ${DB_PASSWORD?}, A: b}"},
		{"a variable's default", "DB: ${DB_PASSWORD:-hunter2}", "DB: ${DB_PASSWORD:-******}"},
		{"a default for a secret", "DB_PASSWORD: ${DB:-hunter2}", "DB_PASSWORD: ******"},
		{"names of secrets", "secrets: [db_password]", "secrets: [db_password]"},
		{"an image", "image: keycloak/keycloak:25", "image: keycloak/keycloak:25"},
		{"a path", "- ./keys:/keys", "- ./keys:/keys"},
		{"a service", "auth:\n  image: x\n  prots: [1]", "auth:\n  image: x\n  prots: [1]"},
		{"a service with an anchor", "auth: &auth\n  image: x", "auth: &auth\n  image: x"},
		{"a file of a secret", "secrets:\n  db_password:\n    file: ./password", "secrets:\n  db_password:\n    file: ./password"},
		{"a block", "TLS_KEY: |-\n  BEGIN\n  Proc: 4\n\n    abc\nA: b", "TLS_KEY: |-\n  ******\n  ******\n\n    ******\nA: b"},
		{"the value on the next line", "DB_PASSWORD:\n  hunter2\nA: b", "DB_PASSWORD:\n  ******\nA: b"},
		{"a text over lines", "DB_PASSWORD: \"hunter2\n  hunter3\"\nA: b", "DB_PASSWORD: ******\n  ******\nA: b"},
		{"a list below", "DB_PASSWORD:\n  - hunter2\n  - hunter3\nA: b", "DB_PASSWORD:\n  ******\n  ******\nA: b"},
		{"a list right below", "DB_PASSWORD:\n- hunter2\n- hunter3\nA: b", "DB_PASSWORD:\n******\n******\nA: b"},
		{"a list of several lines", "- DB_PASSWORD=hunter2\n  hunter3\n- A=b", "- DB_PASSWORD=******\n  ******\n- A=b"},
		{"carriage returns", "DB_PASSWORD: hunter2\r\nA: b\r", "DB_PASSWORD: ******\nA: b"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			file := newListing([]byte(test.file))
			var lines []string
			for number := range file.lines {
				lines = append(lines, strings.Join(file.show(number+1), ""))
			}
			if got := strings.Join(lines, "\n"); got != test.want {
				t.Errorf("got\n%s\nwant\n%s", got, test.want)
			}
		})
	}
}
