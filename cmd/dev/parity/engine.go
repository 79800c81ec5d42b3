package parity

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/muster-dev/muster/project"
)

// rawEngine asks an engine for JSON and keeps all of it: an inspect is compared in every field that the engine has, also in those
// that no client library knows.
type rawEngine struct {
	client *http.Client
	base   string
}

// newRawEngine reaches an engine over a socket or over TCP without TLS.
func newRawEngine(host string) (rawEngine, error) {
	scheme, address, _ := strings.Cut(host, "://")
	switch scheme {
	case "tcp", "http":
		return rawEngine{client: &http.Client{}, base: "http://" + address}, nil
	case "unix":
		dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", address)
		}
		return rawEngine{client: &http.Client{Transport: &http.Transport{DialContext: dial}}, base: "http://engine"}, nil
	}
	return rawEngine{}, fmt.Errorf("inspect over %s: only unix:// and tcp:// are known here", host)
}

func (e rawEngine) close() { e.client.CloseIdleConnections() }

// call sends a request and decodes the answer, numbers as they are written. body and into may be nil.
func (e rawEngine) call(ctx context.Context, method, path string, query url.Values, body, into any) (err error) {
	content, err := json.Marshal(body)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, method, e.base+path+"?"+query.Encode(), bytes.NewReader(content))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	answer, err := e.client.Do(request)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, answer.Body.Close()) }()
	if answer.StatusCode >= http.StatusBadRequest {
		const most = 1 << 12
		text, _ := io.ReadAll(io.LimitReader(answer.Body, most))
		return fmt.Errorf("%s %s: %s: %s", method, path, answer.Status, strings.TrimSpace(string(text)))
	}
	if into == nil {
		return nil
	}
	decoder := json.NewDecoder(answer.Body)
	decoder.UseNumber()
	return decoder.Decode(into)
}

func (e rawEngine) get(ctx context.Context, path string, query url.Values, into any) error {
	return e.call(ctx, http.MethodGet, path, query, nil, into)
}

// version is the engine's own and the newest API that it speaks.
func (e rawEngine) version(ctx context.Context) (engineVersion, error) {
	var answer engineVersion
	return answer, e.get(ctx, "/version", nil, &answer)
}

// usesContainerd says whether the engine keeps images in containerd's store, by the name that it has for its storage.
func (e rawEngine) usesContainerd(ctx context.Context) (bool, error) {
	var answer struct{ DriverStatus [][2]string }
	err := e.get(ctx, "/info", nil, &answer)
	return slices.ContainsFunc(answer.DriverStatus, func(line [2]string) bool {
		return strings.HasPrefix(line[1], "io.containerd.snapshotter")
	}), err
}

// runsPrivileged says whether the engine can start a container with all privileges.
func (e rawEngine) runsPrivileged(ctx context.Context) (can bool, err error) {
	body := map[string]any{"Image": box, "Cmd": []string{"true"}, "HostConfig": map[string]any{"Privileged": true}}
	var made found
	if err := e.call(ctx, http.MethodPost, "/containers/create", nil, body, &made); err != nil {
		return false, err
	}
	started := e.call(ctx, http.MethodPost, "/containers/"+made.ID+"/start", nil, nil, nil)
	return started == nil, e.call(context.WithoutCancel(ctx), http.MethodDelete, "/containers/"+made.ID, url.Values{"force": {"true"}}, nil, nil)
}

type engineVersion struct {
	Version, APIVersion string
}

// found is an object in a list of the engine's.
type found struct {
	ID    string `json:"Id"`
	Name  string
	Names []string
}

// ofProject asks for what has a project's label.
func ofProject(name string) url.Values {
	filter, _ := json.Marshal(map[string][]string{"label": {project.LabelProject + "=" + name}}) // plain text always marshals
	return url.Values{"filters": {string(filter)}, "all": {"true"}}
}

func (e rawEngine) containers(ctx context.Context, projectName string) ([]found, error) {
	var list []found
	err := e.get(ctx, "/containers/json", ofProject(projectName), &list)
	return list, err
}

func (e rawEngine) networks(ctx context.Context, projectName string) ([]found, error) {
	var list []found
	err := e.get(ctx, "/networks", ofProject(projectName), &list)
	return list, err
}

func (e rawEngine) volumes(ctx context.Context, projectName string) ([]found, error) {
	var list struct{ Volumes []found }
	err := e.get(ctx, "/volumes", ofProject(projectName), &list)
	return list.Volumes, err
}

// clear removes all that a project has, whatever made it.
func (e rawEngine) clear(ctx context.Context, projectName string) error {
	remove := func(path string) error {
		return e.call(ctx, http.MethodDelete, path, url.Values{"force": {"true"}, "v": {"true"}}, nil, nil)
	}
	containers, err := e.containers(ctx, projectName)
	problems := []error{err}
	for _, one := range containers {
		problems = append(problems, remove("/containers/"+one.ID))
	}
	networks, err := e.networks(ctx, projectName)
	problems = append(problems, err)
	for _, one := range networks {
		problems = append(problems, remove("/networks/"+one.ID))
	}
	volumes, err := e.volumes(ctx, projectName)
	problems = append(problems, err)
	for _, one := range volumes {
		problems = append(problems, remove("/volumes/"+one.Name))
	}
	return errors.Join(problems...)
}

// clearImages removes the images that were built for a project: those with its label, also where a later build has taken their
// name, and those whose names begin with the project's.
func (e rawEngine) clearImages(ctx context.Context, projectName string) error {
	var list []struct {
		ID       string `json:"Id"`
		RepoTags []string
		Labels   map[string]string
	}
	if err := e.get(ctx, "/images/json", nil, &list); err != nil {
		return err
	}
	var problems []error
	remove := func(name string) {
		problems = append(problems, e.call(ctx, http.MethodDelete, "/images/"+name, url.Values{"force": {"true"}}, nil, nil))
	}
	for _, image := range list {
		if image.Labels[project.LabelProject] == projectName {
			remove(image.ID)
			continue
		}
		for _, tag := range image.RepoTags {
			if strings.HasPrefix(tag, projectName+"-") || strings.HasPrefix(tag, projectName+"/") {
				remove(tag)
			}
		}
	}
	return errors.Join(problems...)
}
