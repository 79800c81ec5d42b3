package project

import (
	"fmt"
	"slices"
	"strings"
)

// Modes of `deploy`.
const (
	ModeReplicated    = "replicated"
	ModeGlobal        = "global"
	ModeReplicatedJob = "replicated-job"
	ModeGlobalJob     = "global-job"
)

// IsJob says whether the containers of a service are to end: then nothing starts them again once they have succeeded.
func IsJob(service Service) bool {
	return service.Deploy != nil && (service.Deploy.Mode == ModeReplicatedJob || service.Deploy.Mode == ModeGlobalJob)
}

// settleReplicas gives both ways of saying a number of replicas the same, and bounds it where it is bounded for each engine, because
// there is one. It returns what is worth telling.
func (l *loading) settleReplicas(model *Model) []Warning {
	var warnings []Warning
	for _, services := range []Services{model.Services, model.DisabledServices} {
		for _, name := range keys(services) {
			service := services[name]
			if service.Deploy == nil {
				continue
			}
			wanted := service.GetScale()
			if settled := onOneEngine(service); settled != wanted {
				service.SetScale(settled)
				path := "services." + name + ".deploy.placement.max_replicas_per_node"
				warnings = append(warnings, l.places.problem(path,
					fmt.Sprintf("%d containers are asked for, and one engine may have %d: there will be %d", wanted, settled, settled), ""))
			}
			if service.Scale != nil {
				service.Deploy.Replicas = service.Scale
			}
			services[name] = service
		}
	}
	return warnings
}

// onOneEngine is how many containers a service with `deploy` has on the only engine there is. Loading has checked that a global
// service asks for no other number.
func onOneEngine(service Service) int {
	wanted := service.GetScale()
	if most := service.Deploy.Placement.MaxReplicas; most > 0 {
		return int(min(uint64(max(wanted, 0)), most))
	}
	return wanted
}

// checkMode checks the mode of `deploy`, and what engines are chosen by.
func (c *checker) checkMode(service Service) {
	if service.Deploy == nil {
		return
	}
	path := "services." + service.Name + ".deploy."
	for i, constraint := range service.Deploy.Placement.Constraints {
		if _, err := ParseConstraint(constraint); err != nil && !c.unknown(constraint) {
			c.report(fmt.Sprintf("%splacement.constraints[%d]", path, i), err.Error(), "")
		}
	}
	modes := []string{ModeReplicated, ModeGlobal, ModeReplicatedJob, ModeGlobalJob}
	mode, replicas := service.Deploy.Mode, service.Deploy.Replicas
	switch {
	case mode == "" || c.unknown(mode):
	case !slices.Contains(modes, mode):
		c.report(path+"mode", "mode "+quote(mode)+" is none of "+strings.Join(modes, ", "), didYouMean(nearest(mode, modes)))
	case strings.HasPrefix(mode, ModeGlobal) && replicas != nil && *replicas > 1:
		c.report(path+"replicas", fmt.Sprintf("is %d, but mode %s has one container on an engine", *replicas, mode), "say one of them")
	case strings.HasPrefix(mode, ModeGlobal) && service.GetScale() > 1:
		c.report("services."+service.Name+".scale", fmt.Sprintf("is %d, but deploy.mode %s has one container on an engine", service.GetScale(), mode), "say one of them")
	}
}

// Constraint is one of `deploy.placement.constraints`: what an engine has to be, or must not be.
type Constraint struct {
	Key, Value string
	Not        bool
}

// ParseConstraint reads "node.labels.disk == ssd".
func ParseConstraint(text string) (Constraint, error) {
	for _, operator := range []string{"==", "!="} {
		key, value, found := strings.Cut(text, operator)
		if !found {
			continue
		}
		constraint := Constraint{Key: strings.TrimSpace(key), Value: strings.TrimSpace(value), Not: operator == "!="}
		if !isConstraintKey(constraint.Key) {
			return Constraint{}, fmt.Errorf("constraint %s: %s is nothing that engines are chosen by", quote(text), quote(constraint.Key))
		}
		return constraint, nil
	}
	return Constraint{}, fmt.Errorf("constraint %s has no == or !=", quote(text))
}

func isConstraintKey(key string) bool {
	switch key {
	case "node.id", "node.hostname", "node.ip", "node.role", "node.platform.os", "node.platform.arch":
		return true
	}
	return strings.HasPrefix(key, "node.labels.") || strings.HasPrefix(key, "engine.labels.")
}
