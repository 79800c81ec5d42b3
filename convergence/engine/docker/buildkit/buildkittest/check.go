package buildkittest

import (
	"bytes"
	"context"
	"encoding/json"
	"strconv"
	"strings"

	control "github.com/moby/buildkit/api/services/control"
	"github.com/moby/buildkit/client/buildid"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	gateway "github.com/moby/buildkit/frontend/gateway/pb"
	"github.com/moby/buildkit/solver/pb"
)

// guided is a build whose client asks the frontend itself: it is there from the first call for it until the client returns it.
type guided struct {
	session  chan string // the build's, once it is known
	returned chan struct{}
}

// guided is the one of that reference; whoever comes first makes it.
func (s *Server) guided(ref string) *guided {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	g, known := s.guidedBuilds[ref]
	if !known {
		g = &guided{session: make(chan string, 1), returned: make(chan struct{})}
		s.guidedBuilds[ref] = g
	}
	return g
}

// waitReturned is the call that holds such a build open.
func (s *Server) waitReturned(ctx context.Context, request *control.SolveRequest) (*control.SolveResponse, error) {
	j := s.job(request.GetRef())
	defer j.finish()
	g := s.guided(request.GetRef())
	defer func() {
		s.mutex.Lock()
		defer s.mutex.Unlock()
		delete(s.guidedBuilds, request.GetRef())
	}()
	g.session <- request.GetSession()
	select {
	case <-g.returned:
		return &control.SolveResponse{}, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// bridge is the part of the gateway API that checks need.
type bridge struct {
	gateway.UnimplementedLLBBridgeServer
	server *Server
}

// Return implements gateway.LLBBridgeServer: it ends a build.
func (b *bridge) Return(ctx context.Context, _ *gateway.ReturnRequest) (*gateway.ReturnResponse, error) {
	close(b.server.guided(buildid.FromIncomingContext(ctx)).returned)
	return &gateway.ReturnResponse{}, nil
}

// Solve implements gateway.LLBBridgeServer for checks of a Dockerfile: the real ones.
func (b *bridge) Solve(ctx context.Context, request *gateway.SolveRequest) (*gateway.SolveResponse, error) {
	ref := buildid.FromIncomingContext(ctx)
	var id string
	select {
	case id = <-b.server.guided(ref).session:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if asked := request.GetFrontendOpt()["requestid"]; asked != "frontend.lint" {
		return nil, unknown("the request %q", asked)
	}
	waiting, stop := context.WithTimeout(ctx, jobPatience)
	caller, err := b.server.sessions.Get(waiting, id, false)
	stop()
	if err != nil {
		return nil, err
	}
	checked, err := newBuild(b.server, b.server.job(ref), caller, &control.SolveRequest{
		Frontend: request.GetFrontend(), FrontendAttrs: request.GetFrontendOpt(),
	})
	if err != nil {
		return nil, err
	}
	metadata, err := checked.check(ctx)
	if err != nil {
		return nil, err
	}
	return &gateway.SolveResponse{Result: &gateway.Result{Metadata: metadata}}, nil
}

// lintResult is what a frontend answers (buildkit, frontend/subrequests/lint).
type lintResult struct {
	Warnings []lintWarning    `json:"warnings"`
	Sources  []*pb.SourceInfo `json:"sources"`
	Error    *lintError       `json:"buildError,omitempty"`
}

type lintWarning struct {
	Rule     string       `json:"ruleName"`
	URL      string       `json:"url,omitempty"`
	Detail   string       `json:"detail,omitempty"`
	Location *pb.Location `json:"location,omitempty"`
}

type lintError struct {
	Message  string       `json:"message"`
	Location *pb.Location `json:"location,omitempty"`
}

// check carries out the checks that come with the parser, and finds ports that are none.
func (b *build) check(ctx context.Context) (map[string][]byte, error) {
	name, content, err := b.sync.dockerfile(ctx, b.options.dockerfileName, b.options.filename)
	if err != nil {
		return nil, err
	}
	result := lintResult{Sources: []*pb.SourceInfo{{Filename: name, Data: content}}}
	parsed, err := parser.Parse(bytes.NewReader(content))
	if err != nil {
		return nil, err
	}
	stages, _, err := instructions.Parse(parsed.AST, linter.New(&linter.Config{
		Warn: func(rule, _, url, text string, place []parser.Range) {
			result.Warnings = append(result.Warnings, lintWarning{Rule: rule, URL: url, Detail: text, Location: location(place)})
		},
	}))
	if err != nil {
		return nil, err
	}
	for _, stage := range stages {
		for _, command := range stage.Commands {
			if expose, ok := command.(*instructions.ExposeCommand); ok {
				result.Error = badPort(expose)
			}
		}
	}
	text, err := json.Marshal(result)
	return map[string][]byte{"result.json": text}, err
}

func badPort(expose *instructions.ExposeCommand) *lintError {
	for _, port := range expose.Ports {
		number, _, _ := strings.Cut(port, "/")
		if _, err := strconv.ParseUint(number, 10, 16); err != nil {
			return &lintError{Message: "invalid containerPort: " + port, Location: location(expose.Location())}
		}
	}
	return nil
}

func location(place []parser.Range) *pb.Location {
	at := &pb.Location{}
	for _, part := range place {
		at.Ranges = append(at.Ranges, &pb.Range{
			Start: &pb.Position{Line: int32(part.Start.Line)}, End: &pb.Position{Line: int32(part.End.Line)}, //nolint:gosec // few lines
		})
	}
	return at
}
