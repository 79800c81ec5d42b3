package docker

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/docker/docker/api/types/versions"
	"github.com/docker/docker/client"

	"github.com/muster-dev/muster/convergence/engine"
)

// oldestAPI is the oldest version that is spoken: Docker 1.12's. The client library takes it for any engine that names none.
const oldestAPI = "1.24"

// patience is how long an engine may take to answer the first request: it may be starting, or behind a slow ssh.
const patience = time.Minute

var versionPattern = regexp.MustCompile(`^\d+\.\d+$`)

// wantedAPI is DOCKER_API_VERSION; empty leaves it to the engine.
func (s settings) wantedAPI() (string, error) {
	given := s.Env("DOCKER_API_VERSION")
	version := strings.TrimPrefix(given, "v")
	switch {
	case version != "" && !versionPattern.MatchString(version):
		return "", fmt.Errorf("DOCKER_API_VERSION is %q, which is no version such as 1.43", given)
	case version != "" && versions.LessThan(version, oldestAPI):
		return "", fmt.Errorf("DOCKER_API_VERSION is %s: Muster speaks %s and newer", version, oldestAPI)
	}
	return version, nil
}

// negotiate asks the engine for its API version, which it returns with the operating system of its containers, and makes the client
// speak the newest version that both know; or, where DOCKER_API_VERSION is set, that one. What does not answer as an engine does is
// an [*UnreachableError].
func negotiate(ctx context.Context, api *client.Client, endpoint Endpoint, wanted string) (engineAPI, system string, err error) {
	var first answer
	limited, cancel := context.WithTimeout(context.WithValue(ctx, answerKey{}, &first), patience)
	defer cancel()
	ping, err := api.Ping(limited)
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return "", "", ctx.Err()
	case err != nil && first.header == nil, limited.Err() != nil:
		return "", "", &UnreachableError{Endpoint: endpoint, Cause: err}
	case endpoint.TLS == nil && err != nil && strings.Contains(err.Error(), "to an HTTPS server"):
		return "", "", &UnreachableError{Endpoint: endpoint, Cause: err}
	case !first.isEngines():
		return "", "", &UnreachableError{Endpoint: endpoint, Cause: &strangerError{
			status: first.status, kind: first.header.Get("Content-Type"), server: first.header.Get("Server"),
		}}
	case err != nil && strings.HasPrefix(err.Error(), "request returned "): // without a body, and with advice that misleads
		return "", "", fmt.Errorf("ask engine at %s for its version: it answers %s", endpoint, brief(first.status))
	case err != nil:
		return "", "", fmt.Errorf("ask engine at %s for its version: %w", endpoint, err)
	}
	if err := checkAPI(endpoint, ping.APIVersion, wanted); err != nil {
		return "", "", err
	}
	api.NegotiateAPIVersionPing(ping)
	return ping.APIVersion, ping.OSType, nil
}

// checkAPI says whether there is a version to agree on.
func checkAPI(endpoint Endpoint, newest, wanted string) error {
	switch {
	case newest == "" || versions.LessThan(newest, oldestAPI):
		if newest == "" {
			newest = "older than " + oldestAPI
		}
		return &advised{
			&apiError{engine.ErrUnsupported, fmt.Errorf("the engine at %s (from %s) is too old: its API is %s, Muster speaks %s and newer",
				endpoint, endpoint.Origin, newest, oldestAPI)},
			"update the engine, or name another one with DOCKER_HOST or a docker context",
		}
	case wanted != "" && versions.GreaterThan(wanted, newest):
		return &advised{
			&apiError{engine.ErrUnsupported, fmt.Errorf("DOCKER_API_VERSION is %s, but the engine at %s (from %s) speaks %s at most",
				wanted, endpoint, endpoint.Origin, newest)},
			"unset DOCKER_API_VERSION: the newest version that both know is chosen then",
		}
	}
	return nil
}
