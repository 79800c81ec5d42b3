package plan

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/muster-dev/muster/convergence/step"
	"github.com/muster-dev/muster/graph"
	"github.com/muster-dev/muster/project"
)

// delivery is how a secret or config gets into containers.
type delivery uint8

const (
	// bound is the file of the engine's host itself, for reading.
	bound delivery = iota
	// copied is a copy in the container's own file system.
	copied
	// copiedToFolder is a copy in an anonymous volume at [secretsFolder], because the container's own file system is read-only there, or
	// covered by something. A tmpfs would be empty again at the start.
	copiedToFolder
	// copiedToPart is a copy in a volume of which only that file is mounted, for the same reason, anywhere else.
	copiedToPart
)

// secretsFolder is where secrets are put that say nothing else.
const secretsFolder = "/run/secrets"

// file is a service's use of a secret or config.
type file struct {
	step.File // Path is absolute in the container
	key       string
	by        delivery
	source    string // of a bind
	place     string // the path within the service
}

// part is what a file is called in a volume of which it alone is mounted. It does not depend on what else there is.
func (f file) part() string {
	const length = 16
	sum := sha256.Sum256([]byte(f.Path))
	return hex.EncodeToString(sum[:])[:length]
}

// quoted is what it is called in errors: `secret "db_password"`.
func (f file) quoted() string {
	kind, name, _ := strings.Cut(f.key, " ")
	return fmt.Sprintf("%s %q", kind, name)
}

// planFiles decides how a service's secrets and configs get into its containers. It refuses what a container would silently lack.
func (r *reconciler) planFiles(s *servicePlan) {
	r.checkFiles(s.service)
	if s.service.GetScale() == 0 {
		return
	}
	for _, one := range filesOf(r.Project, s.service) {
		if one.by == copied && mountsInRun(s.service) && r.State.Engine != nil && r.State.Engine.HasAPI(partsSince) {
			one.by = copiedToPart
		}
		if one.by != bound {
			content, ok := r.Project.Content(one.key)
			if one.Content = content; !ok {
				r.fileProblem(s.service, one, "the content of "+one.quoted()+" was not read", "read it with ReadContents before planning")
			}
		}
		s.files = append(s.files, one)
	}
}

// partsSince is the API that mounts parts of volumes.
const partsSince = "1.45"

// mountsInRun says whether a service mounts something below /var/run, which images have as a link to /run. Engines of 28.5 put no files into
// such a container ("path escapes from parent"); one that mounts parts of volumes can have them from there.
func mountsInRun(service project.Service) bool {
	return slices.ContainsFunc(mountTargets(service), func(target string) bool { return isBelow(target, "/var/run") })
}

// fileNeeds are the copies for which parts of volumes have to be mounted.
func fileNeeds(p *project.Project, service project.Service) []use {
	var uses []use
	for _, one := range filesOf(p, service) {
		parts := since(partsSince, "26.0")
		parts.why = fmt.Sprintf("put at %q, which is read-only or mounted,", one.Path)
		parts.try = "give it a target below " + secretsFolder + ", or leave out read_only and what is mounted there"
		uses = append(uses, use{one.place, one.by == copiedToPart, parts})
	}
	return uses
}

// filesOf are the files of a service: configs, then secrets. What is mounted in the same place wins over them.
func filesOf(p *project.Project, service project.Service) []file {
	var files []file
	own := mountTargets(service)
	covers := append(targetsFromOthers(p, service), own...)
	add := func(kind, target string, use project.FileReference, object project.FileObject) {
		if bool(object.External) || slices.Contains(own, target) {
			return
		}
		one := file{key: kind + " " + use.Source, source: object.File, place: kind + "s." + use.Source}
		one.Name, one.Path, one.Mode = one.key, target, readable
		if use.Mode != nil {
			one.Mode = int64(*use.Mode)
		}
		one.UID, _ = project.ParseOwner(use.UID) // loading has checked them
		one.GID, _ = project.ParseOwner(use.GID)
		if project.IsCopied(use, object) {
			one.by = deliveryTo(target, service.ReadOnly, covers)
		}
		files = append(files, one)
	}
	for _, use := range service.Configs {
		add("config", project.ConfigTarget(project.FileReference(use)), project.FileReference(use), project.FileObject(p.Configs[use.Source]))
	}
	for _, use := range service.Secrets {
		add("secret", project.SecretTarget(project.FileReference(use)), project.FileReference(use), project.FileObject(p.Secrets[use.Source]))
	}
	return files
}

// readable is the mode of a copied file that says no other.
const readable = 0o444

