package cli

import "testing"

func TestReadOnlyPart(t *testing.T) {
	const program = "/usr/bin/muster"
	for line, want := range map[string]struct {
		start, size uintptr
		ok          bool
	}{
		"00400000-010b0000 r-xp 00000000 08:01 1234                       /usr/bin/muster": {0x400000, 0xcb0000, true},
		"010b0000-01e73000 r--p 00cb0000 08:01 1234                       /usr/bin/muster": {0x10b0000, 0xdc3000, true},
		"01e73000-01f04000 rw-p 01a73000 08:01 1234                       /usr/bin/muster": {0x1e73000, 0x91000, false},
		"01e73000-01f04000 r-xp 01a73000 08:01 1234                       /usr/lib/other":  {0, 0, false},
		"7f0000000000-7f0000021000 r--p 00000000 08:01 9   /opt/usr/bin/muster":            {0, 0, false},
		"7ffc1f5c0000-7ffc1f5c2000 r-xp 00000000 00:00 0                  [vdso]":          {0, 0, false},
		"not a mapping /usr/bin/muster":               {0, 0, false},
		"c000000000-c000400000 rw-p 00000000 00:00 0": {0, 0, false},
		"": {0, 0, false},
	} {
		start, size, ok := readOnlyPart([]byte(line), program)
		if ok != want.ok || ok && (start != want.start || size != want.size) {
			t.Errorf("%q: %#x, %#x, %v, want %#x, %#x, %v", line, start, size, ok, want.start, want.size, want.ok)
		}
	}
}
