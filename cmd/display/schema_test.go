package display

import (
	"os"
	"path/filepath"
	"testing"
)

// What is written as JSON is as its schema has it.
func TestSchemasHoldGoldens(t *testing.T) {
	t.Parallel()
	for golden, schema := range map[string]string{"plan-json": PlanSchema} {
		text, err := os.ReadFile(filepath.Join("testdata", golden+".golden"))
		if err != nil {
			t.Fatal(err)
		}
		if err := Validate(schema, text); err != nil {
			t.Errorf("%s: %v", golden, err)
		}
	}
}

// A schema says where a document is not as it has it.
func TestValidateNamesThePlace(t *testing.T) {
	t.Parallel()
	for document, want := range map[string]string{
		`{"schema": "muster.plan/1"}`: "at '': missing properties 'project', 'changed', 'totals', 'changes', 'unchanged', 'downtime', " +
			"'steps', 'warnings', 'questions', 'fingerprints'",
		`[]`:  "at '': got array, want object",
		`{"a`: "unexpected EOF",
	} {
		if err := Validate(PlanSchema, []byte(document)); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", document, err, want)
		}
	}
}
