package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/muster-dev/muster/cmd/display"
	"github.com/muster-dev/muster/cmd/terminal"
	"github.com/muster-dev/muster/convergence"
	"github.com/muster-dev/muster/convergence/plan"
	"github.com/muster-dev/muster/convergence/transfer"
	"github.com/muster-dev/muster/project"
)

type cpOptions struct {
	lifecycleOptions
	all, archive, followLink bool
	index                    int
}

func newCp(g *globals) *cobra.Command {
	o := &cpOptions{lifecycleOptions: lifecycleOptions{globals: g}}
	cmd := lifecycleCommand(&o.lifecycleOptions, "cp [OPTIONS] SERVICE:SRC_PATH DEST_PATH|-",
		"Copy files/folders between a service container and the local filesystem",
		`Copy files and folders into containers and out of them, whether they run or not: into all replicas of a service, or into the one
that --index names; out of the first. Both ends can be services, too.

A folder is copied into a folder that is there, and else under the new name; with "/." at its end only what is in it is copied. "-"
is a tar archive on the input or the output.`,
		func(ctx context.Context) error { return runCp(ctx, o) })
	cmd.Use += "\n  muster cp [OPTIONS] SRC_PATH|- SERVICE:DEST_PATH\n  muster cp [OPTIONS] SERVICE:SRC_PATH SERVICE:DEST_PATH"
	cmd.Example = `  muster cp web:/etc/nginx ./nginx     the folder, to edit it here
  muster cp ./nginx/. web:/etc/nginx   what is in it, into all replicas
  muster cp web:/var/log - | tar t     what there is`
	cmd.Args = cobra.ExactArgs(2) //nolint:mnd // from and to
	flags := cmd.Flags()
	flags.BoolVar(&o.all, "all", false, "Include containers created by the run command")
	flags.BoolVarP(&o.archive, "archive", "a", false, "Archive mode (copy all uid/gid information)")
	flags.BoolVarP(&o.followLink, "follow-link", "L", false, "Always follow symbol link in SRC_PATH")
	flags.IntVar(&o.index, indexFlag, 0, "Index of the container if service has multiple replicas")
	return cmd
}

// splitPlace takes SERVICE:PATH apart; the service is empty for a path here.
func splitPlace(text string) (service, path string) {
	service, path, ok := strings.Cut(text, ":")
	if !ok || filepath.IsAbs(text) || strings.HasPrefix(service, ".") {
		return "", text
	}
	return service, path
}

const stream = "-"

func runCp(ctx context.Context, o *cpOptions) error {
	input, err := o.ends(o.services[0], o.services[1])
	if err != nil {
		return err
	}
	var services []string
	for _, pick := range []plan.Pick{input.From, input.To} {
		if pick.Service != "" {
			services = append(services, pick.Service)
		}
	}
	here, err := o.look(ctx, services)
	if err != nil {
		return err
	}
	defer here.engine.Close() //nolint:errcheck // nothing is left to be said to the engine
	input.Name = here.name
	var told warnings
	input.Copy.Warn = told.add
	made, err := convergence.Converger{Engine: here.engine}.PlanCopy(ctx, input)
	if err != nil {
		return err
	}
	if input.Copy.From.In != nil {
		in, release := terminal.Interruptible(ctx, o.app.In)
		defer release()
		o.app.In = in
	}
	if input.Copy.From.In != nil && !o.dryRun && len(made.Nodes) > 1 {
		spooled, err := spool(ctx, o.app.In)
		if err != nil {
			return err
		}
		defer spooled.close()
		o.app.In = spooled
	}
	err = o.finish(ctx, here.engine, made, display.Title{Project: here.name, Verb: "cp", Done: "copied"})
	o.warn(told.all())
	return err
}

// ends reads what the arguments say.
func (o *cpOptions) ends(from, to string) (input plan.CopyInput, err error) {
	if err := checkIndex(o.index); err != nil {
		return input, err
	}
	input.Copy = transfer.Copy{FollowLink: o.followLink, KeepOwners: o.archive}
	pick := plan.Pick{Index: o.index, OneOffs: o.all}
	input.From, input.To = pick, pick
	if input.From.Service, input.Copy.From.Path = splitPlace(from); input.Copy.From.Path == "" {
		return input, errors.New("source can not be empty")
	}
	if input.To.Service, input.Copy.To.Path = splitPlace(to); input.Copy.To.Path == "" {
		return input, errors.New("destination can not be empty")
	}
	if input.From.Service == "" && input.To.Service == "" {
		return input, &hinted{errors.New("unknown copy direction"), "name a service in front of one of the paths: web:/etc/hosts"}
	}
	if input.From.Service == "" {
		input.Copy.From.Local = o.absolute(input.Copy.From.Path)
		if from == stream {
			input.Copy.From.In = o.input
		}
	}
	if input.To.Service == "" {
		input.Copy.To.Local = o.absolute(input.Copy.To.Path)
		if to == stream {
			input.Copy.To.Out = o.app.Out
		}
	}
	if to == stream && o.app.OutTerminal && !o.dryRun {
		return input, &hinted{errors.New("an archive is nothing for a terminal"), "redirect the output, or name a folder"}
	}
	return input, nil
}

// input is the archive on the input, from its beginning.
func (o *cpOptions) input() io.Reader {
	if spooled, ok := o.app.In.(*spooled); ok {
		return io.NewSectionReader(spooled.file, 0, spooled.size)
	}
	return o.app.In
}

// spooled is what came in, for those who want to read it more than once.
type spooled struct {
	io.Reader
	file *os.File
	size int64
}

// spool keeps a stream in a file that has no name any more.
func spool(ctx context.Context, in io.Reader) (*spooled, error) {
	file, err := os.CreateTemp("", "muster-cp-")
	if err != nil {
		return nil, fmt.Errorf("keep the archive for all replicas: %w", err)
	}
	kept := &spooled{Reader: file, file: file}
	if kept.size, err = io.Copy(file, in); err != nil {
		kept.close()
		return nil, fmt.Errorf("read the archive from the input: %w", err)
	}
	if ctx.Err() != nil { // it ended early
		kept.close()
		return nil, ctx.Err()
	}
	return kept, nil
}

func (s *spooled) close() {
	_ = s.file.Close()
	_ = os.Remove(s.file.Name())
}

// mostWarnings is how many are told one by one.
const mostWarnings = 20

// warnings collects what is to be told in the end.
type warnings struct {
	mutex sync.Mutex
	list  []project.Warning
	more  int // that are only counted
}

func (w *warnings) add(message string) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if len(w.list) == mostWarnings {
		w.more++
		return
	}
	w.list = append(w.list, project.Warning{Message: message})
}

// all is called when nothing is added any more.
func (w *warnings) all() []project.Warning {
	if w.more == 0 {
		return w.list
	}
	return append(w.list, project.Warning{Message: fmt.Sprintf("and %d more of these", w.more)})
}
