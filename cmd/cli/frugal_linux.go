package cli

import (
	"bufio"
	"bytes"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// releaseProgram lets go of the pages of the program itself: its start reads most of them once, and the kernel maps those around
// them, too. What is used again is mapped again, from the kernel's cache. An error is no reason not to go on.
func releaseProgram() {
	program, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return
	}
	maps, err := os.Open("/proc/self/maps")
	if err != nil {
		return
	}
	defer maps.Close() //nolint:errcheck // it is only read
	for lines := bufio.NewScanner(maps); lines.Scan(); {
		if start, size, ok := readOnlyPart(lines.Bytes(), program); ok {
			_, _, _ = unix.Syscall(unix.SYS_MADVISE, start, size, unix.MADV_DONTNEED)
		}
	}
}

// readOnlyPart is where a line of /proc/self/maps says that a part of a file lies which nothing is ever written to
// ("00400000-010b0000 r-xp 00000000 08:01 1234  /usr/bin/muster", proc(5)); false for any other line.
func readOnlyPart(line []byte, file string) (start, size uintptr, ok bool) {
	var end uintptr
	var mode string
	if !bytes.HasSuffix(line, append([]byte{' '}, file...)) {
		return 0, 0, false
	}
	if _, err := fmt.Fscanf(bytes.NewReader(line), "%x-%x %s", &start, &end, &mode); err != nil {
		return 0, 0, false
	}
	return start, end - start, mode[0] == 'r' && mode[1] == '-' && end > start
}
