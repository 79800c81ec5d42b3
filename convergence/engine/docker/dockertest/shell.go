package dockertest

import (
	"io"
	"path"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/muster-dev/muster/convergence/engine/docker/testbox"
)

// Shell is the program of images that name none: it knows true, false, echo, sleep and exit, also as `sh -c` with several of
// them joined by "&&" or ";". Any other command stays until a signal ends it; as a health check, it succeeds.
func Shell(world testbox.World) (exitCode int) { return shell(world, stay) }

func shell(world testbox.World, unknown Program) int {
	if len(world.Args) >= 3 && (path.Base(world.Args[0]) == "sh" || path.Base(world.Args[0]) == "bash") && world.Args[1] == "-c" {
		return script(world, world.Args[2], unknown)
	}
	code, _ := command(world, world.Args, unknown)
	return code
}

// script runs commands one after the other. "&&" goes on after a success only.
func script(world testbox.World, text string, unknown Program) (code int) {
	for _, sequence := range strings.Split(text, ";") {
		for _, one := range strings.Split(sequence, "&&") {
			words := strings.Fields(one)
			if len(words) == 0 {
				continue
			}
			var ends bool
			if code, ends = command(world, words, unknown); ends {
				return code
			}
			if code != 0 {
				break
			}
		}
	}
	return code
}

// command runs one; ends says that nothing runs after it.
func command(world testbox.World, words []string, unknown Program) (code int, ends bool) {
	argument := ""
	if len(words) > 1 {
		argument = words[1]
	}
	switch path.Base(words[0]) {
	case "true", ":":
		return 0, false
	case "false":
		return 1, false
	case "exit":
		code, _ = strconv.Atoi(argument)
		return code, true
	case "echo":
		_, _ = io.WriteString(world.Stdout, strings.Trim(strings.Join(words[1:], " "), `"'`)+"\n")
		return 0, false
	case "sleep":
		seconds, err := strconv.ParseFloat(strings.TrimSuffix(argument, "s"), 64)
		const longest = 1e9 // and "infinity" is longer
		if err != nil || seconds > longest {
			return stay(world), true
		}
		return sleep(world, time.Duration(seconds*float64(time.Second)))
	}
	return unknown(world), true
}

// sleep ends early on any signal that would end a process.
func sleep(world testbox.World, d time.Duration) (code int, ends bool) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
			return 0, false
		case signal := <-world.Signals:
			if number, fatal := fatality(signal); fatal {
				return number, true
			}
		}
	}
}

// stay waits for a signal that ends it.
func stay(world testbox.World) int {
	for {
		if code, fatal := fatality(<-world.Signals); fatal {
			return code
		}
	}
}

// succeed is what unknown health checks do.
func succeed(testbox.World) int { return 0 }

// fatality is the exit code of a process that handles signals in the usual way: it ends well when it is asked to.
func fatality(signal any) (code int, fatal bool) {
	switch signal {
	case nil, syscall.SIGKILL:
		return testbox.ExitKilled, true
	case syscall.SIGTERM, syscall.SIGINT, syscall.SIGQUIT:
		return 0, true
	}
	return 0, false
}
