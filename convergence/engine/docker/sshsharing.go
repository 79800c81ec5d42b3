package docker

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// sshSharing is how sessions share connections: through OpenSSH's control sockets, by which one ssh hands its session to
// another that is connected already.
type sshSharing struct {
	sessions int    // how many share a connection
	socket   string // the control socket's path, but for the line's number; empty where the user's configuration has one
	alive    bool   // whether to look after the connection
	none     bool   // whether this ssh cannot share
}

const (
	// sshSessions is less by two than sshd's MaxSessions: a session that ends counts until the server has heard of it.
	sshSessions = 8
	// sshPersist is for how many seconds a connection without sessions waits for the next command.
	sshPersist = 60
	// sshAlive is after how many silent seconds the server is asked whether it is there; three questions are asked.
	sshAlive = 15
	// socketLength is what fits into a socket's address on all systems, less what ssh appends while it makes one.
	socketLength = 103 - 17
)

// sshRole is what a session does to its line.
type sshRole uint8

const (
	sharesNone sshRole = iota
	makesLine
	joinsLine
)

func (s sshSharing) flags(line int, role sshRole) []string {
	if s.socket == "" || role == sharesNone {
		return nil
	}
	path := "-oControlPath=" + s.socket + strconv.Itoa(line)
	if role == joinsLine {
		// Where the line does not take it, ssh would make a connection for it alone: that is left to the dialer.
		return []string{"-oControlMaster=no", path, "-oProxyCommand=false"}
	}
	flags := []string{"-oControlMaster=auto", path, "-oControlPersist=" + strconv.Itoa(sshPersist)}
	if s.alive {
		flags = append(flags, "-oServerAliveInterval="+strconv.Itoa(sshAlive))
	}
	return flags
}

// share decides by the user's configuration for the host, which `ssh -G` tells. Where that has connections shared, it stays so:
// the user may have logged in through one by hand, with what cannot be typed here. Else the control sockets are ours, named
// after that configuration: what is configured differently is another connection.
func (c sshCommand) share(ctx context.Context, s settings) (sshSharing, error) {
	configuration, err := c.ask(ctx, "-G")
	if err != nil || !canShareSSH {
		return sshSharing{none: true, sessions: math.MaxInt}, ctx.Err()
	}
	values := map[string]string{}
	for line := range strings.Lines(configuration) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		values[key] = value
	}
	if path := values["controlpath"]; path != "" && path != "none" {
		_, err := c.ask(ctx, "-O", "check")
		if err == nil || values["controlmaster"] != "false" {
			return sshSharing{sessions: math.MaxInt}, nil
		}
	}
	folder, err := controlFolder(s.Env)
	if err != nil {
		return sshSharing{}, err
	}
	digest := sha256.Sum256([]byte(configuration))
	return sshSharing{
		sessions: sshSessions,
		socket:   filepath.Join(folder, hex.EncodeToString(digest[:8])+"-"),
		alive:    values["serveraliveinterval"] == "0",
	}, nil
}

// controlFolder is a folder that only this user can look into: whoever can open a control socket can log in as the user.
func controlFolder(env func(string) string) (string, error) {
	const longest = "/0123456789abcdef-999"
	var folder string
	for _, base := range []string{env("XDG_RUNTIME_DIR"), env("TMPDIR"), "/tmp"} {
		folder = filepath.Join(base, "muster-ssh-"+strconv.Itoa(os.Geteuid()))
		// ssh takes some characters of a path for more than themselves.
		fits := len(folder+longest) <= socketLength && !strings.ContainsAny(base, " \t\"'%$\\~")
		if info, err := os.Stat(base); fits && filepath.IsAbs(base) && err == nil && info.IsDir() {
			break
		}
	}
	if err := makePrivate(folder); err != nil {
		return "", &advised{err, "remove it, or name a folder of your own with XDG_RUNTIME_DIR"}
	}
	return folder, nil
}

// makePrivate makes a folder, or takes the one that is there if nobody else ever had a hand in it.
func makePrivate(folder string) error {
	const private fs.FileMode = 0o700
	if err := os.Mkdir(folder, private); err != nil && !os.IsExist(err) {
		return err
	}
	info, err := os.Lstat(folder)
	switch {
	case err != nil:
		return err
	case !info.IsDir():
		return fmt.Errorf("%s is no folder", folder)
	case !isOurs(info):
		return fmt.Errorf("%s belongs to another user", folder)
	case info.Mode().Perm() != private:
		return fmt.Errorf("%s is open to others (mode %04o, not %04o)", folder, info.Mode().Perm(), private)
	}
	return nil
}
