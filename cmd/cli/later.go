package cli

import (
	"fmt"

	"github.com/spf13/cobra"
)

// comesLater says of a part of docker compose that Muster does not have yet, and what there is instead.
func comesLater(what, instead string) error {
	return &hinted{fmt.Errorf("%s is not there yet: it comes in a later version", what), instead}
}

// newLater are docker compose's commands that come later. They say so; help does not offer them.
func newLater() []*cobra.Command {
	return []*cobra.Command{
		laterCommand("watch", "bring changes into containers by `muster up --build`"),
		newLaterPublish(),
		laterCommand("bridge", "write the whole model with `muster config`, for a converter of your choice"),
	}
}

func newLaterPublish() *cobra.Command {
	return laterCommand("publish", "push the images, and share the file that `muster config --resolve-image-digests` writes")
}

func laterCommand(name, instead string) *cobra.Command {
	return &cobra.Command{
		Use: name, Short: "Comes in a later version", Hidden: true, DisableFlagParsing: true, Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return comesLater("`"+cmd.CommandPath()+"`", instead)
		},
	}
}
