package dockertest

import (
	"context"
	"flag"
	"fmt"
	"io"
)

// Main is an engine in memory as a program of its own, for test binaries that start it next to the command they test:
//
//	dockertest -socket PATH [-box REF]... [-image REF]... [-remote REF]... [-api VERSION] [-seed TEXT]
//
// -box puts a testbox image into the engine, -image one that runs [Shell], and -remote one of these into the registry. Once the
// engine answers it writes "listening on PATH". It ends, and with it all containers, when the context does.
func Main(ctx context.Context, arguments []string, stdout, stderr io.Writer) (exitCode int) {
	const usage = 2
	flags := flag.NewFlagSet("dockertest", flag.ContinueOnError)
	flags.SetOutput(stderr)
	socket := flags.String("socket", "", "where to listen")
	var options Options
	flags.StringVar(&options.APIVersion, "api", "", "the newest API version to speak")
	flags.StringVar(&options.Seed, "seed", "", "what IDs are made of")
	options.Remote = NewRegistry()
	var images []Image
	flags.Func("box", "a testbox image to have", func(ref string) error {
		images = append(images, Box(ref))
		return nil
	})
	flags.Func("image", "an image to have", func(ref string) error {
		images = append(images, Image{Ref: ref, Cmd: []string{"serve"}})
		return nil
	})
	flags.Func("remote", "an image that can be pulled", func(ref string) error {
		options.Remote.Push(Image{Ref: ref, Cmd: []string{"serve"}})
		return nil
	})
	if err := flags.Parse(arguments); err != nil || *socket == "" {
		return usage
	}
	engine := New(options)
	defer engine.Close()
	for _, image := range images {
		engine.AddImage(image)
	}
	if err := engine.Serve(*socket); err != nil {
		_, _ = fmt.Fprintln(stderr, err)
		return 1
	}
	_, _ = fmt.Fprintln(stdout, "listening on "+*socket)
	<-ctx.Done()
	return 0
}
