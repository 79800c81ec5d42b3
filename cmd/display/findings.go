package display

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"path/filepath"

	"github.com/muster-dev/muster/project"
)

// Findings writes what a look at files has found, a line each, for people.
func Findings(w io.Writer, findings []project.Finding, colors bool) error {
	s := style{colors}
	for _, finding := range findings {
		place, text := harmless(finding.Position.String()), harmless(finding.String())
		if place != "" && len(text) > len(place) {
			text = s.bold(place) + text[len(place):]
		}
		if _, err := fmt.Fprintf(w, "%s %s\n", text, s.dim("["+string(finding.Rule)+"]")); err != nil {
			return err
		}
	}
	return nil
}

// The parts of SARIF 2.1.0 (OASIS, Static Analysis Results Interchange Format) that findings need.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool    sarifTool     `json:"tool"`
		Results []sarifResult `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name    string      `json:"name"`
		Version string      `json:"version"`
		Rules   []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID               string    `json:"id"`
		ShortDescription sarifText `json:"shortDescription"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifResult struct {
		RuleID    string          `json:"ruleId"`
		Level     string          `json:"level"`
		Message   sarifText       `json:"message"`
		Locations []sarifLocation `json:"locations,omitempty"`
	}
	sarifLocation struct {
		Physical sarifPhysical `json:"physicalLocation"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   *sarifRegion  `json:"region,omitempty"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifRegion struct {
		StartLine   int `json:"startLine"`
		StartColumn int `json:"startColumn,omitempty"`
	}
)

// SARIF writes findings for tools that show them beside the lines.
func SARIF(w io.Writer, findings []project.Finding, version string) error {
	run := sarifRun{
		Tool:    sarifTool{sarifDriver{Name: "muster", Version: version, Rules: []sarifRule{}}},
		Results: []sarifResult{},
	}
	seen := map[project.Rule]bool{}
	for _, finding := range findings {
		if !seen[finding.Rule] {
			seen[finding.Rule] = true
			run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRule{string(finding.Rule), sarifText{finding.Rule.Explanation()}})
		}
		run.Results = append(run.Results, sarifOf(finding))
	}
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(sarifLog{
		Schema: "https://json.schemastore.org/sarif-2.1.0.json", Version: "2.1.0", Runs: []sarifRun{run},
	})
}

func sarifOf(finding project.Finding) sarifResult {
	result := sarifResult{RuleID: string(finding.Rule), Level: "warning", Message: sarifText{harmless(finding.Path + ": " + finding.Message)}}
	if finding.Hint != "" {
		result.Message.Text += "; " + harmless(finding.Hint)
	}
	position := finding.Position
	if position.File == "" {
		return result
	}
	location := sarifLocation{sarifPhysical{Artifact: sarifArtifact{(&url.URL{Path: filepath.ToSlash(position.File)}).String()}}}
	if position.Line > 0 {
		location.Physical.Region = &sarifRegion{position.Line, position.Column}
	}
	result.Locations = []sarifLocation{location}
	return result
}

// Explanations writes a table of attributes that have no effect, and what happens instead.
func Explanations(w io.Writer, list []project.Explanation) error {
	const gap = 2
	table := Table{Header: []string{"ATTRIBUTE", "INSTEAD"}, Gap: gap}
	for _, one := range list {
		table.Rows = append(table.Rows, []string{one.Path, one.Instead})
	}
	return table.Write(w)
}
