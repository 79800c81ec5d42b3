package dockertest

import (
	"cmp"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	apievents "github.com/docker/docker/api/types/events"
	"github.com/docker/docker/api/types/filters"
	apivolume "github.com/docker/docker/api/types/volume"

	"github.com/muster-dev/muster/project"
)

// volume is a volume of the engine, with its files.
type volume struct {
	name    string
	created time.Time
	labels  map[string]string
	options map[string]string
	files   *files
}

var (
	volumeName   = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_.-]+$`)
	volumeOption = regexp.MustCompile(`^(type|o|device|size)$`)
)

func (v *volume) api() apivolume.Volume {
	return apivolume.Volume{
		Name: v.name, Driver: "local", Scope: "local", Labels: v.labels, Options: v.options,
		CreatedAt: v.created.UTC().Format(time.RFC3339), Mountpoint: v.mountpoint(),
	}
}

func (v *volume) mountpoint() string { return "/var/lib/docker/volumes/" + v.name + "/_data" }

func (e *Engine) volumeEvent(v *volume, action string, more map[string]string) {
	attributes := map[string]string{"driver": "local"}
	for key, value := range more {
		attributes[key] = value
	}
	e.events.publish(apievents.VolumeEventType, action, v.name, attributes)
}

// makeVolume returns the volume of that name: the one that is there, as it is, or a new one. Called with the mutex held.
func (e *Engine) makeVolume(request apivolume.CreateOptions) (*volume, error) {
	if driver := cmp.Or(request.Driver, "local"); driver != "local" {
		return nil, fail(http.StatusNotFound, "create %s: error looking up volume plugin %s: plugin %q not found", request.Name, driver, driver)
	}
	if known, ok := e.volumes[request.Name]; ok {
		return known, nil
	}
	if !volumeName.MatchString(request.Name) {
		return nil, fail(http.StatusBadRequest, "create %s: %q includes invalid characters for a local volume name, only %q are allowed. "+
			"If you intended to pass a host directory, use absolute path", request.Name, request.Name, "[a-zA-Z0-9][a-zA-Z0-9_.-]")
	}
	for option := range request.DriverOpts {
		if !volumeOption.MatchString(option) {
			return nil, fail(http.StatusBadRequest, "create %s: invalid option: %q", request.Name, option)
		}
	}
	v := &volume{name: request.Name, created: e.clock.now(), labels: request.Labels, options: request.DriverOpts, files: newFiles()}
	e.volumes[v.name] = v
	e.volumeEvent(v, "create", nil)
	return v, nil
}

func (e *Engine) createVolume(x *exchange) error {
	var request apivolume.CreateOptions
	if err := x.read(&request); err != nil {
		return err
	}
	e.mutex.Lock()
	if request.Name == "" {
		request.Name = e.newID("volume", "")
		request.Labels = map[string]string{project.LabelAnonymous: ""}
	}
	v, err := e.makeVolume(request)
	if err != nil {
		e.mutex.Unlock()
		return err
	}
	answer := v.api()
	e.mutex.Unlock()
	return x.answer(http.StatusCreated, answer)
}

func (e *Engine) listVolumes(x *exchange) error {
	filter, err := filters.FromJSON(x.query("filters"))
	if err != nil {
		return fail(http.StatusBadRequest, "invalid filter")
	}
	if err := filter.Validate(map[string]bool{"name": true, "label": true, "driver": true, "dangling": true}); err != nil {
		return fail(http.StatusBadRequest, "%v", err)
	}
	e.mutex.Lock()
	answer := apivolume.ListResponse{Volumes: []*apivolume.Volume{}}
	for _, v := range e.volumes {
		if filter.Match("name", v.name) && (!filter.Contains("label") || filter.MatchKVList("label", v.labels)) {
			found := v.api()
			answer.Volumes = append(answer.Volumes, &found)
		}
	}
	e.mutex.Unlock()
	slices.SortFunc(answer.Volumes, func(a, b *apivolume.Volume) int { return cmp.Compare(a.Name, b.Name) })
	return x.answer(http.StatusOK, answer)
}

func (e *Engine) inspectVolume(x *exchange) error {
	e.mutex.Lock()
	v, ok := e.volumes[x.params["name"]]
	if !ok {
		e.mutex.Unlock()
		return fail(http.StatusNotFound, "get %s: no such volume", x.params["name"])
	}
	answer := v.api()
	e.mutex.Unlock()
	return x.answer(http.StatusOK, answer)
}

func (e *Engine) removeVolume(x *exchange) error {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	name := x.params["name"]
	v, ok := e.volumes[name]
	switch {
	case !ok && x.flag("force"):
		return x.done(http.StatusNoContent)
	case !ok:
		return fail(http.StatusNotFound, "get %s: no such volume", name)
	}
	if users := e.mounting(name); len(users) > 0 {
		return fail(http.StatusConflict, "remove %s: volume is in use - [%s]", name, strings.Join(users, ", "))
	}
	e.deleteVolume(v)
	return x.done(http.StatusNoContent)
}

func (e *Engine) deleteVolume(v *volume) {
	delete(e.volumes, v.name)
	e.volumeEvent(v, "destroy", nil)
}

// mounting are the IDs of the containers, running or not, that mount a volume.
func (e *Engine) mounting(name string) []string {
	var users []string
	for _, c := range e.sortedContainers() {
		if slices.ContainsFunc(c.mounts, func(m *mount) bool { return m.point.Name == name }) {
			users = append(users, c.id)
		}
	}
	return users
}
