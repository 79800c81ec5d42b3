package docker

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/engine/docker/buildkit"
	"github.com/muster-dev/muster/convergence/engine/docker/buildx"
)

// builders are what a client builds with. The zero value is the engine itself until it is asked.
type builders struct {
	mutex sync.Mutex
	found *Builder // nil until it was looked for
	nodes []*buildNode
}

// buildNode is what builds on one machine.
type buildNode struct {
	buildx.Node
	kit    *buildkit.Builder
	engine *Client // the one that the BuildKit is in; nil where it is in none
}

// nodeFor is what builds for the platforms: the first of the builder's nodes that was made for them, else the first whose BuildKit
// can. Nobody is asked where there is one only.
func (c *Client) nodeFor(ctx context.Context, platforms []string) (*buildNode, error) {
	found, nodes, err := c.builderNodes(ctx)
	if err != nil {
		return nil, err
	}
	if len(nodes) == 1 || len(platforms) == 0 {
		return nodes[0], nil
	}
	for _, node := range nodes {
		if coversAll(platformNames(node.Platforms), platforms) {
			return node, nil
		}
	}
	var able []string
	for _, node := range nodes {
		can, err := node.kit.Platforms(ctx)
		if err != nil {
			return nil, err
		}
		if coversAll(can, platforms) {
			return node, nil
		}
		able = append(able, fmt.Sprintf("%s %s", node.Name, strings.Join(can, " ")))
	}
	return nil, &advised{
		&apiError{engine.ErrUnsupported, fmt.Errorf("%s: no node of it builds for all of %s: %s",
			found.describe(), strings.Join(platforms, ", "), strings.Join(able, "; "))},
		"build for the platforms one by one, or have a node emulate the others",
	}
}

func platformNames(platforms []buildx.Platform) []string {
	names := make([]string, len(platforms))
	for i, one := range platforms {
		names[i] = one.String()
	}
	return names
}

// coversAll says whether all that is wanted can be had. A variant that is not asked for is any.
func coversAll(can, wanted []string) bool {
	for _, one := range wanted {
		if !slices.ContainsFunc(can, func(has string) bool {
			return has == one || strings.HasPrefix(has, one+"/") || isUsualVariant(has, one)
		}) {
			return false
		}
	}
	return true
}

// isUsualVariant says whether a platform with its usual variant is what another tool has without (containerd, platforms.Normalize).
func isUsualVariant(has, wanted string) bool {
	usual := map[string]string{"linux/arm64": "linux/arm64/v8", "linux/arm": "linux/arm/v7", "linux/amd64": "linux/amd64/v1"}
	return usual[has] == wanted
}

// builderNodes are the nodes of the builder that the options mean; one of the engine's own where they mean that.
func (c *Client) builderNodes(ctx context.Context) (Builder, []*buildNode, error) {
	c.builders.mutex.Lock()
	defer c.builders.mutex.Unlock()
	if c.builders.found != nil {
		return *c.builders.found, c.builders.nodes, nil
	}
	found, err := c.settings.findBuilder()
	if err != nil {
		return Builder{}, nil, err
	}
	nodes := []*buildNode{{kit: c.builds, engine: c}}
	if !found.IsEngine() {
		if nodes, err = c.openNodes(ctx, found); err != nil {
			return Builder{}, nil, err
		}
	}
	c.builders.found, c.builders.nodes = &found, nodes
	return found, nodes, nil
}

func (c *Client) openNodes(ctx context.Context, found Builder) ([]*buildNode, error) {
	var nodes []*buildNode
	for _, wanted := range found.nodes {
		node := &buildNode{Node: wanted}
		if err := c.openNode(ctx, found, node); err != nil {
			return nil, errors.Join(fmt.Errorf("%s: node %q: %w", found.describe(), wanted.Name, err), closeNodes(c, nodes))
		}
		nodes = append(nodes, node)
	}
	return nodes, nil
}

// openNode makes what builds on a node. Only other engines are spoken to.
func (c *Client) openNode(ctx context.Context, found Builder, node *buildNode) (err error) {
	var connect func(ctx context.Context) (net.Conn, error)
	switch found.driver {
	case driverRemote:
		connect, err = remoteDialer(node.Node)
	case driverContainer:
		if node.engine, err = c.engineAt(ctx, node.Endpoint); err == nil {
			held := &builderContainer{client: node.engine, node: node.Node, builder: found.Name}
			connect = held.connect
		}
	default:
		if node.engine, err = c.engineAt(ctx, node.Endpoint); err == nil {
			node.kit = node.engine.builds
		}
		return err
	}
	if err != nil {
		return err
	}
	dial := func(ctx context.Context) (net.Conn, error) {
		connection, err := connect(ctx)
		return connection, unreachableNode(ctx, found, node.Node, err)
	}
	node.kit = &buildkit.Builder{
		Dial: buildkit.Direct(dial), Credentials: c.buildCredentials, Proxies: c.proxies, Load: c.loadImage, Save: c.saveImage,
	}
	return nil
}

// engineAt is the engine of a node, which is a docker CLI context or an address. It is this one where it can be.
func (c *Client) engineAt(ctx context.Context, endpoint string) (*Client, error) {
	if c.settings.isThisEngine(endpoint) {
		return c, nil
	}
	options := c.settings.Options
	options.Host, options.Context = "", endpoint
	if !c.settings.isContext(endpoint) {
		options.Host, options.Context = endpoint, ""
	}
	return Dial(ctx, options)
}

// unreachableNode says of what kept a node from being reached whose node it is; nil for nil.
func unreachableNode(ctx context.Context, found Builder, node buildx.Node, err error) error {
	var withHint interface{ Hint() string }
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &withHint) && withHint.Hint() != "":
		return &advised{fmt.Errorf("%s: node %q: %w", found.describe(), node.Name, err), withHint.Hint()}
	}
	return &advised{
		&apiError{engine.ErrUnavailable, fmt.Errorf("%s: node %q: no BuildKit answers at %s: %w", found.describe(), node.Name, node.Endpoint, err)},
		"see `docker buildx inspect " + found.Name + "`, or name another with --builder or BUILDX_BUILDER",
	}
}

// closeNodes ends the connections to engines that are not this one.
func closeNodes(c *Client, nodes []*buildNode) error {
	var problems []error
	for _, node := range nodes {
		if node.engine != nil && node.engine != c {
			problems = append(problems, node.engine.Close())
		}
	}
	return errors.Join(problems...)
}
