package project

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/distribution/reference"
)

// engineName is what the engine takes as the name of a container, and of a volume of its own driver.
var engineName = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_.-]+$`)

// checkContainerName checks container_name: the engine must take it, and one container only can have it.
func (c *checker) checkContainerName(service Service) {
	name := service.ContainerName
	if name == "" || c.unknown(name) {
		return
	}
	path := "services." + service.Name + ".container_name"
	if !engineName.MatchString(name) {
		c.report(path, "container name "+quote(name)+" is not one that the engine takes", containerNameHint)
		return
	}
	if owner, taken := c.owners[name]; taken {
		c.report(path, fmt.Sprintf("container name %s is also that of service %s", quote(name), quote(owner)), "")
		return
	}
	c.owners[name] = service.Name
	if service.GetScale() > 1 {
		c.report(path, fmt.Sprintf("container name %s is for one container, but the service has %d", quote(name), service.GetScale()),
			`leave "container_name" out, or have one container`)
	}
}

// badImage says why a reference is not that of an image; empty where it is one, or there is none.
func badImage(image string) string {
	if image == "" {
		return ""
	}
	if _, err := reference.ParseAnyReference(image); err != nil {
		return fmt.Sprintf("image %s does not parse: %s", quote(image), err)
	}
	return ""
}

// checkTopLevel checks the networks, volumes, secrets and configs themselves.
func (c *checker) checkTopLevel() {
	for _, key := range keys(c.model.Networks) {
		network := c.model.Networks[key]
		path := "networks." + key + ".name"
		reserved := isEnginesOwn(network.Name)
		switch {
		case c.unknown(network.Name):
		case network.Name != "" && (strings.TrimSpace(network.Name) == "" || clean(network.Name) != network.Name):
			c.report(path, "network name "+quote(network.Name)+" is not one that the engine takes", "")
		case reserved && !bool(network.External):
			c.report(path, fmt.Sprintf("network %s is the engine's own", quote(network.Name)), fmt.Sprintf("choose another name, or write `network_mode: %s` where a service is to be on it", network.Name))
		}
		c.checkPools(key, network)
	}
	for _, key := range keys(c.model.Volumes) {
		volume := c.model.Volumes[key]
		own := volume.Driver == "" || volume.Driver == "local"
		if own && !bool(volume.External) && volume.Name != "" && !engineName.MatchString(volume.Name) && !c.unknown(volume.Name) {
			c.report("volumes."+key+".name", "volume name "+quote(volume.Name)+" is not one that the engine takes", containerNameHint)
		}
	}
	for _, key := range keys(c.model.Secrets) {
		secret := c.model.Secrets[key]
		if !bool(secret.External) && secret.File == "" && secret.Environment == "" && !c.dropped["secrets."+key] {
			c.report("secrets."+key, "needs one of file, environment", "")
		}
	}
}

// isEnginesOwn says whether a network is one that every engine has from the start.
func isEnginesOwn(name string) bool { return slices.Contains([]string{"bridge", "host", "none"}, name) }
