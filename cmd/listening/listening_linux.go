package listening

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/procfs"
	"golang.org/x/sys/unix"
)

// states of a TCP socket that waits for connections, and of a UDP socket that nobody is connected to, as the kernel numbers them.
const (
	tcpListens = 10
	udpUnbound = 7
)

// Ports returns the ports that programs in this process's network have, sorted. What cannot be read is left out.
func Ports() []Port {
	fs, err := procfs.NewFS(procfs.DefaultMountPoint)
	if err != nil {
		return nil
	}
	var found []Port
	sockets := map[uint64][]int{} // places in found, by inode
	add := func(protocol string, ip net.IP, port, inode uint64) {
		sockets[inode] = append(sockets[inode], len(found))
		found = append(found, Port{Address: ip.String(), Number: uint16(port), Protocol: protocol}) //nolint:gosec // the kernel's own port
	}
	//nolint:staticcheck // netlink, which they say to use instead, is not to be had everywhere, and costs more than these lines are
	for _, table := range []func() (procfs.NetTCP, error){fs.NetTCP, fs.NetTCP6} {
		lines, _ := table()
		for _, line := range lines {
			if line.St == tcpListens {
				add("tcp", line.LocalAddr, line.LocalPort, line.Inode)
			}
		}
	}
	for _, table := range []func() (procfs.NetUDP, error){fs.NetUDP, fs.NetUDP6} {
		lines, _ := table()
		for _, line := range lines {
			if line.St == udpUnbound {
				add("udp", line.LocalAddr, line.LocalPort, line.Inode)
			}
		}
	}
	nameOwners(fs, found, sockets)
	slices.SortFunc(found, func(a, b Port) int {
		return cmp.Or(cmp.Compare(a.Number, b.Number), strings.Compare(a.Protocol, b.Protocol), strings.Compare(a.Address, b.Address))
	})
	return found
}

// nameOwners looks for the processes that have the sockets open. Those of other users are only seen by root.
func nameOwners(fs procfs.FS, found []Port, sockets map[uint64][]int) {
	processes, err := fs.AllProcs()
	if err != nil {
		return
	}
	for _, process := range processes {
		targets, _ := process.FileDescriptorTargets()
		for _, target := range targets {
			inode, _ := socketInode(target)
			for _, i := range sockets[inode] {
				found[i].ownedBy(process)
			}
		}
	}
}

// ownedBy notes who has a port; of several processes that have its socket the first one counts.
func (p *Port) ownedBy(process procfs.Proc) {
	if p.PID == 0 {
		p.Program, _ = process.Comm()
		p.PID = process.PID
	}
}

// socketInode reads "socket:[4242]".
func socketInode(target string) (uint64, bool) {
	text, ok := strings.CutPrefix(target, "socket:[")
	inode, err := strconv.ParseUint(strings.TrimSuffix(text, "]"), 10, 64)
	return inode, ok && err == nil
}

// SharesNetwork says whether this process and another one are in the same network namespace; false where this user may not know.
func SharesNetwork(pid int) bool {
	own, ownErr := os.Readlink("/proc/self/ns/net")
	other, otherErr := os.Readlink(fmt.Sprintf("/proc/%d/ns/net", pid))
	return ownErr == nil && otherErr == nil && own == other
}

// Owner is the process that listens, or has had listened, on a socket of the file system; false where it is not of this host.
func Owner(socket string) (pid int, ok bool) {
	const patience = time.Second
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	connection, err := new(net.Dialer).DialContext(ctx, "unix", socket)
	if err != nil {
		return 0, false
	}
	defer connection.Close() //nolint:errcheck // nothing was said
	local, isUnix := connection.(*net.UnixConn)
	if !isUnix {
		return 0, false
	}
	raw, err := local.SyscallConn()
	if err != nil {
		return 0, false
	}
	var peer *unix.Ucred
	controlErr := raw.Control(func(descriptor uintptr) {
		peer, err = unix.GetsockoptUcred(int(descriptor), unix.SOL_SOCKET, unix.SO_PEERCRED)
	})
	if controlErr != nil || err != nil || peer.Pid <= 0 {
		return 0, false
	}
	return int(peer.Pid), true
}
