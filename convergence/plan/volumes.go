package plan

import (
	"errors"
	"fmt"
	"maps"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/step"
	"github.com/muster-dev/muster/graph"
	"github.com/muster-dev/muster/project"
)

// volumePlan is what becomes of one volume of the project.
type volumePlan struct {
	key, name string
	change    *Change
	// recreated says that the volume goes and a new one comes: its users have to go before it.
	recreated bool
	wanted    project.Volume
	ready     []NodeID
}

func (r *reconciler) planVolumes() {
	for _, key := range sortedKeys(r.Project.Volumes) {
		wanted := r.Project.Volumes[key]
		v := &volumePlan{key: key, name: wanted.Name, wanted: wanted}
		r.volumes[key] = v
		current, exists := r.State.volume(wanted.Name)
		switch {
		case bool(wanted.External) && !exists && !r.isMadeByEngine(key):
			r.problem(Problem{
				Ref: graph.Volume(key), Position: r.Project.Place("volumes." + key),
				Message: fmt.Sprintf("external volume %q not found", wanted.Name),
				Try:     "create it with `docker volume create " + wanted.Name + "`, or leave out `external: true`",
			})
		case bool(wanted.External):
		case !exists:
			r.createVolume(v, nil)
		default:
			r.compareVolume(v, current)
		}
	}
	r.recreateVolumes()
}

func (r *reconciler) createVolume(v *volumePlan, after []NodeID) {
	fields, fieldsErr := project.VolumeFields(v.wanted)
	hash, hashErr := project.VolumeHash(v.wanted)
	if err := errors.Join(fieldsErr, hashErr); err != nil {
		r.problems = append(r.problems, err)
		return
	}
	labels := maps.Clone(map[string]string(v.wanted.Labels))
	if labels == nil {
		labels = map[string]string{}
	}
	labels[project.LabelVolume] = v.key
	labels[project.LabelProject] = r.Project.Name
	labels[project.LabelVersion] = project.ComposeVersion
	labels[project.LabelConfigHash] = hash
	create := r.add(step.CreateVolume{
		Key: v.key, Fields: fields, Request: engine.CreateVolume{Name: v.name, Labels: labels, Volume: v.wanted},
	}, after...)
	v.ready = append(v.ready, create)
	if v.change == nil {
		v.change = &Change{Kind: Create, Ref: graph.Volume(v.key), Objects: []step.Object{{Kind: step.Volume, Name: v.name}}}
	}
}

// compareVolume asks before a volume with other settings is made anew, because its data would be lost. Without an answer the
// volume stays as it is.
func (r *reconciler) compareVolume(v *volumePlan, current engine.Volume) {
	ref := graph.Volume(v.key)
	switch owner := current.Labels[project.LabelProject]; {
	case owner == "":
		r.warn(ref, "volume %q already exists but was not created by Docker Compose. "+
			"Use `external: true` to use an existing volume", v.name)
	case owner != r.Project.Name:
		r.warn(ref, "volume %q already exists but was created for project %q (expected %q). "+
			"Use `external: true` to use an existing volume", v.name, owner, r.Project.Name)
	default:
		fields, err := project.VolumeFields(v.wanted)
		if err != nil {
			r.problems = append(r.problems, err)
			return
		}
		reasons := labelReasons(current.Labels, fields, func() (string, error) { return project.VolumeHash(v.wanted) })
		if len(reasons) > 0 && r.Policy.RecreateVolumes[v.key] {
			v.recreated = true
			v.change = &Change{Kind: Replace, Ref: ref, Objects: []step.Object{{Kind: step.Volume, Name: v.name}}, Reasons: reasons}
			return
		}
		if _, answered := r.Policy.RecreateVolumes[v.key]; len(reasons) > 0 && !answered {
			r.plan.Questions = append(r.plan.Questions, Question{Volume: v.key, Text: fmt.Sprintf(
				"Volume %q exists but doesn't match configuration in compose file. Recreate (data will be lost)?", v.name)})
		}
		if len(reasons) > 0 {
			r.warn(ref, "volume %q is kept although the file wants it otherwise (%s)", v.name, joinReasons(reasons))
		}
	}
	r.keep(ref, step.Volume, v.name)
}

// recreateVolumes empties the way for volumes that the user agreed to lose: all their users go, then they, then new ones come.
func (r *reconciler) recreateVolumes() {
	for _, key := range sortedKeys(r.volumes) {
		v := r.volumes[key]
		if !v.recreated {
			continue
		}
		var gone []NodeID
		for _, container := range r.State.Containers {
			if mountsVolume(container, v.name) && !r.gone[container.ID] {
				r.gone[container.ID] = true
				gone = append(gone, r.removeContainer(container))
			}
		}
		remove := r.add(step.RemoveVolume{Key: key, Name: v.name}, gone...)
		r.createVolume(v, []NodeID{remove})
	}
}

func mountsVolume(container engine.Container, name string) bool {
	for _, mount := range container.Mounts {
		if mount.Type == project.MountVolume && mount.Name == name {
			return true
		}
	}
	return false
}

func joinReasons(reasons []Reason) string {
	text := ""
	for i, reason := range reasons {
		if i > 0 {
			text += "; "
		}
		text += reason.String()
	}
	return text
}
