package cli

import (
	"context"
	"fmt"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/muster-dev/muster/project"
)

// withDigests asks registries, through the engine, what the images of the project are now, and names them so. Only an image
// that names its digest itself needs neither.
func (o *configOptions) withDigests(ctx context.Context, p *project.Project) (*project.Project, error) {
	const atOnce = 8
	var wanted []project.ImageUse
	for _, use := range p.ImageUses() {
		if !project.NamesDigest(use.Reference) {
			wanted = append(wanted, use)
		}
	}
	if len(wanted) == 0 {
		return p.WithDigests(nil)
	}
	eng, err := o.dial(ctx, p.Name)
	if err != nil {
		return nil, err
	}
	defer eng.Close() //nolint:errcheck // nothing is left to be said to the engine
	found := make([]string, len(wanted))
	calls, ctx := errgroup.WithContext(ctx)
	calls.SetLimit(atOnce)
	for i, use := range wanted {
		calls.Go(func() (err error) {
			if found[i], err = eng.RemoteDigest(ctx, use.Reference); err != nil {
				return fmt.Errorf("resolve digest of image %q of service %s: %w", use.Reference, strings.Join(use.Services, ", "), err)
			}
			return nil
		})
	}
	if err := calls.Wait(); err != nil {
		return nil, err
	}
	digests := map[string]string{}
	for i, use := range wanted {
		digests[use.Reference] = found[i]
	}
	return p.WithDigests(digests)
}

// lockedService is what an override file says of a service, to keep its images as they are.
type lockedService struct {
	Image   string        `json:"image,omitempty" yaml:"image,omitempty"`
	Volumes []lockedMount `json:"volumes,omitempty" yaml:"volumes,omitempty"`
}

type lockedMount struct {
	Type   string `json:"type" yaml:"type"`
	Source string `json:"source" yaml:"source"`
	Target string `json:"target" yaml:"target"`
}

// renderLock writes a file that, put after the project's own, keeps the images of services and of image mounts as they are now.
func (o *configOptions) renderLock(p *project.Project) ([]byte, error) {
	services := map[string]lockedService{}
	for _, name := range p.ServiceNames() {
		service := p.Services[name]
		locked := lockedService{Image: service.Image}
		for _, mount := range service.Volumes {
			if mount.Type == project.MountImage {
				locked.Volumes = append(locked.Volumes, lockedMount{Type: mount.Type, Source: mount.Source, Target: mount.Target})
			}
		}
		for _, hook := range service.PreStart {
			if hook.Image != "" {
				o.warn([]project.Warning{{Message: fmt.Sprintf(
					"the image %q of a pre_start hook of service %q is not pinned: lists of hooks are not merged between files", hook.Image, name)}})
			}
		}
		if locked.Image != "" || len(locked.Volumes) > 0 {
			services[name] = locked
		}
	}
	tree := map[string]any{"services": services}
	return marshalTree(tree, o.format)
}
