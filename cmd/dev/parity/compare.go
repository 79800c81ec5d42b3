package parity

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// difference is a field that is not the same.
type difference struct {
	Object string // "container web-1"
	Path   string // "HostConfig.Dns[0]"; empty where only one of them has the object
	Peer   string // as text, absent where it has none
	Muster string
	Reason string // why it is intended; empty where it is not
}

const absent = "(absent)"

func (d difference) String() string {
	return fmt.Sprintf("%s %s: docker compose %s, muster %s", d.Object, d.Path, shown(d.Peer), shown(d.Muster))
}

func shown(value string) string {
	if value == absent {
		return value
	}
	return quoted(value)
}

// compare lists what differs, sorted.
func compare(peer, muster map[string]fields) []difference {
	var all []difference
	for _, object := range sortedKeys(peer, muster) {
		theirs, hasTheirs := peer[object]
		ours, hasOurs := muster[object]
		if !hasTheirs || !hasOurs {
			all = append(all, difference{Object: object, Peer: presence(hasTheirs), Muster: presence(hasOurs)})
			continue
		}
		for _, path := range sortedKeys(theirs, ours) {
			their, our := valueAt(theirs, path), valueAt(ours, path)
			if their != our {
				all = append(all, difference{Object: object, Path: path, Peer: their, Muster: our})
			}
		}
	}
	return all
}

func presence(there bool) string {
	if there {
		return "has it"
	}
	return absent
}

func valueAt(values fields, path string) string {
	if value, ok := values[path]; ok {
		return value
	}
	return absent
}

func sortedKeys[V any](a, b map[string]V) []string {
	keys := slices.Collect(maps.Keys(a))
	for key := range b {
		if _, both := a[key]; !both {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

// intended are the differences that are wanted, with their reasons: testdata/intended.txt is its text.
type intended struct {
	Differences []intendedDifference
	Recreated   []intendedRecreation
	Declined    []intendedRefusal
}

// intendedDifference is a field that Muster sets otherwise on purpose.
type intendedDifference struct {
	// Path is the kind of the object and the field, with "*" for any text: "container.HostConfig.NanoCpus".
	Path string
	// Files narrows it to files of the corpus; none means all.
	Files []string
	// Peer and Muster narrow it to a value of each; none means any.
	Peer, Muster string
	Reason       string

	pattern patternList
	seen    bool
}

// intendedRecreation are objects that one tool makes anew when it takes over the other one's project.
type intendedRecreation struct {
	// By is the tool that makes them anew: "docker compose" or "muster"; empty means both.
	By   string
	File string
	// Objects are their names without the project's: "container web-1", "network front".
	Objects []string
	Reason  string

	seen bool
}

// intendedRefusal is a file that Muster refuses, and the peer takes.
type intendedRefusal struct {
	File   string
	Reason string

	seen bool
}

func readIntended() (*intended, error) {
	content, err := testdata.ReadFile("testdata/intended/differences.yaml")
	if err != nil {
		return nil, err
	}
	decoder := yaml.NewDecoder(strings.NewReader(string(content)))
	decoder.KnownFields(true)
	list := &intended{}
	if err := decoder.Decode(list); err != nil {
		return nil, fmt.Errorf("read intended differences: %w", err)
	}
	for i := range list.Differences {
		one := &list.Differences[i]
		if one.Path == "" || one.Reason == "" {
			return nil, fmt.Errorf("read intended differences: number %d lacks its path or its reason", i+1)
		}
		one.pattern = patterns(one.Path)
	}
	for _, one := range list.Recreated {
		if one.File == "" || len(one.Objects) == 0 || one.Reason == "" || one.By != "" && one.By != peerName && one.By != musterName {
			return nil, fmt.Errorf("read intended differences: what %q makes anew of %s lacks something", one.By, one.File)
		}
	}
	for _, one := range list.Declined {
		if one.File == "" || one.Reason == "" {
			return nil, fmt.Errorf("read intended differences: the refusal of %q lacks its file or its reason", one.File)
		}
	}
	return list, nil
}

// explain puts in the reasons of what is intended.
func (l *intended) explain(file string, differences []difference) {
	for i := range differences {
		found := &differences[i]
		for j := range l.Differences {
			if one := &l.Differences[j]; one.covers(file, *found) {
				found.Reason, one.seen = one.Reason, true
				break
			}
		}
	}
}

// covers says whether a difference in a file is the intended one.
func (d intendedDifference) covers(file string, found difference) bool {
	kind, _, _ := strings.Cut(found.Object, " ")
	return d.pattern.match(kind+"."+found.Path) && (len(d.Files) == 0 || slices.Contains(d.Files, file)) &&
		(d.Peer == "" || d.Peer == found.Peer) && (d.Muster == "" || d.Muster == found.Muster)
}

// declined is the reason for which Muster refuses a file, empty where it is not to.
func (l *intended) declined(file string) string {
	for i := range l.Declined {
		if one := &l.Declined[i]; one.File == file {
			one.seen = true
			return one.Reason
		}
	}
	return ""
}

// mayRecreate says whether a tool is expected to make an object anew.
func (l *intended) mayRecreate(by, file, object string) bool {
	for i := range l.Recreated {
		one := &l.Recreated[i]
		if (one.By == by || one.By == "") && one.File == file && slices.Contains(one.Objects, object) {
			one.seen = true
			return true
		}
	}
	return false
}

// recreates says whether a tool is expected to make anything of a file anew.
func (l *intended) recreates(by, file string) bool {
	return slices.ContainsFunc(l.Recreated, func(one intendedRecreation) bool {
		return (one.By == by || one.By == "") && one.File == file
	})
}
