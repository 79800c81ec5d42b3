package project

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
)

// Hook is a command that is run in a service's container when it has started or is about to stop.
type Hook struct {
	Command     []string          `json:"command"`
	User        string            `json:"user,omitempty"`
	WorkingDir  string            `json:"working_dir,omitempty"`
	Privileged  bool              `json:"privileged,omitempty"`
	Environment map[string]string `json:"-"`
	// Unknown are the names of variables whose values were left out of a label: the hook cannot be run without the file.
	Unknown []string `json:"environment,omitempty"`
}

// Hooks are a service's commands of that kind, in their order.
type Hooks struct {
	PostStart []Hook `json:"post_start,omitempty"`
	PreStop   []Hook `json:"pre_stop,omitempty"`
	// PreStarts counts the pre_start hooks. What they are only the file tells, see [PreStarts].
	PreStarts int `json:"pre_start,omitempty"`
}

// Empty says that there are none.
func (h Hooks) Empty() bool { return len(h.PostStart)+len(h.PreStop)+h.PreStarts == 0 }

// ServiceHooks are a service's hooks. Variables without a value have that of the project's environment.
func ServiceHooks(p *Project, service Service) Hooks {
	return Hooks{PostStart: p.hooks(service.PostStart), PreStop: p.hooks(service.PreStop), PreStarts: len(service.PreStart)}
}

func (p *Project) hooks(written []ServiceHook) []Hook {
	var hooks []Hook
	for _, hook := range written {
		environment := map[string]string{}
		for name, value := range hook.Environment {
			if value != nil {
				environment[name] = *value
			} else if found, ok := p.Environment[name]; ok {
				environment[name] = found
			}
		}
		hooks = append(hooks, Hook{
			Command: hook.Command, User: hook.User, WorkingDir: hook.WorkingDir, Privileged: bool(hook.Privileged), Environment: environment,
		})
	}
	return hooks
}

// Label is the hooks as [LabelHooks] has them, so that they are known where the file is not. Values of variables are left out:
// labels are read by many, and come with every event.
func (h Hooks) Label() string {
	h.PostStart, h.PreStop = withoutValues(h.PostStart), withoutValues(h.PreStop)
	text, err := json.Marshal(h)
	if err != nil {
		return "" // of plain texts: it cannot be
	}
	return string(text)
}

func withoutValues(hooks []Hook) []Hook {
	hooks = slices.Clone(hooks)
	for i := range hooks {
		hooks[i].Unknown = slices.Sorted(maps.Keys(hooks[i].Environment))
	}
	return hooks
}

// ParseHooksLabel reads [LabelHooks] back; an empty one has no hooks.
func ParseHooksLabel(value string) (Hooks, error) {
	var hooks Hooks
	if value == "" {
		return hooks, nil
	}
	if err := json.Unmarshal([]byte(value), &hooks); err != nil {
		return Hooks{}, err
	}
	for _, hook := range slices.Concat(hooks.PostStart, hooks.PreStop) {
		if len(hook.Command) == 0 {
			return Hooks{}, errors.New("a hook without a command")
		}
	}
	return hooks, nil
}
