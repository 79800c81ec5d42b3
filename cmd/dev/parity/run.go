package parity

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// site is where a file of the corpus is brought up, and as what.
type site struct {
	project, file string
}

// short is the name of an object without the project's: "container web-1".
func (s site) short(object string) string {
	kind, name, _ := strings.Cut(object, " ")
	return kind + " " + strings.TrimLeft(strings.TrimPrefix(name, s.project), "-_")
}

// verdict is what became of a file.
type verdict string

const (
	equal     verdict = "equal"     // both tools made the same
	different verdict = "DIFFERENT" // not the same, or a project was not taken over as it is
	alone     verdict = "alone"     // the peer does not take the file; Muster brings it up
	gated     verdict = "gated"     // the engine is too old for it, as Muster says before it makes anything
	neither   verdict = "neither"   // this engine or machine can not run it, whoever asks
	refused   verdict = "refused"   // both tools refuse it, with words
	declined  verdict = "declined"  // Muster alone refuses it, with words and on purpose
	failed    verdict = "FAILED"    // a tool failed where it should not
)

// outcome is a file's result.
type outcome struct {
	file        corpusFile
	verdict     verdict
	objects     int // that were compared
	differences []difference
	problems    []string // lines
	note        string   // a line
}

func (o *outcome) problem(format string, arguments ...any) {
	o.problems = append(o.problems, fmt.Sprintf(format, arguments...))
}

// runner checks files one after the other.
type runner struct {
	engine  rawEngine
	tools   tools
	folder  string // of the corpus
	version engineVersion
	// containerd says that the engine keeps images in containerd's store.
	containerd bool
	// privileged says that the engine can run privileged containers.
	privileged bool
	intended   *intended
}

// check brings a file up with both tools and compares.
func (r runner) check(ctx context.Context, file corpusFile) (result outcome, err error) {
	at := site{project: "muster-parity-" + file.Name, file: filepath.Join(r.folder, file.Name+".yaml")}
	result = outcome{file: file}
	if err := r.clear(ctx, at); err != nil {
		return result, fmt.Errorf("clear what an earlier run left: %w", err)
	}
	defer func() { err = errors.Join(err, r.clear(context.WithoutCancel(ctx), at)) }()
	remove, err := r.engine.prepare(ctx, file.Notes)
	defer func() { err = errors.Join(err, remove(context.WithoutCancel(ctx))) }()
	if err != nil {
		return result, fmt.Errorf("make what is there before: %w", err)
	}
	switch {
	case file.API != "" && apiLess(r.version.APIVersion, file.API):
		return result, r.checkGate(ctx, at, &result)
	case file.Store == "containerd" && !r.containerd:
		result.verdict, result.note = neither, "needs an engine that keeps images in containerd's store"
		return result, nil
	case file.Privileged && !r.privileged:
		result.verdict, result.note = neither, "needs an engine that can run privileged containers on this machine"
		return result, nil
	case file.Refused != "" && file.Both:
		return result, r.checkRefused(ctx, at, &result)
	case file.Refused != "":
		return result, r.checkAlone(ctx, at, &result)
	case len(file.Declined) > 0:
		return result, r.checkDeclined(ctx, at, &result)
	}
	return result, r.checkBoth(ctx, at, &result)
}

// checkBoth has the peer make the project and Muster take it over, and then the other way round, and compares what each made.
func (r runner) checkBoth(ctx context.Context, at site, result *outcome) error {
	peer, err := r.side(ctx, at, result, peerName, musterName)
	if err != nil {
		return err
	}
	muster, err := r.side(ctx, at, result, musterName, peerName)
	if err != nil {
		return err
	}
	switch {
	case peer.refused != nil && muster.refused != nil:
		result.verdict, result.note = neither, firstLine(peer.refused)
		return nil
	case peer.refused != nil:
		result.problem("only docker compose fails: %v", peer.refused)
	case muster.refused != nil:
		result.problem("only muster fails: %v", muster.refused)
	default:
		result.objects = len(peer.made)
		result.differences = compare(peer.made, muster.made)
		r.intended.explain(result.file.Name, result.differences)
	}
	result.verdict = equal
	unexplained := slices.ContainsFunc(result.differences, func(d difference) bool { return d.Reason == "" })
	if unexplained || len(result.problems) > 0 {
		result.verdict = different
	}
	if peer.refused != nil || muster.refused != nil {
		result.verdict = failed
	}
	return nil
}

