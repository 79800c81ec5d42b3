package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"

	"github.com/moby/sys/atomicwriter"

	"github.com/muster-dev/muster/cmd/display"
	"github.com/muster-dev/muster/convergence/plan"
	"github.com/muster-dev/muster/project"
)

// savedPlan is what counts of a file with a plan when the plan is made anew: its steps, how it was asked for, and what it was made from.
type savedPlan struct {
	Schema  string      `json:"schema"`
	Project string      `json:"project"`
	Steps   []savedStep `json:"steps"`
	Saved   *savedBasis `json:"saved"`

	file string // as the user named it; empty for a plan that a person was shown
}

type savedStep struct {
	ID     int    `json:"id"`
	Action string `json:"action"`
	Text   string `json:"text"`
	After  []int  `json:"after"`
	When   string `json:"when"`
}

// savedBasis is what a file has beside the plan.
type savedBasis struct {
	savedCall
	// Salt is that of the digests of what the project says: values are not in the file.
	Salt    string                       `json:"salt"`
	Project map[string]map[string]string `json:"project"`
	Engine  map[string]map[string]string `json:"engine"`
}

// savedCall is how a plan was asked for.
type savedCall struct {
	Muster   string              `json:"muster"` // the version
	Host     string              `json:"host"`   // of the engine
	Services []string            `json:"services"`
	Flags    map[string][]string `json:"flags"`
}

// newBasis notes what a plan was made from. A salt of its own keeps equal values of several files apart.
func newBasis(made *plan.Plan, call savedCall, salt string) (*savedBasis, error) {
	basis, err := made.Basis()
	if err != nil {
		return nil, err
	}
	noted := &savedBasis{savedCall: call, Salt: salt, Project: map[string]map[string]string{}, Engine: map[string]map[string]string{}}
	for thing, fields := range basis.Project {
		noted.Project[thing] = fields.Digests(salt)
	}
	for thing, fields := range basis.Engine {
		facts := map[string]string{}
		for name, field := range fields {
			facts[name] = field.Value
		}
		noted.Engine[thing] = facts
	}
	return noted, nil
}

// savePlan is a plan as it would come out of a file.
func savePlan(made *plan.Plan, call savedCall) (*savedPlan, error) {
	text, err := encodePlan(made, call)
	if err != nil {
		return nil, err
	}
	return decodePlan(text)
}

func encodePlan(made *plan.Plan, call savedCall) ([]byte, error) {
	basis, err := newBasis(made, call, project.NewSalt())
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	err = display.PlanJSON(&text, made, basis)
	return text.Bytes(), err
}

// writePlan writes a plan for `up --from`, whole or not at all, for its owner alone to read.
func (g *globals) writePlan(file string, made *plan.Plan, call savedCall) error {
	text, err := encodePlan(made, call)
	if err != nil {
		return err
	}
	if len(text) > maxPlanFile {
		return fmt.Errorf("write --out file %q: the plan is larger than %d MB, which is what `up --from` takes", file, maxPlanFile>>20) //nolint:mnd // MB
	}
	const private = 0o600
	if err := atomicwriter.WriteFile(g.absolute(file), text, private); err != nil {
		return fmt.Errorf("write --out file %q: %w", file, err)
	}
	return nil
}

// maxPlanFile bounds what is read as a plan.
const maxPlanFile = 16 << 20

// readPlan reads a file that [globals.writePlan] wrote. It can be anybody's: nothing in it is done, it only has to be what would be done.
func (g *globals) readPlan(file string) (*savedPlan, error) {
	opened, err := os.Open(g.absolute(file))
	if err != nil {
		var cause *fs.PathError
		if errors.As(err, &cause) {
			err = cause.Err
		}
		return nil, &hinted{fmt.Errorf("read plan %q: %w", file, err), "write one with `muster plan --out " + quoted(file) + "`"}
	}
	defer opened.Close() //nolint:errcheck // it was only read
	text, err := io.ReadAll(io.LimitReader(opened, maxPlanFile+1))
	switch {
	case errors.Is(err, syscall.EISDIR):
		return nil, fmt.Errorf("read plan %q: it is a folder", file)
	case err != nil:
		return nil, fmt.Errorf("read plan %q: %w", file, err)
	case len(text) > maxPlanFile:
		return nil, fmt.Errorf("read plan %q: it is larger than %d MB", file, maxPlanFile>>20) //nolint:mnd // MB
	}
	saved, err := decodePlan(text)
	if err == nil {
		err = display.Validate(display.PlanSchema, text)
	}
	if err != nil {
		return nil, &hinted{fmt.Errorf("read plan %q: %w", file, err), "write it anew with `muster plan --out " + quoted(file) + "`"}
	}
	saved.file = file
	return saved, nil
}

func decodePlan(text []byte) (*savedPlan, error) {
	var saved savedPlan
	if err := json.Unmarshal(text, &saved); err != nil {
		return nil, fmt.Errorf("it is no plan: %w", err)
	}
	switch {
	case saved.Schema != display.PlanSchema:
		return nil, fmt.Errorf("its schema is %q, and this version of Muster takes %q", saved.Schema, display.PlanSchema)
	case saved.Saved == nil:
		return nil, errors.New("it is a plan to look at: it does not say what it was made from")
	}
	return &saved, nil
}
