package cli

import (
	"context"
	"errors"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/muster-dev/muster/cmd/display"
	"github.com/muster-dev/muster/cmd/terminal"
	"github.com/muster-dev/muster/convergence/engine"
)

// bindMenu binds --menu, whose default is COMPOSE_MENU, and else that there is one at a terminal.
func (o *upOptions) bindMenu(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&o.menu, menuFlag, false, "Enable interactive shortcuts when running attached: the default at a terminal")
}

const menuFlag = "menu"

// keys that the menu has beside the one that detaches.
const (
	keyDetach    = "d"
	keyInterrupt = 3  // ctrl-c
	keySuspend   = 26 // ctrl-z
	keyWatch     = 'w'
)

var errSuspended = errors.New("suspended")

// menu is the line below the logs of an attached `up`, and what the keys do that it tells of.
type menu struct {
	app      App
	footer   *display.Footer
	heed     func(os.Signal)
	detached chan struct{} // closed when the user leaves the containers running
	cancel   context.CancelFunc
	group    errgroup.Group
	attended bool // the terminal was there
}

// openMenu takes the terminal over until the menu is closed. Without a menu nothing ever comes of it.
func (o *upOptions) openMenu(ctx context.Context, looks display.Looks, follow *follower) *menu {
	m := &menu{app: o.app, heed: o.interrupts.heed, detached: make(chan struct{}), cancel: func() {}}
	wanted := o.menu
	if !o.menuGiven {
		wanted = o.lookup("COMPOSE_MENU") == "" || o.isSet("COMPOSE_MENU")
	}
	if !wanted || looks.Mode != display.TTY || !o.app.InTerminal || !o.app.OutTerminal {
		return m
	}
	m.footer = display.NewFooter(o.app.Out, keyDetach+" detach   ctrl-c stop", looks)
	errOut := o.app.Err
	if o.app.ErrTerminal {
		errOut = m.footer.Above(errOut)
	}
	follow.printTo(m.footer.Above(o.app.Out), errOut)
	ctx, m.cancel = context.WithCancel(ctx)
	m.group.Go(func() error { return m.run(ctx) })
	return m
}

// close gives the terminal back.
func (m *menu) close() {
	m.cancel()
	_ = m.group.Wait()
}

// run reads keys until the menu is closed. Where the terminal cannot be had the logs go on without a menu.
func (m *menu) run(ctx context.Context) error {
	loan := terminal.Loan{In: m.app.In, Out: m.app.Out, Tty: true, DetachKeys: keyDetach}
	for {
		err := loan.Lend(ctx, m.attend)
		switch {
		case errors.Is(err, terminal.ErrDetached):
			close(m.detached)
			return nil
		case !errors.Is(err, errSuspended):
			if m.attended && ctx.Err() == nil { // the terminal is gone, or a signal has ended the loan of it
				m.heed(os.Interrupt)
			}
			return err
		}
		suspend()
	}
}

// attend does what the keys say.
func (m *menu) attend(ctx context.Context, console engine.Console) error {
	m.attended = true
	m.footer.Show()
	defer m.footer.Hide()
	stop := context.AfterFunc(ctx, func() { _ = console.Input.Close() })
	defer stop()
	const most = 64
	typed := make([]byte, most)
	for {
		n, err := console.Input.Read(typed)
		if n == 0 && err != nil {
			return err
		}
		for _, key := range typed[:n] {
			switch key {
			case keyInterrupt:
				m.heed(os.Interrupt)
			case keySuspend:
				return errSuspended
			case keyWatch:
				m.footer.Say("watch is not there yet: it comes in a later version")
			case '\r', '\n':
				m.footer.Say("")
			}
		}
		if err != nil {
			return err
		}
	}
}
