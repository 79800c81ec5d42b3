package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/step"
	"github.com/muster-dev/muster/graph"
	"github.com/muster-dev/muster/project"
)

// hooked knows the hooks that run in containers: those of the file where it has the service, else those that a container's label has.
type hooked struct {
	project    *project.Project // nil where there is no file
	containers map[string]engine.Container
}

func newHooked(p *project.Project, state State) hooked {
	h := hooked{project: p, containers: map[string]engine.Container{}}
	for _, container := range state.Containers {
		h.containers[container.ID] = container
	}
	return h
}

// of are the hooks of a container. One-offs have none: they are not the service's, but somebody's own command.
func (h hooked) of(t step.Target) (project.Hooks, error) {
	container := h.containers[t.ID]
	if container.OneOff || container.Hook != "" {
		return project.Hooks{}, nil
	}
	if h.project != nil {
		for _, services := range []project.Services{h.project.Services, h.project.DisabledServices} {
			if service, known := services[t.Service]; known {
				return project.ServiceHooks(h.project, service), nil
			}
		}
	}
	return project.ParseHooksLabel(container.Labels[project.LabelHooks])
}

// addHooks puts the hooks into a plan that is complete but for them. What a stop comes after, its pre_stop hooks come after, and
// the stop after them; what comes after a start comes after its post_start hooks too. A hook belongs to the group of its stop or
// start and shares its condition, so that its failure puts back what the group had changed; without a group a container whose
// pre_stop fails is not stopped, one whose post_start fails stays, and only what depends on it is held up.
func (b *builder) addHooks(h hooked) {
	stops := map[string][]NodeID{}
	for _, node := range slices.Clone(b.plan.Nodes) {
		if stop, ok := node.Step.(step.StopContainer); ok {
			stops[stop.ID] = append(stops[stop.ID], node.ID)
			b.hooksBefore(node, stop.Target, b.hooksOf(h, stop.Target).PreStop)
		}
	}
	for _, node := range slices.Clone(b.plan.Nodes) {
		if start, ok := node.Step.(step.StartContainer); ok {
			b.hooksAfter(node, start, b.hooksOf(h, start.Target).PostStart, stops[start.ID])
		}
	}
	for _, group := range b.plan.Groups {
		for i, undo := range group.Undo {
			group.Undo[i] = b.undoWithHooks(h, undo)
		}
	}
}

// undoWithHooks gives an undoing that starts a container its post_start hooks: those that it was made with, because a new one of
// the file may be what has failed.
func (b *builder) undoWithHooks(h hooked, undo step.Step) step.Step {
	switch undo := undo.(type) {
	case step.StartContainer:
		undo.PostStart = b.postStartBefore(h, undo.Target)
		return undo
	case step.RestoreContainer:
		undo.PostStart = b.postStartBefore(h, undo.Target)
		return undo
	}
	return undo
}

// postStartBefore are the post_start hooks that a container was made with, as far as its labels tell; else those of the file.
func (b *builder) postStartBefore(h hooked, t step.Target) []project.Hook {
	labels := h.containers[t.ID].Labels
	hooks, err := project.ParseHooksLabel(labels[project.LabelHooks])
	withoutValues := slices.ContainsFunc(hooks.PostStart, func(hook project.Hook) bool { return len(hook.Unknown) > 0 })
	if err != nil || withoutValues || labels[project.LabelSpec] == "" || h.containers[t.ID].OneOff {
		return b.hooksOf(h, t).PostStart
	}
	return hooks.PostStart
}

// hooksOf are the hooks that can be run; of others it warns, once.
func (b *builder) hooksOf(h hooked, t step.Target) project.Hooks {
	hooks, err := h.of(t)
	if err != nil {
		b.warnOnce(t, fmt.Sprintf("the hooks of container %s are not run: its label %s cannot be read: %v", t.Name, project.LabelHooks, err))
		return project.Hooks{}
	}
	hooks.PreStop = b.known(t, step.PreStop, hooks.PreStop)
	hooks.PostStart = b.known(t, step.PostStart, hooks.PostStart)
	return hooks
}

// known leaves out the hooks whose variables only the file has.
func (b *builder) known(t step.Target, kind step.HookKind, hooks []project.Hook) []project.Hook {
	return slices.DeleteFunc(slices.Clone(hooks), func(hook project.Hook) bool {
		if len(hook.Unknown) > 0 {
			b.warnOnce(t, fmt.Sprintf("a %s hook of container %s is not run: the values of its variables (%s) are only in the compose file, "+
				"which can be named with -f", kind, t.Name, strings.Join(hook.Unknown, ", ")))
		}
		return len(hook.Unknown) > 0
	})
}

func (b *builder) warnOnce(t step.Target, message string) {
	if !slices.ContainsFunc(b.plan.Warnings, func(w Warning) bool { return w.Message == message }) {
		b.plan.Warnings = append(b.plan.Warnings, Warning{Ref: graph.Service(t.Service), Message: message})
	}
}

// hook adds a hook as a part of what another step is a part of.
func (b *builder) hook(of Node, hook step.RunHook) NodeID {
	b.group, b.only = of.Group, conditional{when: of.When}
	id := b.add(hook)
	b.group, b.only = 0, conditional{}
	b.plan.Nodes[id].Optional = of.Optional
	return id
}

// hooksBefore adds the hooks of a stop.
func (b *builder) hooksBefore(stop Node, in step.Target, hooks []project.Hook) {
	before := slices.Clone(b.plan.Order.Deps(stop.ID))
	for i, hook := range hooks {
		id := b.hook(stop, step.RunHook{Target: in, Kind: step.PreStop, Index: i, Hook: hook})
		for _, dep := range before {
			b.likewise(id, dep, stop.ID, dep)
		}
		b.after(stop.ID, id)
		before = []NodeID{id}
	}
}

// likewise makes one step come after another as strictly as a third comes after a fourth.
func (b *builder) likewise(id, after, as, does NodeID) {
	if b.plan.Order.IsLoose(as, does) {
		b.follow(id, after)
	} else {
		b.after(id, after)
	}
}

// hooksAfter adds the hooks of a start. One that starts what the plan has stopped has none where it was not stopped after all.
func (b *builder) hooksAfter(start Node, s step.StartContainer, hooks []project.Hook, stops []NodeID) {
	then := slices.Clone(b.plan.Order.Dependents(start.ID))
	last := start.ID
	for i, hook := range hooks {
		id := b.hook(start, step.RunHook{Target: s.Target, Kind: step.PostStart, Index: i, Hook: hook})
		b.after(id, last)
		if s.ID != "" {
			b.after(id, stops...)
		}
		last = id
	}
	if last == start.ID {
		return
	}
	for _, dependent := range then {
		b.likewise(dependent, last, dependent, start.ID)
	}
}
