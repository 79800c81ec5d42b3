package gotest

import (
	"strings"
	"testing"
)

const stream = `{"Action":"start","Package":"m/good"}
{"Action":"run","Package":"m/good","Test":"TestA"}
{"Action":"output","Package":"m/good","Test":"TestA","Output":"quiet\n"}
{"Action":"pass","Package":"m/good","Test":"TestA"}
{"Action":"skip","Package":"m/good","Test":"TestB"}
{"Action":"pass","Package":"m/good","Elapsed":1.234}
{"Action":"output","Package":"m/none","Output":"? m/none [no test files]\n"}
{"Action":"skip","Package":"m/none"}
{"Action":"output","Package":"m/bad","Test":"TestC","Output":"=== RUN   TestC\n"}
{"Action":"output","Package":"m/bad","Test":"TestC","Output":"    c_test.go:7: wrong\n"}
{"Action":"output","Package":"m/bad","Test":"TestC","Output":"--- FAIL: TestC (0.00s)\n"}
{"Action":"fail","Package":"m/bad","Test":"TestC"}
{"Action":"output","Package":"m/bad","Output":"FAIL\n"}
{"Action":"fail","Package":"m/bad","Elapsed":0.1}
go: warning of the go command
{"ImportPath":"m/broken","Action":"build-output","Output":"x.go:1:1: expected package\n"}
{"ImportPath":"m/broken","Action":"build-fail"}
{"Action":"output","Package":"m/broken","Output":"FAIL\tm/broken [build failed]\n"}
{"Action":"fail","Package":"m/broken"}
{"Action":"output","Package":"m/hangs","Test":"TestD","Output":"panic: test timed out\n"}
{"Action":"output","Package":"m/hangs","Output":"FAIL\tm/hangs\n"}
{"Action":"fail","Package":"m/hangs"}
`

const shown = `ok    1.23s    m/good
    c_test.go:7: wrong
--- FAIL: TestC (0.00s)
FAIL
FAIL  100ms    m/bad
go: warning of the go command
x.go:1:1: expected package
FAIL	m/broken [build failed]
FAIL  0s       m/broken
--- NOT ENDED: TestD
panic: test timed out
FAIL	m/hangs
FAIL  0s       m/hangs
`

func TestRead(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	counts, err := Read(strings.NewReader(stream), &out)
	if err != nil {
		t.Fatal(err)
	}
	if out.String() != shown {
		t.Errorf("shown:\n%s\nwant:\n%s", out.String(), shown)
	}
	const want = "4 packages, 2 tests, 1 skipped, 1 failed, in m/bad, m/broken, m/hangs"
	if counts.String() != want {
		t.Errorf("counts = %s, want %s", counts, want)
	}
}

func TestReadTakesLongLines(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 1<<20)
	var out strings.Builder
	line := `{"Action":"build-output","Output":"` + long + `"}`
	if _, err := Read(strings.NewReader(line), &out); err != nil || out.String() != long {
		t.Errorf("%d bytes shown, %v", out.Len(), err)
	}
}
