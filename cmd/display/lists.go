package display

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/docker/go-units"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/project"
)

// Stack is a project that the engine has.
type Stack struct {
	Name   string
	States map[engine.State]int // how many containers are in each
	Files  []string
}

// status is docker compose's: "exited(1), running(2)".
func (s Stack) status() string {
	var texts []string
	for _, state := range slices.Sorted(maps.Keys(s.States)) {
		texts = append(texts, fmt.Sprintf("%s(%d)", state, s.States[state]))
	}
	return strings.Join(texts, ", ")
}

// wide is how wide the columns of docker compose's own tables are at least.
const wide = 20

// Stacks writes docker compose's table of `ls`.
func Stacks(w io.Writer, stacks []Stack) error {
	table := Table{Header: []string{"NAME", "STATUS", "CONFIG FILES"}, Gap: 3, Narrowest: wide}
	for _, stack := range stacks {
		table.Rows = append(table.Rows, []string{stack.Name, stack.status(), strings.Join(stack.Files, ",")})
	}
	return table.Write(w)
}

// StacksBy writes projects as docker compose's array of `ls --format json`, or by a template.
func StacksBy(w io.Writer, form Form, stacks []Stack) error {
	type object struct{ Name, Status, ConfigFiles string }
	objects := []object{}
	for _, stack := range stacks {
		objects = append(objects, object{stack.Name, stack.status(), strings.Join(stack.Files, ",")})
	}
	if form.JSON {
		return encodeLine(w, objects)
	}
	return writeForm(w, form, headers{"Name": "NAME", "Status": "STATUS", "ConfigFiles": "CONFIG FILES"}, objects)
}

// encodeLine writes a value as JSON on a line.
func encodeLine(w io.Writer, value any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(value)
}

// writeLines writes values as JSON, one a line.
func writeLines[T any](w io.Writer, values []T) error {
	for _, value := range values {
		if err := encodeLine(w, value); err != nil {
			return err
		}
	}
	return nil
}

// ContainerImages writes docker compose's table of `images`: the image of each container, by the image's ID.
func ContainerImages(w io.Writer, containers []engine.Container, images map[string]engine.Image, now time.Time) error {
	const figures = 3
	table := Table{
		Header: []string{"CONTAINER", "REPOSITORY", "TAG", "PLATFORM", "IMAGE ID", "SIZE", "CREATED"}, Gap: 3, Narrowest: wide,
	}
	for _, c := range containers {
		image := images[c.ImageID]
		repository, tag := nameOf(c, image)
		created := "N/A"
		if !image.Created.IsZero() {
			created = units.HumanDuration(now.Sub(image.Created)) + " ago"
		}
		_, hex, _ := strings.Cut(c.ImageID, ":")
		table.Rows = append(table.Rows, []string{
			c.Name, repository, tag, platformOf(image), idText(hex, false),
			units.HumanSizeWithPrecision(float64(image.Size), figures), created,
		})
	}
	return table.Write(w)
}

// ContainerImagesBy writes the image of each container as docker compose's array of `images --format json`, or by a template.
func ContainerImagesBy(w io.Writer, form Form, containers []engine.Container, images map[string]engine.Image) error {
	type object struct {
		ID, ContainerName, Repository, Tag, Platform string

		Size        int64
		Created     *time.Time `json:",omitempty"`
		LastTagTime time.Time
	}
	objects := []object{}
	for _, c := range containers {
		image := images[c.ImageID]
		repository, tag := nameOf(c, image)
		one := object{
			ID: c.ImageID, ContainerName: c.Name, Repository: repository, Tag: tag, Platform: platformOf(image),
			Size: image.Size, LastTagTime: image.LastTagged,
		}
		if !image.Created.IsZero() {
			one.Created = &image.Created
		}
		objects = append(objects, one)
	}
	if form.JSON {
		return encodeLine(w, objects)
	}
	return writeForm(w, form, headers{
		"ID": "IMAGE ID", "ContainerName": "CONTAINER", "Repository": "REPOSITORY", "Tag": "TAG", "Platform": "PLATFORM",
		"Size": "SIZE", "Created": "CREATED", "LastTagTime": "LAST TAGGED",
	}, objects)
}

// nameOf is a name of a container's image: the one that it was created from where the image still has it, else any.
func nameOf(c engine.Container, image engine.Image) (repository, tag string) {
	const none = "<none>"
	name := none + ":" + none
	for _, one := range image.Tags {
		if name == none+":"+none || one == c.Image || one == c.Image+":latest" {
			name = one
		}
	}
	colon := strings.LastIndex(name, ":")
	return name[:colon], name[colon+1:]
}

func platformOf(image engine.Image) string {
	parts := []string{image.OS, image.Architecture}
	if image.Variant != "" {
		parts = append(parts, image.Variant)
	}
	return strings.Trim(strings.Join(parts, "/"), "/")
}

// Volumes writes docker compose's table of `volumes`.
func Volumes(w io.Writer, volumes []engine.Volume) error {
	table := Table{Header: []string{"DRIVER", "VOLUME NAME"}, Gap: 3, Narrowest: 10}
	for _, volume := range volumes {
		table.Rows = append(table.Rows, []string{volume.Driver, volume.Name})
	}
	return table.Write(w)
}

// VolumesBy writes volumes as JSON, docker's object on a line each, or by a template. What a list does not tell is N/A, as there.
func VolumesBy(w io.Writer, form Form, volumes []engine.Volume) error {
	const unknown = "N/A"
	type object struct {
		Availability, Driver, Group, Labels, Links, Mountpoint, Name, Scope, Size, Status string

		labelled
	}
	objects := make([]object, len(volumes))
	for i, volume := range volumes {
		objects[i] = object{
			Availability: unknown, Driver: volume.Driver, Group: unknown, Labels: labelsText(volume.Labels), Links: unknown,
			Mountpoint: volume.Mountpoint, Name: volume.Name, Scope: "local", Size: unknown, Status: unknown, labelled: volume.Labels,
		}
	}
	if form.JSON {
		return writeLines(w, objects)
	}
	return writeForm(w, form, headers{
		"Availability": "AVAILABILITY", "Driver": "DRIVER", "Group": "GROUP", "Labels": "LABELS", "Links": "LINKS",
		"Mountpoint": "MOUNTPOINT", "Name": "VOLUME NAME", "Scope": "SCOPE", "Size": "SIZE", "Status": "STATUS",
	}, objects)
}

// Variables writes docker compose's table of `config --variables`.
func Variables(w io.Writer, variables []project.Variable) error {
	table := Table{Header: []string{"NAME", "REQUIRED", "DEFAULT VALUE", "ALTERNATE VALUE"}, Gap: 3, Narrowest: wide}
	for _, v := range variables {
		table.Rows = append(table.Rows, []string{v.Name, strconv.FormatBool(v.Required), v.DefaultValue, v.PresenceValue})
	}
	return table.Write(w)
}
