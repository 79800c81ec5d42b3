package parity

import (
	"context"
	"errors"
	"net/http"
	"net/url"
)

// box is the image of containers that only have to be there.
const box = "muster.test/busybox:latest"

// prepare makes what a file's notes say is there before. The function removes what was made, also where not all of it was.
func (e rawEngine) prepare(ctx context.Context, notes Notes) (remove func(context.Context) error, err error) {
	var made []string
	remove = func(ctx context.Context) error {
		var problems []error
		for _, path := range made {
			problems = append(problems, e.call(ctx, http.MethodDelete, path, url.Values{"force": {"true"}}, nil, nil))
		}
		return errors.Join(problems...)
	}
	create := func(kind, name string, query url.Values, body any) error {
		if err := e.call(ctx, http.MethodPost, "/"+kind+"/create", query, body, nil); err != nil {
			return err
		}
		made = append(made, "/"+kind+"/"+name)
		return nil
	}
	var problems []error
	for _, name := range notes.Networks {
		problems = append(problems, create("networks", name, nil, map[string]any{"Name": name}))
	}
	for _, name := range notes.Volumes {
		problems = append(problems, create("volumes", name, nil, map[string]any{"Name": name}))
	}
	for _, name := range notes.Containers {
		body := map[string]any{"Image": box, "Cmd": []string{"sleep", "3600"}}
		problems = append(problems, create("containers", name, url.Values{"name": {name}}, body),
			e.call(ctx, http.MethodPost, "/containers/"+name+"/start", nil, nil, nil))
	}
	return remove, errors.Join(problems...)
}
