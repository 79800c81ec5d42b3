package plan

import "github.com/muster-dev/muster/project"

// pullPolicy is a service's, with those that name a time decided: the image is asked for again when it is older than that, by
// when the engine got it.
func (r *reconciler) pullPolicy(service project.Service, i *imagePlan) string {
	after, timed := project.RefreshAfter(service)
	switch {
	case !timed:
		return service.PullPolicy
	case i.current != nil && !r.State.Now.Before(i.current.LastTagged.Add(after)):
		return project.PullAlways
	}
	return project.PullMissing
}