// side is what one tool made of a file.
type side struct {
	made    map[string]fields
	refused error
}

// side has one tool make the project, looks at it, has the other one take it over, and removes it.
func (r runner) side(ctx context.Context, at site, result *outcome, maker, taker string) (made side, err error) {
	defer func() { err = errors.Join(err, r.clear(context.WithoutCancel(ctx), at)) }()
	if err := r.tools.up(ctx, maker, result.file, at); err != nil {
		return side{refused: err}, ctx.Err()
	}
	seen, err := r.look(ctx, at)
	if err != nil {
		return side{}, err
	}
	made.made = normalize(result.file.Text, seen)
	if err := r.takeOver(ctx, at, result, taker, seen); err != nil {
		return side{}, err
	}
	return made, r.remove(ctx, at, result, taker, maker)
}

// remove has one tool remove what the other one made.
func (r runner) remove(ctx context.Context, at site, result *outcome, taker, maker string) error {
	if err := r.tools.down(ctx, taker, result.file, at); err != nil {
		result.problem("%s does not remove what %s made: %v", taker, maker, err)
		return ctx.Err()
	}
	left, err := r.engine.look(ctx, at.project)
	for _, name := range slices.Sorted(maps.Keys(left.objects)) {
		result.problem("%s leaves %s of what %s made", taker, name, maker)
	}
	return err
}

// look inspects a project, and the images that it has built.
func (r runner) look(ctx context.Context, at site) (snapshot, error) {
	seen, err := r.engine.look(ctx, at.project)
	if err != nil {
		return seen, err
	}
	var built []string
	for _, object := range seen.objects {
		container, _ := object.(map[string]any)
		config, _ := container["Config"].(map[string]any)
		if image := text(config["Image"]); strings.HasPrefix(image, "muster-parity") && !slices.Contains(built, image) {
			built = append(built, image)
		}
	}
	return seen, r.engine.lookAtImages(ctx, &seen, built)
}

// takeOver has the other tool bring the same file up, which must leave everything as it is.
func (r runner) takeOver(ctx context.Context, at site, result *outcome, taker string, before snapshot) error {
	if taker == musterName && result.file.Do == "up" {
		output, err := r.tools.call(ctx, taker, result.file, at, "plan")
		if code := exitCode(err); code != 0 && !r.intended.recreates(musterName, result.file.Name) {
			result.problem("muster plan on what docker compose made: exit code %d: %s", code, planLines(output))
		}
	}
	if err := r.tools.up(ctx, taker, result.file, at); err != nil {
		result.problem("%s does not take it over: %v", taker, err)
		return ctx.Err()
	}
	after, err := r.engine.look(ctx, at.project)
	if err != nil {
		return err
	}
	for _, name := range sortedKeys(before.ids, after.ids) {
		old, was := before.ids[name]
		now, is := after.ids[name]
		if was && is && old == now || strings.HasPrefix(name, "image ") {
			continue
		}
		if was && is && r.intended.mayRecreate(taker, result.file.Name, at.short(name)) {
			continue
		}
		result.problem("%s taking it over: %s", taker, whatBecame(name, was, is))
	}
	return nil
}

func whatBecame(name string, was, is bool) string {
	switch {
	case was && is:
		return name + " is made anew"
	case was:
		return name + " is gone"
	}
	return name + " is new"
}

// planLines are the lines of a plan that say what changes.
func planLines(output string) string {
	const most = 12
	var lines []string
	for line := range strings.Lines(output) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines[:min(len(lines), most)], " | ")
}

// checkAlone has Muster bring up what the peer must refuse, and keep it as it is the second time.
func (r runner) checkAlone(ctx context.Context, at site, result *outcome) error {
	result.verdict, result.note = alone, result.file.Refused
	if err := r.tools.up(ctx, peerName, result.file, at); err == nil {
		result.problem("docker compose takes the file, which is said to be refused")
	}
	if err := r.clear(ctx, at); err != nil {
		return err
	}
	made, err := r.side(ctx, at, result, musterName, musterName)
	if made.refused != nil {
		result.problem("%v", made.refused)
	}
	result.objects = len(made.made)
	if len(result.problems) > 0 {
		result.verdict = failed
	}
	return err
}

