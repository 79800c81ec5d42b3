package docker

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/distribution/reference"

	"github.com/muster-dev/muster/convergence/engine"
)

// registryProblem is something that keeps an image from coming or going. Engines pass on what registries say: words, and mostly no
// status.
type registryProblem struct {
	words []string // in lower case; one of them is in the message
	kind  error    // what it is, unless the status has said so; nil where there is no sentinel
	hint  string   // what to try; REGISTRY is its name
	code  string   // for machines, where there is a better word than the kind
}

func (p registryProblem) in(message string) bool {
	return slices.ContainsFunc(p.words, func(words string) bool { return containsFold(message, words) })
}

// hubDomain is the one registry that needs not be named to log in.
const hubDomain = "docker.io"

// pullProblems end with one that always fits. The first that fits counts.
func pullProblems() []registryProblem {
	return []registryProblem{
		{[]string{"no space left on device"}, nil, "see what takes the engine's room: docker system df", "disk-full"},
		{
			[]string{"toomanyrequests", "429 too many requests"},
			nil,
			"wait a little, or log in with `docker login REGISTRY`: who is known may pull more often",
			"",
		},
		{
			[]string{"no matching manifest", "no match for platform", "the specified platform"},
			engine.ErrNotFound,
			"take out or change platform, or name an image that there is for it",
			"platform-mismatch",
		},
		{
			[]string{"denied", "unauthorized", "authentication required", "no basic auth credentials", "authorization failed"},
			engine.ErrDenied,
			"log in with `docker login REGISTRY`, and check the name: a registry also denies what does not exist",
			"",
		},
		{
			[]string{"not found", "manifest unknown"},
			engine.ErrNotFound,
			"check the image's name and tag, or build it and set pull_policy: never",
			"",
		},
		{
			[]string{"server gave http response to https client", "x509: ", "tls: "},
			nil,
			"have the engine trust it: put its certificate into /etc/docker/certs.d/REGISTRY/ca.crt on the engine's host, or name it " +
				"under insecure-registries in the engine's daemon.json",
			"",
		},
		{[]string{""}, nil, "check that REGISTRY can be reached from the engine's host", ""},
	}
}

// pushProblems are those of pushes: what does not exist is missing here, and not there.
func pushProblems() []registryProblem {
	missing := registryProblem{
		[]string{"does not exist locally", "tag does not exist", "no such image", "not found: not found"},
		engine.ErrNotFound,
		"build it first, or check the image's name and tag",
		"",
	}
	return append([]registryProblem{missing}, pullProblems()...)
}

// pullFailure gives what an engine says of a registry its kind and what to try. Other errors stay as they are.
func pullFailure(err error, ref string) error { return registryFailure(err, ref, pullProblems()) }

func registryFailure(err error, ref string, problems []registryProblem) error {
	var known *apiError
	if errors.As(err, &known) && errors.Is(known.kind, engine.ErrFailing) {
		known = nil // it passes on what the registry says, or nobody
	}
	isOther := known != nil && !errors.Is(err, engine.ErrNotFound) && !errors.Is(err, engine.ErrDenied)
	if err == nil || isOther || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	problem := problems[slices.IndexFunc(problems, func(p registryProblem) bool { return p.in(err.Error()) })]
	if known == nil && problem.kind != nil {
		err = &apiError{problem.kind, err}
	}
	registry := ""
	if named, parseErr := reference.ParseNormalizedNamed(ref); parseErr == nil {
		registry = reference.Domain(named)
	}
	hint := problem.hint
	if registry == hubDomain {
		hint = strings.ReplaceAll(hint, "docker login REGISTRY", "docker login")
	}
	err = &advised{err, strings.ReplaceAll(hint, "REGISTRY", registry)}
	if problem.code == "" {
		return err
	}
	return &codedError{err, problem.code}
}

// codedError is an error with a code for machines.
type codedError struct {
	error
	code string
}

func (e *codedError) Unwrap() error { return e.error }

// Code is what kind of failure it is, for machines.
func (e *codedError) Code() string { return e.code }
