package parity

import (
	"context"
	"fmt"
	"net/url"
	"strings"
)

// snapshot is what an engine tells of a project's objects.
type snapshot struct {
	objects map[string]any    // "container web-1" -> its inspect
	ids     map[string]string // the same, to what changes when the object is made anew
}

// look inspects everything that a project has.
func (e rawEngine) look(ctx context.Context, projectName string) (snapshot, error) {
	seen := snapshot{objects: map[string]any{}, ids: map[string]string{}}
	containers, err := e.containers(ctx, projectName)
	if err != nil {
		return seen, fmt.Errorf("list containers: %w", err)
	}
	for _, one := range containers {
		name := strings.TrimPrefix(one.Names[0], "/")
		if err := e.inspect(ctx, &seen, "container "+name, "/containers/"+one.ID+"/json"); err != nil {
			return seen, err
		}
	}
	networks, err := e.networks(ctx, projectName)
	if err != nil {
		return seen, fmt.Errorf("list networks: %w", err)
	}
	for _, one := range networks {
		if err := e.inspect(ctx, &seen, "network "+one.Name, "/networks/"+one.ID); err != nil {
			return seen, err
		}
	}
	volumes, err := e.volumes(ctx, projectName)
	if err != nil {
		return seen, fmt.Errorf("list volumes: %w", err)
	}
	for _, one := range volumes {
		if err := e.inspect(ctx, &seen, "volume "+one.Name, "/volumes/"+one.Name); err != nil {
			return seen, err
		}
	}
	return seen, nil
}

// lookAtImages adds the images that the containers were made of.
func (e rawEngine) lookAtImages(ctx context.Context, seen *snapshot, names []string) error {
	for _, name := range names {
		if err := e.inspect(ctx, seen, "image "+name, "/images/"+url.PathEscape(name)+"/json?manifests=true"); err != nil {
			return err
		}
	}
	return nil
}

func (e rawEngine) inspect(ctx context.Context, seen *snapshot, name, path string) error {
	var object map[string]any
	path, query, _ := strings.Cut(path, "?")
	values, err := url.ParseQuery(query)
	if err != nil {
		return err
	}
	if err := e.get(ctx, path, values, &object); err != nil {
		return fmt.Errorf("inspect %s: %w", name, err)
	}
	seen.objects[name] = object
	seen.ids[name] = text(object["Id"])
	if seen.ids[name] == "" {
		seen.ids[name] = text(object["CreatedAt"]) // a volume has no ID
	}
	return nil
}

func text(value any) string {
	content, _ := value.(string)
	return content
}
