package plan

import (
	"strings"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/step"
	"github.com/muster-dev/muster/project"
)

// Basis is what a plan was made from: with an equal one, the same plan comes out again. Values are in it as they are, secret ones too:
// they are to be told by digests only.
type Basis struct {
	// Project is what was wished for: "service web", "network default".
	Project map[string]project.Fields
	// Engine is what was there: "container shop-web-1", "network shop_default", "image nginx:latest". How healthy a container is does not
	// count: it comes and goes.
	Engine map[string]project.Fields
}

// Basis is what the plan was made from; empty for a plan that is not of what a project wants.
func (p *Plan) Basis() (Basis, error) {
	if p.made == nil {
		return Basis{}, nil
	}
	wished, err := project.Snapshot(p.made.Project)
	return Basis{Project: wished, Engine: observed(p.made)}, err
}

// State is what the engine had when the plan was made, not to be changed; empty for a plan that is not of what a project wants.
func (p *Plan) State() State {
	if p.made == nil {
		return State{}
	}
	return p.made.State
}

// observed is the part of the state that counts for a project.
func observed(input *Input) map[string]project.Fields {
	things := map[string]project.Fields{}
	for _, container := range input.State.Containers {
		if !container.OneOff && container.Hook == "" {
			things["container "+container.Name] = containerFacts(container)
		}
	}
	for _, network := range input.State.Networks {
		if network.Labels[project.LabelProject] == input.Project.Name || usesNetwork(input.Project, network.Name) {
			things["network "+network.Name] = project.Fields{"id": {Value: network.ID}}
		}
	}
	for _, volume := range input.State.Volumes {
		if volume.Labels[project.LabelProject] == input.Project.Name || usesVolume(input.Project, volume.Name) {
			things["volume "+volume.Name] = project.Fields{"driver": {Value: volume.Driver}}
		}
	}
	for ref, image := range input.State.Images {
		things["image "+ref] = project.Fields{"id": {Value: image.ID}}
	}
	for ref, digest := range input.State.RemoteDigests {
		things["image "+ref+" in its registry"] = project.Fields{"digest": {Value: digest}}
	}
	return things
}

func containerFacts(container engine.Container) project.Fields {
	state := string(container.State)
	if container.State == engine.StateRestarting {
		state = string(engine.StateRunning)
	}
	networks := make([]string, len(container.Networks))
	for i, attachment := range container.Networks {
		networks[i] = attachment.Network
	}
	return project.Fields{
		"id": {Value: container.ID}, "state": {Value: state}, "networks": {Value: strings.Join(networks, " ")},
	}
}

func usesNetwork(p *project.Project, name string) bool {
	for _, network := range p.Networks {
		if network.Name == name {
			return true
		}
	}
	return false
}

func usesVolume(p *project.Project, name string) bool {
	for _, volume := range p.Volumes {
		if volume.Name == name {
			return true
		}
	}
	return false
}

// Assumes is the ID of the container that a step counts on to be there; empty where there is none.
func (n Node) Assumes() string {
	target, _ := stepTarget(n.Step)
	return target.ID
}

// stepTarget is the container that a step works on, for the kinds of steps that plans of projects have for containers that exist.
func stepTarget(s step.Step) (step.Target, bool) {
	switch s := s.(type) {
	case step.StopContainer:
		return s.Target, true
	case step.StartContainer:
		return s.Target, true
	case step.RemoveContainer:
		return s.Target, true
	case step.RenameContainer:
		return s.Target, true
	case step.SetRestartPolicy:
		return s.Target, true
	case step.ConnectNetwork:
		return s.Target, true
	case step.DisconnectNetwork:
		return s.Target, true
	case step.Wait:
		return s.Target, true
	}
	return step.Target{}, false
}
