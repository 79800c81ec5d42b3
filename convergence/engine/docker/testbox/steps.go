package testbox

import (
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"
)

// addSteps defines the flags that are steps: parsing queues them in their order.
func (p *program) addSteps(flags *flag.FlagSet) {
	var every time.Duration
	step := func(name string, do func(value string) error) {
		flags.Func(name, "", func(value string) error {
			p.steps = append(p.steps, func() error { return do(value) })
			return nil
		})
	}
	number := func(name string, do func(n int) error) {
		flags.Func(name, "", func(value string) error {
			n, err := strconv.Atoi(value)
			p.steps = append(p.steps, func() error { return do(n) })
			return err
		})
	}
	duration := func(name string, do func(d time.Duration) error) {
		flags.Func(name, "", func(value string) error {
			d, err := time.ParseDuration(value)
			p.steps = append(p.steps, func() error { return do(d) })
			return err
		})
	}
	step("out", func(text string) error { return p.print(p.world.Stdout, text+"\n") })
	step("err", func(text string) error { return p.print(p.world.Stderr, text+"\n") })
	step("part", func(text string) error { return p.print(p.world.Stdout, text) })
	duration("every", func(d time.Duration) error { every = d; return nil })
	number("lines", func(n int) error { return p.lines(p.world.Stdout, n, every) })
	number("err-lines", func(n int) error { return p.lines(p.world.Stderr, n, every) })
	number("long", func(kb int) error { return p.long(kb) })
	step("env", p.printVariable)
	step("cat", p.printFile)
	step("stat", p.printStat)
	flags.BoolFunc("who", "", func(string) error {
		p.steps = append(p.steps, func() error { return p.print(p.world.Stdout, p.world.User+" "+p.world.Folder+"\n") })
		return nil
	})
	flags.BoolFunc("copy", "", func(string) error { p.steps = append(p.steps, p.copyInput); return nil })
	flags.BoolFunc("size", "", func(string) error { p.steps = append(p.steps, p.printSize); return nil })
	step("write", p.writeFile)
	step("fetch", p.fetch)
	step("agent", p.countKeys)
	number("grow", p.grow)
	duration("sleep", p.wait)
	number("exit", func(code int) error { return exit(code) })
	flags.BoolFunc("stay", "", func(string) error { p.stay = true; return nil })
	step("serve", p.serve)
}

func (p *program) print(w io.Writer, text string) error {
	_, err := io.WriteString(w, text)
	return err
}

func (p *program) lines(w io.Writer, n int, every time.Duration) error {
	for i := 1; n < 0 || i <= n; i++ {
		if err := p.wait(every); err != nil {
			return err
		}
		if err := p.print(w, fmt.Sprintf("line %d\n", i)); err != nil {
			return err
		}
	}
	return nil
}

func (p *program) long(kb int) error {
	const block = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-"
	return p.print(p.world.Stdout, strings.Repeat(block, kb*1024/len(block))+"\n")
}

func (p *program) printVariable(name string) error {
	value, set := p.world.Env[name]
	if !set {
		return p.print(p.world.Stdout, name+" is not set\n")
	}
	return p.print(p.world.Stdout, name+"="+value+"\n")
}

func (p *program) printFile(path string) error {
	content, err := p.world.Files.ReadFile(path)
	if err != nil {
		return err
	}
	return p.print(p.world.Stdout, string(content))
}

func (p *program) printStat(path string) error {
	if p.world.Stat == nil {
		return fmt.Errorf("stat %s: files have no owners here", path)
	}
	stat, err := p.world.Stat(path)
	if err != nil {
		return err
	}
	return p.print(p.world.Stdout, fmt.Sprintf("%d:%d:%04o\n", stat.UID, stat.GID, stat.Mode))
}

// copyInput copies until the end of the input, and heeds signals meanwhile.
func (p *program) copyInput() error {
	if p.world.Stdin == nil {
		return nil
	}
	chunks, done := make(chan []byte), make(chan struct{})
	defer close(done)
	var reading sync.WaitGroup // nobody can end a Read but who has given the input
	reading.Go(func() { p.readInput(chunks, done) })
	for {
		select {
		case chunk, more := <-chunks:
			if !more {
				return nil
			}
			if err := p.print(p.world.Stdout, string(chunk)); err != nil {
				return err
			}
		case signal := <-p.world.Signals:
			if err := p.signal(signal); err != nil {
				return err
			}
		}
	}
}

// readInput reads to the end of the input, or until done is closed and the Read under way has ended.
func (p *program) readInput(chunks chan<- []byte, done <-chan struct{}) {
	const most = 4 << 10
	defer close(chunks)
	for {
		chunk := make([]byte, most)
		n, err := p.world.Stdin.Read(chunk)
		select {
		case chunks <- chunk[:n]:
		case <-done:
			return
		}
		if err != nil {
			return
		}
	}
}

func (p *program) printSize() error {
	if p.world.Size != nil {
		if width, height, ok := p.world.Size(); ok {
			return p.print(p.world.Stdout, fmt.Sprintf("%dx%d\n", width, height))
		}
	}
	return p.print(p.world.Stdout, "no terminal\n")
}

func (p *program) writeFile(assignment string) error {
	path, text, _ := strings.Cut(assignment, "=")
	return p.world.Files.WriteFile(path, []byte(text))
}

func (p *program) fetch(url string) error {
	if p.world.Fetch == nil {
		return fmt.Errorf("fetch %s: there is no network here", url)
	}
	body, err := p.world.Fetch(url)
	if err != nil {
		return err
	}
	return p.print(p.world.Stdout, body)
}

// countKeys asks an agent which keys it has. (IETF draft-ietf-sshm-ssh-agent, 4.4: a message is its length, its type and its
// content; the answer's content begins with the number of keys.)
func (p *program) countKeys(variable string) error {
	const requestIdentities, answerSize = 11, 9
	socket := p.world.Env[variable]
	if socket == "" || p.world.Agent == nil {
		return errors.New("there is no agent here")
	}
	connection, err := p.world.Agent(socket)
	if err != nil {
		return err
	}
	defer connection.Close() //nolint:errcheck // nothing is left to be said
	if _, err := connection.Write([]byte{0, 0, 0, 1, requestIdentities}); err != nil {
		return err
	}
	var answer [answerSize]byte
	if _, err := io.ReadFull(connection, answer[:]); err != nil {
		return fmt.Errorf("read the agent's answer: %w", err)
	}
	return p.print(p.world.Stdout, fmt.Sprintf("%d keys\n", binary.BigEndian.Uint32(answer[answerSize-4:])))
}

func (p *program) serve(address string) error {
	if p.world.Listen == nil {
		return fmt.Errorf("serve %s: there is no network here", address)
	}
	p.stay = true
	return p.world.Listen(address, handler{env: p.world.Env, files: p.world.Files})
}

func (p *program) grow(megabytes int) error {
	if p.world.Grow == nil {
		return fmt.Errorf("grow %d: there is no memory to take here", megabytes)
	}
	return p.world.Grow(megabytes)
}
