package sshdial

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/docker/cli/cli/connhelper/ssh"
)

// command is how ssh is called for an engine's address.
type command struct {
	program string
	spec    *ssh.Spec
	remote  []string // what runs on the other side
	sharing sharing
}

// newCommand takes an address apart as the docker CLI does (docker/cli, connhelper).
func newCommand(ctx context.Context, options Options) (command, error) {
	spec, err := ssh.ParseURL(options.Address)
	if err != nil {
		return command{}, err
	}
	c := command{spec: spec, remote: []string{"docker"}}
	if strings.Trim(spec.Path, "/") != "" {
		c.remote = append(c.remote, "--host=unix://"+spec.Path)
	}
	if c.program, err = options.LookPath("ssh"); err != nil {
		return command{}, &Error{command: c, local: err}
	}
	c.sharing, err = c.share(ctx, options.Env)
	return c, err
}

// arguments are those for a session on a line.
func (c command) arguments(line int, role role) ([]string, error) {
	flags := append([]string{"-oConnectTimeout=30", "-T"}, c.sharing.flags(line, role)...)
	arguments, err := c.spec.Command(flags, slices.Concat(c.remote, []string{"system", "dial-stdio"})...)
	if err != nil {
		return nil, fmt.Errorf("call ssh: %w", err)
	}
	return arguments, nil
}

// ask runs ssh for an answer of its own, without a connection.
func (c command) ask(ctx context.Context, flag ...string) (string, error) {
	arguments, err := c.spec.Command(append(flag, "-T"), slices.Concat(c.remote, []string{"version"})...)
	if err != nil {
		return "", err
	}
	process := exec.CommandContext(ctx, c.program, arguments...)
	process.SysProcAttr = apart()
	out, err := process.Output()
	return string(out), err
}

// byHand is what a user types to run a command on the engine's host.
func (c command) byHand(remote ...string) string {
	words := []string{"ssh"}
	if c.spec.Port != "" {
		words = append(words, "-p", c.spec.Port)
	}
	host := c.spec.Host
	if c.spec.User != "" {
		host = c.spec.User + "@" + host
	}
	return "`" + strings.Join(slices.Concat(words, []string{host}, remote), " ") + "`"
}

// dockerByHand is what a user types to speak to the engine there.
func (c command) dockerByHand() string {
	return c.byHand(slices.Concat(c.remote, []string{"version"})...)
}

// sharing is how sessions share connections: through OpenSSH's control sockets, by which one ssh hands its session to another
// that is connected already.
type sharing struct {
	sessions int    // how many share a connection
	socket   string // the control socket's path, but for the line's number; empty where the user's configuration has one
	alive    bool   // whether to look after the connection
	none     bool   // whether nothing can be shared
}

const (
	// maxSessions is less by two than sshd's MaxSessions: a session that ends counts until the server has heard of it.
	maxSessions = 8
	// persist is for how many seconds a connection without sessions waits for the next command.
	persist = 60
	// aliveInterval is after how many silent seconds the server is asked whether it is there; three questions are asked.
	aliveInterval = 15
	// socketLength is what fits into a socket's address on all systems, less what ssh appends while it makes one.
	socketLength = 103 - 17
)

// role is what a session does to its line.
type role uint8

const (
	sharesNone role = iota
	makesLine
	joinsLine
)

func (s sharing) flags(line int, role role) []string {
	if s.socket == "" {
		return nil
	}
	path := "-oControlPath=" + s.socket + strconv.Itoa(line)
	switch role {
	case sharesNone:
		return []string{"-oControlMaster=no", "-oControlPath=none"}
	case joinsLine:
		// Where the line does not take it, ssh would make a connection for it alone: that is left to the dialer.
		return []string{"-oControlMaster=no", path, "-oProxyCommand=false"}
	}
	flags := []string{"-oControlMaster=auto", path, "-oControlPersist=" + strconv.Itoa(persist)}
	if s.alive {
		flags = append(flags, "-oServerAliveInterval="+strconv.Itoa(aliveInterval))
	}
	return flags
}

// share decides by the user's configuration for the host, which `ssh -G` tells. Where that has connections shared, it stays so:
// the user may have logged in through one by hand, with what cannot be typed here. Else the control sockets are ours, named
// after that configuration: what is configured differently is another connection. Where there is no safe place for them, nothing
// is shared, as with the docker CLI.
func (c command) share(ctx context.Context, env func(string) string) (sharing, error) {
	alone := sharing{none: true, sessions: math.MaxInt}
	configuration, err := c.ask(ctx, "-G")
	if err != nil || !canShare {
		return alone, ctx.Err()
	}
	values := map[string]string{}
	for line := range strings.Lines(configuration) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		values[key] = value
	}
	if path := values["controlpath"]; path != "" && path != "none" {
		_, err := c.ask(ctx, "-O", "check")
		if err == nil || values["controlmaster"] != "false" {
			return sharing{sessions: math.MaxInt}, ctx.Err()
		}
	}
	folder := socketFolder(env)
	if folder == "" {
		return alone, nil
	}
	digest := sha256.Sum256([]byte(configuration))
	return sharing{
		sessions: maxSessions,
		socket:   filepath.Join(folder, hex.EncodeToString(digest[:8])+"-"),
		alive:    values["serveraliveinterval"] == "0",
	}, nil
}

// socketFolder is a folder that only this user can look into: whoever can open a control socket can log in as the user. It is
// empty where there is none.
func socketFolder(env func(string) string) string {
	const longest = "/0123456789abcdef-999"
	for _, base := range []string{env("XDG_RUNTIME_DIR"), env("TMPDIR"), "/tmp"} {
		folder := filepath.Join(base, "muster-ssh-"+strconv.Itoa(os.Geteuid()))
		// ssh takes some characters of a path for more than themselves.
		fits := len(folder+longest) <= socketLength && !strings.ContainsAny(base, " \t\"'%$\\~")
		if fits && filepath.IsAbs(base) && isSafe(base) && isPrivate(folder) {
			return folder
		}
	}
	return ""
}

// isSafe says whether nobody but the user and the system can put one thing in another's place in a folder.
func isSafe(folder string) bool {
	info, err := os.Stat(folder)
	if err != nil || !info.IsDir() || !isOwned(info, os.Geteuid(), 0) {
		return false
	}
	const others fs.FileMode = 0o022
	return info.Mode().Perm()&others == 0 || info.Mode()&fs.ModeSticky != 0
}

// isPrivate makes a folder, or takes the one that is there if nobody else ever had a hand in it.
func isPrivate(folder string) bool {
	const private fs.FileMode = 0o700
	if err := os.Mkdir(folder, private); err != nil && !os.IsExist(err) {
		return false
	}
	info, err := os.Lstat(folder)
	return err == nil && info.IsDir() && isOwned(info, os.Geteuid()) && info.Mode().Perm() == private
}
