package plan

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/step"
	"github.com/muster-dev/muster/convergence/transfer"
	"github.com/muster-dev/muster/graph"
)

// Pick says which containers of a service something is about.
type Pick struct {
	Service string
	Index   int  // the number of a replica; 0 means any
	OneOffs bool // one-off containers, too, after the others
}

// all are those that fit, running or not, by their numbers.
func (p Pick) all(state State) ([]engine.Container, error) {
	var found []engine.Container
	for _, c := range state.Containers {
		if c.Service == p.Service && (p.OneOffs || !c.OneOff) && !isHelper(c) && (p.Index == 0 || c.Number == p.Index && !c.OneOff) {
			found = append(found, c)
		}
	}
	slices.SortStableFunc(found, func(a, b engine.Container) int {
		return cmp.Or(boolOrder(a.OneOff, b.OneOff), cmp.Compare(a.Number, b.Number))
	})
	switch {
	case len(found) > 0:
		return found, nil
	case p.Index > 0:
		return nil, &Problem{
			Ref: graph.Service(p.Service), Message: fmt.Sprintf("service %q is not running container #%d", p.Service, p.Index),
			Try: "muster ps -a " + p.Service,
		}
	}
	return nil, &Problem{
		Ref: graph.Service(p.Service), Message: fmt.Sprintf("no container found for service %q", p.Service),
		Try: "muster up -d " + p.Service,
	}
}

// one is the first of them, one that runs before others.
func (p Pick) one(state State) (engine.Container, error) {
	p.OneOffs = true
	found, err := p.all(state)
	if err != nil {
		return engine.Container{}, err
	}
	slices.SortStableFunc(found, func(a, b engine.Container) int { return boolOrder(!a.Running(), !b.Running()) })
	return found[0], nil
}

// boolOrder puts false before true.
func boolOrder(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// CopyInput is what copying files is planned from.
type CopyInput struct {
	Name  string // of the project
	State State
	// From and To pick the containers of the two ends; one without a service is not in a container.
	From, To Pick
	// Copy is what is copied, with everything decided but the containers.
	Copy transfer.Copy
}

// CopyFiles plans copies into all containers that fit, at the same time, out of the first of those that fit.
//
// The error is a [*Problem] where there is no container.
func CopyFiles(input CopyInput) (*Plan, error) {
	b := newBuilder(input.Name)
	var from engine.Container
	if input.From.Service != "" {
		found, err := input.From.all(input.State)
		if err != nil {
			return nil, err
		}
		from = found[0]
		input.Copy.From.Container, input.Copy.From.Name, input.Copy.From.Service = from.ID, from.Name, from.Service
	}
	if input.To.Service == "" {
		b.copy(from, input.Copy)
		return b.plan, nil
	}
	found, err := input.To.all(input.State)
	if err != nil {
		return nil, err
	}
	for _, to := range found {
		input.Copy.To.Container, input.Copy.To.Name, input.Copy.To.Service = to.ID, to.Name, to.Service
		b.copy(to, input.Copy)
	}
	return b.plan, nil
}

func (b *builder) copy(container engine.Container, files transfer.Copy) {
	b.add(step.TransferFiles{Target: target(container), Copy: files})
	b.noteWith(Copy, container, files.String())
}

// noteWith is note with words on what is done.
func (b *builder) noteWith(kind Kind, container engine.Container, words string) {
	b.note(kind, container)
	for i := range b.plan.Changes {
		if change := &b.plan.Changes[i]; change.Kind == kind && change.Ref == graph.Service(container.Service) {
			change.Reasons = append(change.Reasons, Reason{Text: words})
		}
	}
}

// CommitInput is what making an image of a container is planned from.
type CommitInput struct {
	Name    string // of the project
	State   State
	Pick    Pick
	Request engine.CommitContainer // without the container
}

// CommitContainer plans that an image is made of one container, one that runs before others.
//
// The error is a [*Problem] where there is no container.
func CommitContainer(input CommitInput) (*Plan, error) {
	container, err := input.Pick.one(input.State)
	if err != nil {
		return nil, err
	}
	b := newBuilder(input.Name)
	b.add(step.CommitContainer{Target: target(container), Request: input.Request})
	b.noteWith(Commit, container, container.Name+" to "+cmp.Or(input.Request.Reference, "an image without a name"))
	return b.plan, nil
}

// ExportInput is what writing out a container's files is planned from.
type ExportInput struct {
	Name  string // of the project
	State State
	Pick  Pick
	To    transfer.Output
}

// ExportContainer plans that one container's files are written out, of one that runs before others.
//
// The error is a [*Problem] where there is no container.
func ExportContainer(input ExportInput) (*Plan, error) {
	container, err := input.Pick.one(input.State)
	if err != nil {
		return nil, err
	}
	b := newBuilder(input.Name)
	b.add(step.ExportContainer{Target: target(container), To: input.To})
	b.noteWith(Export, container, container.Name+" to "+cmp.Or(input.To.Path, "the output"))
	return b.plan, nil
}
