package step

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/muster-dev/muster/convergence/engine"
)

// Condition decides, when its turn comes, whether a step is done.
type Condition interface {
	// Met looks at the engine and decides. It changes nothing.
	Met(ctx context.Context, eng engine.Engine) (bool, error)
	// String is the condition in words. Conditions with the same words are the same.
	String() string
}

// ImageChanged is met when the reference stands for another image than it did: after a pull, say.
type ImageChanged struct {
	Reference string
	Was       string // the ID
}

// Met implements [Condition].
func (c ImageChanged) Met(ctx context.Context, eng engine.Engine) (bool, error) {
	image, err := eng.InspectImage(ctx, c.Reference)
	if err != nil {
		return false, fmt.Errorf("look at image %q: %w", c.Reference, err)
	}
	return image.ID != c.Was, nil
}

func (c ImageChanged) String() string { return "image " + c.Reference + " changed" }

// ImageMissing is met when the engine does not have the image: a pull that was tried has failed, say.
type ImageMissing struct{ Reference string }

// Met implements [Condition].
func (c ImageMissing) Met(ctx context.Context, eng engine.Engine) (bool, error) {
	_, err := eng.InspectImage(ctx, c.Reference)
	switch {
	case errors.Is(err, engine.ErrNotFound):
		return true, nil
	case err != nil:
		return false, fmt.Errorf("look at image %q: %w", c.Reference, err)
	}
	return false, nil
}

func (c ImageMissing) String() string { return "image " + c.Reference + " is missing" }

// Not is met when a condition is not.
func Not(c Condition) Condition { return not{c} }

type not struct{ Condition }

func (c not) Met(ctx context.Context, eng engine.Engine) (bool, error) {
	met, err := c.Condition.Met(ctx, eng)
	return !met, err
}

func (c not) String() string { return "not (" + c.Condition.String() + ")" }

// Any is met when at least one of two conditions is; nil is a condition that always is.
func Any(a, b Condition) Condition {
	if a == nil || b == nil {
		return nil
	}
	return join(a, b, true)
}

// All is met when both conditions are; nil is a condition that always is.
func All(a, b Condition) Condition {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	}
	return join(a, b, false)
}

func join(a, b Condition, either bool) Condition {
	if a.String() == b.String() {
		return a
	}
	return several{conditions: []Condition{a, b}, either: either}
}

// several is met when one of several conditions is, or when all are.
type several struct {
	conditions []Condition
	either     bool
}

func (c several) Met(ctx context.Context, eng engine.Engine) (bool, error) {
	for _, one := range c.conditions {
		if met, err := one.Met(ctx, eng); err != nil || met == c.either {
			return met, err
		}
	}
	return !c.either, nil
}

func (c several) String() string {
	var words []string
	for _, one := range c.conditions {
		words = append(words, one.String())
	}
	slices.Sort(words)
	if c.either {
		return strings.Join(words, " or ")
	}
	return strings.Join(words, " and ")
}