// checkGate has Muster refuse what the engine is too old for, before it makes anything.
func (r runner) checkGate(ctx context.Context, at site, result *outcome) error {
	result.verdict = gated
	why := fmt.Sprintf("what needs API %s on an engine with %s", result.file.API, r.version.APIVersion)
	return r.mustRefuse(ctx, at, result, musterName, why)
}

// checkRefused has both tools refuse a file.
func (r runner) checkRefused(ctx context.Context, at site, result *outcome) error {
	result.verdict = refused
	return errors.Join(r.mustRefuse(ctx, at, result, peerName, "the file"), r.mustRefuse(ctx, at, result, musterName, "the file"))
}

// checkDeclined has the peer bring a file up, and Muster refuse it with the words of its notes: also where it runs already, which
// has to stay as it is until Muster's down removes it.
func (r runner) checkDeclined(ctx context.Context, at site, result *outcome) error {
	result.verdict = declined
	if r.intended.declined(result.file.Name) == "" {
		result.problem("the list of what is intended does not say why muster refuses it")
	}
	if err := r.tools.up(ctx, peerName, result.file, at); err != nil {
		result.problem("docker compose does not take it: %v", err)
	}
	before, err := r.engine.look(ctx, at.project)
	if err != nil {
		return err
	}
	result.objects = len(before.objects)
	r.mustDecline(ctx, at, result)
	after, err := r.engine.look(ctx, at.project)
	if err != nil {
		return err
	}
	for _, name := range sortedKeys(before.ids, after.ids) {
		if old, now := before.ids[name], after.ids[name]; old != now {
			result.problem("muster refuses it, but %s", whatBecame(name, old != "", now != ""))
		}
	}
	if err := errors.Join(r.remove(ctx, at, result, musterName, peerName), r.clear(ctx, at)); err != nil {
		return err
	}
	return r.mustRefuse(ctx, at, result, musterName, "the file")
}

// mustDecline has Muster refuse a file with the words that its notes have.
func (r runner) mustDecline(ctx context.Context, at site, result *outcome) {
	var call *callError
	err := r.tools.up(ctx, musterName, result.file, at)
	if !errors.As(err, &call) {
		result.problem("muster takes the file: %v", err)
		return
	}
	for _, words := range result.file.Declined {
		if !strings.Contains(call.Output, words) {
			result.problem("muster refuses it without the words %q: %s", words, call.lines())
		}
	}
}

// mustRefuse has a tool refuse a file before it makes anything.
func (r runner) mustRefuse(ctx context.Context, at site, result *outcome, tool, what string) error {
	err := r.tools.up(ctx, tool, result.file, at)
	if err == nil {
		result.problem("%s takes %s", tool, what)
	} else {
		result.note = firstLine(err)
	}
	left, lookErr := r.engine.look(ctx, at.project)
	for _, name := range slices.Sorted(maps.Keys(left.objects)) {
		result.problem("%s has made %s before it refused", tool, name)
	}
	if len(result.problems) > 0 {
		result.verdict = failed
	}
	return errors.Join(lookErr, r.clear(context.WithoutCancel(ctx), at), ctx.Err())
}

// firstLine is the first line of what a failed command said.
func firstLine(err error) string {
	var call *callError
	if !errors.As(err, &call) {
		return err.Error()
	}
	for line := range strings.Lines(call.Output) {
		if line = strings.TrimSpace(line); line != "" && !strings.Contains(line, "level=warning") && !strings.HasPrefix(line, "WARNING:") {
			return line
		}
	}
	return call.Error()
}

// clear removes what a project has, and the images that were built for it.
func (r runner) clear(ctx context.Context, at site) error {
	return errors.Join(r.engine.clear(ctx, at.project), r.engine.clearImages(ctx, at.project))
}

// apiLess compares API versions, "1.9" before "1.10".
func apiLess(a, b string) bool {
	number := func(version string) int {
		_, minor, _ := strings.Cut(version, ".")
		value, _ := strconv.Atoi(minor)
		return value
	}
	return number(a) < number(b)
}
