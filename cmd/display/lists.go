package display

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/docker/go-units"

	"github.com/muster-dev/muster/convergence/engine"
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

// Stacks writes docker compose's table of `ls`.
func Stacks(w io.Writer, stacks []Stack) error {
	table := Table{Header: []string{"NAME", "STATUS", "CONFIG FILES"}, Gap: 3}
	for _, stack := range stacks {
		table.Rows = append(table.Rows, []string{stack.Name, stack.status(), strings.Join(stack.Files, ",")})
	}
	return table.Write(w)
}

// StacksJSON writes docker compose's array of `ls --format json`.
func StacksJSON(w io.Writer, stacks []Stack) error {
	type object struct{ Name, Status, ConfigFiles string }
	objects := []object{}
	for _, stack := range stacks {
		objects = append(objects, object{stack.Name, stack.status(), strings.Join(stack.Files, ",")})
	}
	return writeArray(w, objects)
}

func writeArray(w io.Writer, array any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(array)
}

// ContainerImages writes docker compose's table of `images`: the image of each container, by the image's ID.
func ContainerImages(w io.Writer, containers []engine.Container, images map[string]engine.Image, now time.Time) error {
	const figures = 3
	table := Table{
		Header: []string{"CONTAINER", "REPOSITORY", "TAG", "PLATFORM", "IMAGE ID", "SIZE", "CREATED"}, Gap: 3,
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

// ContainerImagesJSON writes docker compose's array of `images --format json`.
func ContainerImagesJSON(w io.Writer, containers []engine.Container, images map[string]engine.Image) error {
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
	return writeArray(w, objects)
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
	table := Table{Header: []string{"DRIVER", "VOLUME NAME"}, Gap: 3}
	for _, volume := range volumes {
		table.Rows = append(table.Rows, []string{volume.Driver, volume.Name})
	}
	return table.Write(w)
}

// VolumesJSON writes docker's object of a volume on a line each.
func VolumesJSON(w io.Writer, volumes []engine.Volume) error {
	for _, volume := range volumes {
		object := struct{ Driver, Labels, Mountpoint, Name, Scope string }{
			volume.Driver, labelsText(volume.Labels), volume.Mountpoint, volume.Name, "local",
		}
		if err := writeArray(w, object); err != nil {
			return err
		}
	}
	return nil
}
