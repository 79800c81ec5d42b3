package step

import (
	"context"
	"io"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/transfer"
)

// TransferFiles copies files into a container or out of it: its target is the one that is copied to, or from where the files go nowhere
// else in the project.
type TransferFiles struct {
	Target
	Copy transfer.Copy
}

// Run implements [Step].
func (s TransferFiles) Run(ctx context.Context, eng engine.Engine, _ func(Progress)) error {
	return s.Copy.Run(ctx, eng)
}

// Object implements [Step]. docker compose tells of it by the container's name alone.
func (s TransferFiles) Object() Object { return Object{Name: s.Name} }

// Action implements [Step].
func (s TransferFiles) Action() string { return "copy" }

// Words implements [Step].
func (s TransferFiles) Words() (doing, done string) {
	return "Copying " + s.Copy.String(), "Copied " + s.Copy.String()
}

func (s TransferFiles) String() string { return "copy " + s.Copy.String() }

// ExportContainer writes a container's file system as a tar archive.
type ExportContainer struct {
	Target
	To transfer.Output
}

// Run implements [Step].
func (s ExportContainer) Run(ctx context.Context, eng engine.Engine, _ func(Progress)) error {
	return s.To.Write(func(w io.Writer) error { return eng.ExportContainer(ctx, s.ref(), w) })
}

// Object implements [Step]. docker compose tells of it by the container's name alone.
func (s ExportContainer) Object() Object { return Object{Name: s.Name} }

// Action implements [Step].
func (s ExportContainer) Action() string { return "export" }

// Words implements [Step].
func (s ExportContainer) Words() (doing, done string) { return "Exporting", "Exported" }

func (s ExportContainer) String() string { return "export container " + s.Name }

// CommitContainer makes an image of a container.
type CommitContainer struct {
	Target
	Request engine.CommitContainer // its Ref is the target's
}

// Run implements [Step].
func (s CommitContainer) Run(ctx context.Context, eng engine.Engine, report func(Progress)) error {
	request := s.Request
	request.Ref = s.ref()
	id, err := eng.CommitContainer(ctx, request)
	if err == nil {
		report(Progress{Text: "image " + id})
	}
	return err
}

// Object implements [Step]. docker compose tells of it by the container's name alone.
func (s CommitContainer) Object() Object { return Object{Name: s.Name} }

// Action implements [Step].
func (s CommitContainer) Action() string { return "commit" }

// Words implements [Step].
func (s CommitContainer) Words() (doing, done string) { return "Committing", "Committed" }

func (s CommitContainer) String() string { return "commit container " + s.Name }
