package plan

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/step"
	"github.com/muster-dev/muster/graph"
	"github.com/muster-dev/muster/project"
)

// fillNew plans that a container that was just created gets its files, and returns the last step of that.
func (r *reconciler) fillNew(s *servicePlan, container step.Target, created NodeID) NodeID {
	return r.fill(s, container, partsVolume(container.Name), r.Project.ImageName(s.service), []NodeID{created})[0]
}

// filled are the steps after which a container that stays, or was just created, is there with its files.
func (r *reconciler) filled(s *servicePlan, one *replica) []NodeID {
	if one.current == nil {
		return one.create
	}
	return r.fillAgain(s, *one.current, one.create)
}

// fillAgain plans that a container that was created before gets its files once more, because nobody can tell whether it has them: whoever
// created it may have been killed. One that has started has them.
func (r *reconciler) fillAgain(s *servicePlan, container engine.Container, after []NodeID) []NodeID {
	if container.State != engine.StateCreated {
		return after
	}
	volume := ""
	for _, one := range s.files {
		for _, mount := range container.Mounts {
			if one.by == copiedToPart && mount.Target == one.Path {
				volume = mount.Name
			}
		}
	}
	return r.fill(s, target(container), volume, cmp.Or(container.ImageID, container.Image), after)
}

// fill plans the copies of a container's files, those first without which the container takes no others.
func (r *reconciler) fill(s *servicePlan, container step.Target, volume, image string, after []NodeID) []NodeID {
	folders := map[string][]step.File{}
	var parts []step.File
	for _, one := range s.files {
		switch one.by {
		case bound:
		case copied:
			folders["/"] = append(folders["/"], one.File)
		case copiedToFolder:
			inside := one.File
			inside.Path = strings.TrimPrefix(one.Path, secretsFolder+"/")
			folders[secretsFolder] = append(folders[secretsFolder], inside)
		case copiedToPart:
			inside := one.File
			inside.Path = one.part()
			parts = append(parts, inside)
		}
	}
	if len(parts) > 0 && volume != "" {
		r.volumesFilled[volume] = true
		id := r.add(step.FillVolume{
			Target: container, Volume: volume, Files: parts, Image: image, Platform: s.service.Platform, Project: r.Project.Name,
		}, after...)
		r.follow(id, r.helperRemovals...) // one of them may have the name, and no engine takes two removals at once
		after = []NodeID{id}
	}
	for _, folder := range sortedKeys(folders) {
		after = []NodeID{r.add(step.CopyFiles{Target: container, Folder: folder, Files: folders[folder]}, after...)}
	}
	return after
}

// undoFiles removes the volume of a new container's files with it.
func (r *reconciler) undoFiles(s *servicePlan, one *replica) {
	if one.resume == nil && slices.ContainsFunc(s.files, func(f file) bool { return f.by == copiedToPart }) {
		r.undo(step.RemoveVolume{Name: partsVolume(one.newName())})
	}
}

// isFiles says whether a volume holds secrets and configs of a project's container.
func isFiles(volume engine.Volume, projectName string) bool {
	return volume.Labels[project.LabelFiles] == projectName
}

// isHelper says whether a container was made to fill a volume with files, or for a pre_start hook, and left over: by a run that was cut
// short, or for a look at what has failed.
func isHelper(container engine.Container) bool {
	return container.Labels[project.LabelFiles] != "" || container.Hook != ""
}

// removeHelper removes what was left over.
func (r *reconciler) removeHelper(container engine.Container) {
	id := r.removeLeftover(container)
	r.removals, r.helperRemovals = append(r.removals, id), append(r.helperRemovals, id)
}

// removeLeftover removes a helper and tells of it.
func (b *builder) removeLeftover(container engine.Container) NodeID {
	id := b.add(step.RemoveContainer{Target: target(container), Volumes: container.Hook != "", Quiet: true})
	reason := "left over by a run that was cut short"
	if container.Hook != "" && container.State == engine.StateExited {
		reason = "a " + container.Hook + " hook has ended, exit " + strconv.Itoa(container.ExitCode)
	}
	b.plan.Changes = append(b.plan.Changes, Change{
		Kind: Finish, Ref: graph.Service(container.Service), Objects: []step.Object{{Kind: step.Container, Name: container.Name}},
		Reasons: []Reason{{Text: reason}},
	})
	return id
}

// removeFileVolumes plans that volumes of files go with the containers that they were made for, and those that somebody left.
func (r *reconciler) removeFileVolumes() {
	removals := map[string]NodeID{} // of containers, by ID
	for _, id := range r.removals {
		if remove, ok := r.plan.Nodes[id].Step.(step.RemoveContainer); ok {
			removals[remove.ID] = id
		}
	}
	for _, volume := range r.State.Volumes {
		if !isFiles(volume, r.Project.Name) || r.volumesFilled[volume.Name] {
			continue
		}
		users := mountingVolume(r.State.Containers, volume.Name)
		if slices.ContainsFunc(users, func(c engine.Container) bool { _, goes := removals[c.ID]; return !goes }) {
			continue
		}
		id := r.add(step.RemoveVolume{Name: volume.Name})
		node := &r.plan.Nodes[id]
		node.Optional = true
		for _, user := range users {
			removal := r.plan.Nodes[removals[user.ID]]
			r.after(id, removal.ID)
			node.Group, node.Commit, node.When = removal.Group, removal.Commit, step.All(node.When, removal.When)
		}
	}
}

func mountingVolume(containers []engine.Container, name string) []engine.Container {
	var users []engine.Container
	for _, container := range containers {
		if mountsVolume(container, name) {
			users = append(users, container)
		}
	}
	return users
}
