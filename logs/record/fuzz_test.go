package record

import (
	"bytes"
	"encoding/json"
	"testing"
)

// FuzzParse holds the parser against encoding/json: both take the same objects, and texts are the same. Whatever comes, fields are parts of
// the line in its order.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		`{"level":"warn","msg":"slow \u00fc\ud83d\ude00 query","ms":-4.12e+3,"in":{"a":[1,true,null,"x"]}}`, `{"log":{"level":"error"}}`,
		`{"level":30,"s":"W"}`, `{"a":1,}`, "{\"a\":\"\xff\"}", `time=1 level=warn msg="slow \"query\"" x=`, `a=b c`, "E0102 15:04:05.000000 x",
		"1:M 30 Nov 2026 12:00:00.000 * Ready", "[core:error] x", "\x1b[33mWRN\x1b[0m x", "<3>x", "panic: x", "TypeError: x", "{\n  \"a\": 1\n}", "",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		var p Parser
		before := bytes.Clone(line)
		record := p.Parse(line)
		if !bytes.Equal(before, line) {
			t.Fatal("the line was changed")
		}
		at := 0
		for _, field := range record.Fields {
			for _, part := range [][]byte{field.Key, field.Value} {
				next := bytes.Index(line[at:], part)
				if next < 0 {
					t.Fatalf("%q is not in the rest of the line", part)
				}
				at += next + len(part)
			}
		}
		var seam Seam
		for part := range bytes.SplitSeq(line, []byte{'\n'}) {
			seam.Continues(part)
		}
		compareWithJSON(t, line, record)
	})
}

func compareWithJSON(t *testing.T, line []byte, record Record) {
	t.Helper()
	var want map[string]json.RawMessage
	err := json.Unmarshal(line, &want)
	isObject := err == nil && want != nil
	switch {
	case record.Form == JSON && !isObject:
		t.Fatalf("taken for JSON: %v", err)
	case record.Form != JSON && isObject && depth(line) < deepest && len(want) < mostFields/2 && len(line) < largest && bytes.Count(line, []byte(":")) < mostFields:
		t.Fatal("not taken for JSON")
	case record.Form != JSON:
		return
	}
	for _, field := range record.Fields {
		if field.Value[0] != '"' || !json.Valid(field.Value) || bytes.ContainsRune(field.Value, '\ufffd') {
			continue
		}
		var text string
		if err := json.Unmarshal(field.Value, &text); err != nil {
			t.Fatal(err)
		}
		if got := AppendText(nil, field.Value); string(bytes.ToValidUTF8(got, []byte("\ufffd"))) != text && string(got) != text && validText(field.Value) {
			t.Fatalf("%s is %q, not %q", field.Value, got, text)
		}
	}
}

// validText says whether a value is UTF-8: encoding/json replaces what is not, byte by byte.
func validText(value []byte) bool { return bytes.Equal(bytes.ToValidUTF8(value, nil), value) }

// depth is how far brackets are in each other, at most.
func depth(line []byte) int {
	deepestSeen, now := 0, 0
	for _, b := range line {
		switch b {
		case '{', '[':
			now++
			deepestSeen = max(deepestSeen, now)
		case '}', ']':
			now--
		}
	}
	return deepestSeen
}
