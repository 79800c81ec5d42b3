package project

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/compose-spec/compose-go/v2/consts"
	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/compose-spec/compose-go/v2/utils"
)

// Options say which project to load and how. The zero value loads nothing: Dir is needed.
type Options struct {
	Files            []string  // -f, in order; "-" is Stdin; empty: COMPOSE_FILE, then discovery
	Stdin            io.Reader // what "-" reads
	Dir              string    // the current folder, absolute
	ProjectDirectory string    // --project-directory
	Name             string    // -p
	Profiles         []string  // --profile
	EnvFiles         []string  // --env-file
	Env              []string  // the process environment, KEY=VALUE
	Compatibility    bool      // --compatibility; COMPOSE_COMPATIBILITY counts too
	AllResources     bool      // --all-resources: keep what no enabled service uses
	Services         []string  // the services that are named, empty for all; see [Project.Narrow]
	NoDeps           bool      // without the dependencies of the named services

	// For `config`: leave out replacing variables, filling in defaults, checking, making paths absolute, and reading env files.
	SkipInterpolation, SkipNormalization, SkipConsistency, SkipPathResolution, SkipEnvResolution bool
}

// Load loads a project: it finds and reads the files, checks them, and narrows the project to the named services with what they
// need. It reads nothing of the process's state, only files and what the options hold; but "~" in the model's paths is the home
// folder of the process.
//
// The error is [ErrNoFile] where there is no file; a [*LoadError] with everything that is wrong in the files, as far as it can be
// told at once; an [*UnknownServiceError] for a named service that is not there; and otherwise says which file cannot be read.
// Dependency cycles are no error here.
func Load(ctx context.Context, options Options) (*Project, error) {
	loading, err := begin(options)
	if err != nil {
		return nil, err
	}
	model, err := loading.load(ctx)
	if err != nil {
		return nil, loading.withWarnings(err)
	}
	return loading.project(model)
}

// Tree is the model as plain maps, lists and values, merged but not narrowed: what there is to show where variables are not to
// be replaced, because "${PORT}:80" is no port yet. Services and Profiles do not count. The errors are Load's.
func Tree(ctx context.Context, options Options) (map[string]any, error) {
	loading, err := begin(options)
	if err != nil {
		return nil, err
	}
	if len(loading.reader.problems) > 0 {
		return nil, loading.explain(ctx, nil)
	}
	tree, err := loading.tree(ctx)
	if err != nil {
		return nil, loading.explain(ctx, err)
	}
	return tree, nil
}

// begin does what comes before compose-go is asked.
func begin(options Options) (*loading, error) {
	chosen, err := settle(options)
	if err != nil {
		return nil, err
	}
	if len(chosen.files) == 0 {
		return nil, ErrNoFile
	}
	reader, err := newReader(chosen)
	if err != nil {
		return nil, err
	}
	loading := &loading{setting: chosen, reader: reader}
	if loading.name, err = loading.projectName(); err != nil {
		return nil, err
	}
	chosen.environment[consts.ComposeProjectName] = loading.name
	reader.followAll()
	loading.places = &places{main: reader.main, all: reader.all}
	return loading, nil
}

// loading is one load on its way.
type loading struct {
	*setting
	reader *reader
	places *places
	name   string
}

// load makes the model and checks it.
func (l *loading) load(ctx context.Context) (*Model, error) {
	if len(l.reader.problems) > 0 {
		return nil, l.explain(ctx, nil)
	}
	model, err := l.compose(ctx, nil)
	if cancelled := ctx.Err(); cancelled != nil {
		return nil, cancelled
	}
	if err != nil {
		return nil, l.explain(ctx, err)
	}
	if l.options.SkipConsistency {
		return model, nil
	}
	return model, loadError(l.check(model, nil), l.reader.all)
}

// compose has compose-go load the files, or other texts in their place.
func (l *loading) compose(ctx context.Context, texts map[*source][]byte) (model *Model, err error) {
	defer recovered(&err)
	model, err = loader.LoadWithContext(ctx, l.details(texts), l.loaderOptions)
	if err == nil && len(l.options.Services) > 0 {
		model, err = model.WithServicesEnabled(l.options.Services...)
	}
	return model, err
}

func (l *loading) tree(ctx context.Context) (tree map[string]any, err error) {
	defer recovered(&err)
	return loader.LoadModelWithContext(ctx, l.details(nil), l.loaderOptions)
}

// recovered makes an error of a panic: compose-go trusts some values before it has checked their types.
func recovered(err *error) {
	if cause := recover(); cause != nil {
		*err = fmt.Errorf("load compose files: %v", cause)
	}
}

func (l *loading) details(texts map[*source][]byte) types.ConfigDetails {
	details := types.ConfigDetails{WorkingDir: l.workingDir, Environment: l.environment.Clone()}
	for _, source := range l.reader.main {
		content := source.content
		if text, ok := texts[source]; ok {
			content = text
		}
		details.ConfigFiles = append(details.ConfigFiles, types.ConfigFile{Filename: source.path, Content: content})
	}
	return details
}

func (l *loading) loaderOptions(options *loader.Options) {
	options.SetProjectName(l.name, true)
	options.Profiles = l.profiles()
	options.SkipInterpolation = l.options.SkipInterpolation
	options.SkipNormalization = l.options.SkipNormalization
	options.ResolvePaths = !l.options.SkipPathResolution
	options.ConvertWindowsPaths = options.ResolvePaths && utils.StringToBool(l.environment["COMPOSE_CONVERT_WINDOWS_PATHS"])
	options.SkipConsistencyCheck = true
	options.SkipResolveEnvironment = true
	options.SkipResolveLabels = true
	options.MaxNodeVisits = maxValues
	options.Interpolate.Substitute = newSubstitution().replace
	options.Interpolate.TypeCastMapping = l.reader.castsInUse()
}

// project makes the project of a checked model: narrowed, with the env files read.
func (l *loading) project(model *Model) (*Project, error) {
	for _, source := range l.reader.main {
		model.ComposeFiles = append(model.ComposeFiles, source.path)
	}
	warnings := append(l.settleReplicas(model), l.readModes(model)...)
	pinPlatforms(model)
	loaded := &Project{
		Model:         model,
		EnvFiles:      l.envFiles,
		Compatibility: l.options.Compatibility || utils.StringToBool(l.environment["COMPOSE_COMPATIBILITY"]),
		Warnings:      slices.Concat(l.warnings, l.reader.warnings(), warnings),
		places:        l.places,
	}
	loaded, err := loaded.Narrow(l.options.Services, l.options.NoDeps)
	if err != nil {
		return nil, err
	}
	if !l.options.AllResources {
		all := loaded.Model
		loaded.Model = all.WithoutUnnecessaryResources()
		withHookResources(loaded.Model, all)
	}
	if !l.options.SkipEnvResolution {
		if err := loaded.resolveFiles(l.options.Dir); err != nil {
			return nil, err
		}
	}
	return loaded, nil
}

// withWarnings puts into an error what was warned of: an unset variable may be the cause of it all.
func (l *loading) withWarnings(err error) error {
	var failed *LoadError
	if errors.As(err, &failed) && len(l.reader.problems) == 0 {
		failed.Warnings = slices.Concat(l.warnings, l.reader.warnings())
	}
	return err
}

func (l *loading) check(model *Model, dropped map[string]bool) []Problem {
	checker := checker{
		model: model, places: l.places, raw: l.options.SkipInterpolation, dropped: dropped, alone: map[string]bool{},
	}
	if l.options.NoDeps {
		for _, name := range l.options.Services {
			checker.alone[name] = true
		}
	}
	return checker.problems()
}
