package project

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"
)

// explain is the [*LoadError] for files that did not load. The files are looked at by themselves; what is found is then left out
// and the rest is loaded and checked, so that one run tells all. Where nothing is found the cause is told as it is.
func (l *loading) explain(ctx context.Context, cause error) error {
	findings, err := l.reader.diagnose()
	if err != nil {
		return err
	}
	problems := slices.Clone(l.reader.problems)
	for _, finding := range findings {
		problems = append(problems, finding.problem())
	}
	for _, source := range l.reader.all {
		problems = append(problems, source.unknownBases()...)
	}
	if len(problems) == 0 {
		problems = []Problem{l.place(cause)}
	}
	if cause != nil && !l.options.SkipConsistency {
		problems = append(problems, l.checkRest(ctx, findings)...)
	}
	return loadError(problems, l.reader.all)
}

// checkRest checks what is left without the findings. Where that does not load either, it knows nothing more.
func (l *loading) checkRest(ctx context.Context, findings []finding) []Problem {
	dropped := map[string]bool{}
	texts := map[*source][]byte{}
	for _, finding := range findings {
		if !finding.spot.source.main {
			return nil
		}
		path := finding.path
		if !finding.onValue && finding.spot.key != nil && !finding.missing {
			path = path.next(finding.spot.key.Value)
		}
		dropped[path.String()] = true
		texts[finding.spot.source] = nil
	}
	if len(findings) == 0 {
		return nil
	}
	for source := range texts {
		text, err := source.repaired(findings)
		if err != nil {
			return nil
		}
		texts[source] = text
	}
	model, err := l.compose(ctx, texts)
	if err != nil {
		return nil
	}
	return l.check(model, dropped)
}

var (
	modelPath     = regexp.MustCompile(`\b(?:services|networks|volumes|secrets|configs|jobs|models|include)(?:[.\[][^\s:'"` + "`" + `]+)`)
	quotedValue   = regexp.MustCompile(`, value: '.*'`)
	validatedFile = regexp.MustCompile(`^validating [^:]+: `)
)

// place makes a problem of compose-go's error: its text, without the values that it may quote, where the path in it leads.
func (l *loading) place(cause error) Problem {
	text := cause.Error()
	if errors.Is(cause, context.Canceled) {
		return Problem{Message: text}
	}
	text = quotedValue.ReplaceAllString(validatedFile.ReplaceAllString(text, ""), "")
	text = strings.TrimPrefix(text, "decoding failed due to the following error(s):")
	problem := Problem{Position: Position{File: l.reader.main[0].name}, Message: strings.Join(strings.Fields(text), " ")}
	path := modelPath.FindString(text)
	if path == "" {
		return problem
	}
	place, _ := l.places.find(strings.TrimRight(strings.NewReplacer("[", ".", "]", "").Replace(path), ".,;"))
	if position, length := place.position(); position.Line > 0 {
		problem.Position, problem.Length = position, length
	}
	return problem
}
