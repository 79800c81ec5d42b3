package buildkit

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"strings"

	control "github.com/moby/buildkit/api/services/control"
	"github.com/moby/buildkit/client/buildid"
	gateway "github.com/moby/buildkit/frontend/gateway/pb"
	"github.com/moby/buildkit/solver/pb"
	"golang.org/x/sync/errgroup"

	"github.com/muster-dev/muster/convergence/engine"
)

// What a frontend is asked for instead of an image, and where its answer is (buildkit, frontend/subrequests/lint).
const (
	requestLint = "frontend.lint"
	resultLint  = "result.json"
	// needsSubrequests makes a frontend that knows no such requests refuse, where it would build.
	needsSubrequests = "moby.buildkit.frontend.subrequests"
)

// Check is [engine.Builds.CheckBuild].
func (b *Builder) Check(ctx context.Context, request engine.BuildImage) ([]engine.BuildFinding, error) {
	request.Provenance, request.SBOM, request.Platforms = "", "", nil // there will be no image
	var (
		answer []byte
		from   *source
	)
	err := b.do(ctx, request, func(engine.BuildProgress) {}, func(ctx context.Context, j *job) (err error) {
		from = j.from
		answer, err = j.lint(ctx)
		return err
	})
	var failed *engine.BuildError
	switch {
	case errors.As(err, &failed) && isNoLinter(failed.Cause.Error()):
		return nil, &kinded{engine.ErrUnsupported, "the engine's BuildKit has no checks"}
	case err != nil:
		return nil, err
	}
	return findings(answer, from)
}

func isNoLinter(text string) bool {
	return strings.Contains(text, "unsupported frontend capability") || strings.Contains(text, "unsupported request")
}

// lint asks the frontend. It takes a build without a result, which the caller of the frontend ends.
func (j *job) lint(ctx context.Context) (answer []byte, err error) {
	bridge := gateway.NewLLBBridgeClient(j.connection)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		_, err := j.control.Solve(ctx, &control.SolveRequest{Ref: j.request.GetRef(), Session: j.request.GetSession()})
		return err
	})
	group.Go(func() error {
		ctx := buildid.AppendToOutgoingContext(ctx, j.request.GetRef())
		options := maps.Clone(j.request.GetFrontendAttrs())
		options["requestid"], options["frontend.caps"] = requestLint, needsSubrequests
		solved, err := bridge.Solve(ctx, &gateway.SolveRequest{
			Frontend: frontend, FrontendOpt: options, AllowResultReturn: true, AllowResultArrayRef: true,
		})
		if err != nil {
			return err
		}
		answer = solved.GetResult().GetMetadata()[resultLint]
		_, err = bridge.Return(ctx, &gateway.ReturnRequest{Result: &gateway.Result{}})
		return err
	})
	err = group.Wait()
	return answer, err
}

// lintResult is what the frontend answers.
type lintResult struct {
	Warnings []struct {
		Rule     string       `json:"ruleName"`
		URL      string       `json:"url"`
		Detail   string       `json:"detail"`
		Location *pb.Location `json:"location"`
	} `json:"warnings"`
	Sources []*pb.SourceInfo `json:"sources"`
	Error   *struct {
		Message  string       `json:"message"`
		Location *pb.Location `json:"location"`
	} `json:"buildError"`
}

func findings(answer []byte, from *source) ([]engine.BuildFinding, error) {
	var result lintResult
	if err := json.Unmarshal(answer, &result); err != nil {
		return nil, &kinded{engine.ErrUnsupported, "the engine's BuildKit has no checks that are understood here"}
	}
	var found []engine.BuildFinding
	add := func(rule, text, url string, at *pb.Location) {
		finding := engine.BuildFinding{Rule: rule, Text: text, URL: url, Dockerfile: from.dockerfile}
		first, last := span(at.GetRanges())
		if source := int(at.GetSourceIndex()); source >= 0 && source < len(result.Sources) {
			finding.Lines = excerpt(result.Sources[source].GetData(), first, last)
		}
		found = append(found, finding)
	}
	for _, warning := range result.Warnings {
		add(warning.Rule, warning.Detail, warning.URL, warning.Location)
	}
	if result.Error != nil {
		add("", result.Error.Message, "", result.Error.Location)
	}
	return found, nil
}
