package cli

import (
	"context"
	"errors"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/project"
)

// Codes of failures, for scripts: with --progress json they stand beside the message. Errors that know theirs say it by a method
// Code; the rest is told here.
const (
	codeBadFile     = "bad-file"
	codeEngine      = "engine-unreachable"
	codeInterrupted = "interrupted"
	codePort        = "port-taken"
	codeFailed      = "failed"
)

// failureCode is a code and what it stands for.
type failureCode struct{ code, meaning string }

// failureCodes are all that there are. One never changes its meaning.
func failureCodes() []failureCode {
	return []failureCode{
		{"timeout", "the time of --wait-timeout was up"},
		{"unhealthy", "a health check has failed as often as it may"},
		{"exited", "a container ended that was to run, or with an exit code that is not 0"},
		{"out-of-memory", "the kernel ended a container that took more memory than it may"},
		{"paused", "a container that is waited for is paused"},
		{"removed", "a container that is waited for was removed"},
		{"no-healthcheck", "a service is to become healthy that has no health check"},
		{codePort, "a port of the host is taken"},
		{"address-pools", "the engine has no addresses left for a network"},
		{"path-missing", "a path that is to be mounted is not on the engine's host"},
		{"command-not-found", "the image has no such program, or it may not be run"},
		{"name-taken", "another container has the name"},
		{"image-missing", "an image is not here and not at its registry"},
		{"image-denied", "a registry does not give an image to this user"},
		{"platform-mismatch", "there is no such image for the platform"},
		{"pull-failed", "an image could not be brought for another reason"},
		{"build-failed", "an image could not be built"},
		{"hook-failed", "a hook has ended with an exit code that is not 0"},
		{"disk-full", "the engine has no room left"},
		{"locked", "somebody else changes the project"},
		{"refused", "what is asked for cannot be, and nothing was touched"},
		{codeBadFile, "a file or what it names cannot be used"},
		{codeEngine, "the engine cannot be reached, or was lost"},
		{codeInterrupted, "the user has interrupted"},
		{codeFailed, "anything else"},
	}
}

// codeOf is the code of an error.
func codeOf(err error) string {
	var coded interface{ Code() string }
	var load *project.LoadError
	switch {
	case errors.As(err, &coded) && coded.Code() != "":
		return coded.Code()
	case errors.As(err, &load), errors.Is(err, project.ErrNoFile):
		return codeBadFile
	case errors.Is(err, context.Canceled):
		return codeInterrupted
	}
	if known, ok := adviceOn(err); ok {
		return known.Code
	}
	if errors.Is(err, engine.ErrUnavailable) {
		return codeEngine
	}
	return codeFailed
}
