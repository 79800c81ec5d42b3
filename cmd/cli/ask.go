package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/muster-dev/muster/cmd/display"
	"github.com/muster-dev/muster/convergence/plan"
)

// consent is what `up` may do: all that it plans, what a person has agreed to, or what a file says. The zero value allows everything.
type consent struct {
	show, showSecrets bool
	from              string     // the file of a plan
	saved             *savedPlan // that is to be carried out, or was agreed to
}

// bindConsent binds the flags about seeing the plan first.
func (o *upOptions) bindConsent(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.BoolVar(&o.consent.show, planFlag, false, "Show the plan, and ask before it is carried out (--yes goes on without asking)")
	flags.BoolVar(&o.consent.showSecrets, showSecretsFlag, false, "With --plan: show secret values, too")
	flags.StringVar(&o.consent.from, fromFlag, "", "Carry out the plan of this file, that `muster plan --out` wrote, if it is still the plan")
}

const (
	planFlag = "plan"
	fromFlag = "from"

	showSecretsFlag = "show-secrets"
)

// exact says that the plan is to be one that was shown or saved, for which registries were asked.
func (c *consent) exact() bool { return c.show || c.from != "" }

// check says whether a plan, when it was made anew, is still the one that is to be carried out; the error says what has moved on.
func (c *consent) check(made *plan.Plan) error {
	if c.saved == nil {
		return nil
	}
	return c.saved.check(made)
}

// holding is a planning of which only the plan that is to be carried out comes through.
func (c *consent) holding(planned replan) replan {
	return func(ctx context.Context) (*plan.Plan, error) {
		made, err := planned(ctx)
		if err == nil {
			err = c.check(made)
		}
		return made, err
	}
}

// agree shows the plan and asks, where that is wanted; the plan is then what was agreed to. One from a file has to be what the file says.
func (o *upOptions) agree(made *plan.Plan) error {
	if err := o.consent.check(made); err != nil || !o.consent.show {
		return err
	}
	display.Plan(o.app.Streams, made, o.colorOut())
	if !made.HasChanges() {
		return nil
	}
	saved, err := savePlan(made, savedCall{})
	if err != nil {
		return err
	}
	saved.file = ""
	o.consent.saved = saved
	switch {
	case o.yes:
		return nil
	case !o.app.InTerminal:
		return &hinted{errors.New("nobody can be asked whether to apply this: the input is no terminal"), "give --yes to apply it without asking"}
	}
	_, _ = fmt.Fprint(o.app.Err, "\nApply this? [y/N] ")
	yes, err := o.isYes(bufio.NewReader(o.app.In))
	if err == nil && !yes {
		err = errors.New("not applied, nothing was touched")
	}
	return err
}