// deliveryTo is how a copy gets to its place.
func deliveryTo(target string, readOnly bool, covers []string) delivery {
	cover := ""
	for _, mount := range covers {
		if isBelow(target, mount) && len(mount) > len(cover) {
			cover = mount
		}
	}
	switch {
	case cover == "" && !readOnly:
		return copied
	case isBelow(target, secretsFolder) && cover != secretsFolder && !isBelow(cover, secretsFolder):
		return copiedToFolder
	}
	return copiedToPart
}

func isBelow(target, folder string) bool {
	return strings.HasPrefix(target, strings.TrimSuffix(folder, "/")+"/") && target != folder
}

// mountTargets are the places at which a service mounts something: what is written there before the start ends up on the host, in a volume
// that others use, or nowhere.
func mountTargets(service project.Service) []string {
	var targets []string
	for _, mount := range service.Volumes {
		targets = append(targets, path.Clean(mount.Target))
	}
	for _, entry := range service.Tmpfs {
		target, _, _ := strings.Cut(entry, ":")
		targets = append(targets, path.Clean(target))
	}
	return targets
}

// targetsFromOthers are those that it has from other services (`volumes_from`).
func targetsFromOthers(p *project.Project, service project.Service) []string {
	var targets []string
	for _, entry := range service.VolumesFrom {
		name, _, _ := strings.Cut(entry, ":")
		for _, mount := range p.Services[name].Volumes {
			targets = append(targets, path.Clean(mount.Target))
		}
	}
	return targets
}

// checkFiles refuses secrets and configs that are kept elsewhere: a single engine has none.
func (r *reconciler) checkFiles(service project.Service) {
	refuse := func(kind, name string, object project.FileObject) {
		if bool(object.External) {
			r.problem(Problem{
				Ref: graph.Service(service.Name), Position: r.Project.Place(kind + "s." + name),
				Message: fmt.Sprintf("unsupported external %s %q: service %q uses it, and a single engine keeps none", kind, name, service.Name),
				Try:     "give it `file:` or `environment:` in place of `external: true`",
			})
		}
	}
	for _, secret := range service.Secrets {
		refuse("secret", secret.Source, project.FileObject(r.Project.Secrets[secret.Source]))
	}
	for _, config := range service.Configs {
		refuse("config", config.Source, project.FileObject(r.Project.Configs[config.Source]))
	}
}

func (r *reconciler) fileProblem(service project.Service, one file, message, try string) {
	r.problem(Problem{Ref: graph.Service(service.Name), Position: r.Project.Place("services." + service.Name + "." + one.place), Message: message, Try: try})
}

// fileMounts are what a container mounts for its secrets and configs. containerName is what it is called when it is created.
func (r *reconciler) fileMounts(s *servicePlan, containerName string) []project.Mount {
	var mounts []project.Mount
	labels := map[string]string{project.LabelFiles: r.Project.Name}
	folder := false
	for _, one := range s.files {
		switch one.by {
		case bound:
			mounts = append(mounts, fileMount(one.source, one.Path))
		case copied:
		case copiedToFolder:
			folder = true
		case copiedToPart:
			mounts = append(mounts, project.Mount{
				Type: project.MountVolume, Source: partsVolume(containerName), Target: one.Path, ReadOnly: true,
				Volume: &project.VolumeOptions{NoCopy: true, Subpath: one.part(), Labels: labels},
			})
		}
	}
	if folder {
		mounts = append(mounts, project.Mount{
			Type: project.MountVolume, Target: secretsFolder, Volume: &project.VolumeOptions{NoCopy: true, Labels: labels},
		})
	}
	return mounts
}

// partsVolume is the volume of a container's files of which each is mounted alone.
func partsVolume(containerName string) string { return containerName + "_files" }

// fileMount binds a file for reading; one that is missing is not made up as a folder.
func fileMount(source, target string) project.Mount {
	return project.Mount{
		Type: project.MountBind, Source: source, Target: target, ReadOnly: true,
		Bind: &project.BindOptions{CreateHostPath: false},
	}
}

// nameFiles makes reasons about contents tell which secret or config it is: the paths of fields have where it lies.
func nameFiles(reasons []Reason, service project.Service) {
	names := map[string]string{}
	for _, use := range service.Secrets {
		names["secrets."+cmp.Or(use.Target, use.Source)+".content"] = "secret " + use.Source
	}
	for _, use := range service.Configs {
		names["configs."+cmp.Or(use.Target, use.Source)+".content"] = "config " + use.Source
	}
	for i := range reasons {
		if name, ok := names[reasons[i].Path]; ok {
			named := reasons[i]
			named.Path = name
			reasons[i].Text = named.String()
		}
	}
}
