package docker

import (
	"context"
	"errors"

	"github.com/muster-dev/muster/convergence/engine"
)

// BuildImage implements [engine.Builds].
func (c *Client) BuildImage(context.Context, engine.BuildImage, func(engine.BuildProgress)) (engine.BuiltImage, error) {
	return engine.BuiltImage{}, &apiError{engine.ErrUnsupported, errors.New("builds are not made yet")}
}
