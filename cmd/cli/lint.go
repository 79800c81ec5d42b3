package cli

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/muster-dev/muster/cmd/display"
	"github.com/muster-dev/muster/convergence/build"
	"github.com/muster-dev/muster/graph"
	"github.com/muster-dev/muster/project"
)

const formatSARIF = "sarif"

// explain lists the attributes that have no effect here, whatever the files have, and what happens instead.
func (o *configOptions) explain() error {
	list := append(project.Explain(), build.Explain()...)
	slices.SortStableFunc(list, func(a, b project.Explanation) int { return cmp.Compare(a.Path, b.Path) })
	var text bytes.Buffer
	if err := display.Explanations(&text, list); err != nil {
		return err
	}
	return o.writeOutput(o.output, text.Bytes())
}

// lint tells what of the files has no effect, is risky or is deprecated. The exit code is 2 when there is anything.
func (o *configOptions) lint(ctx context.Context) error {
	if o.format != "" && o.format != "text" && o.format != formatSARIF {
		return fmt.Errorf("unsupported --format value %q for --lint: use text or sarif", o.format)
	}
	p, err := project.Load(ctx, o.loadOptions())
	if err != nil {
		return err
	}
	if _, err := graph.From(p); err != nil {
		return err
	}
	raw := o.loadOptions()
	raw.SkipInterpolation = true
	tree, err := project.Tree(ctx, raw)
	if err != nil {
		return err
	}
	findings := p.Lint(tree)
	for _, warning := range slices.Concat(p.Unsupported(), p.Inert(), build.Unsupported(p)) {
		findings = append(findings, project.Finding{Warning: warning, Rule: project.RuleNoEffect})
	}
	for _, refused := range p.Refused() {
		findings = append(findings, project.Finding{Warning: refused, Rule: project.RuleRefused})
	}
	for i := range findings {
		findings[i].Position.File = o.shortPath(findings[i].Position.File)
	}
	slices.SortStableFunc(findings, func(a, b project.Finding) int {
		return cmp.Or(cmp.Compare(a.Position.File, b.Position.File), cmp.Compare(a.Position.Line, b.Position.Line),
			cmp.Compare(a.Position.Column, b.Position.Column), cmp.Compare(a.Path, b.Path))
	})
	return o.tellFindings(findings)
}

func (o *configOptions) tellFindings(findings []project.Finding) (err error) {
	var text bytes.Buffer
	if o.format == formatSARIF {
		err = display.SARIF(&text, findings, o.app.Version)
	} else {
		err = display.Findings(&text, findings, o.colorOut() && o.output == "")
	}
	if err == nil && !o.quiet {
		err = o.writeOutput(o.output, text.Bytes())
	}
	if err == nil && len(findings) > 0 {
		err = exitCode(exitChanges)
	}
	return err
}
