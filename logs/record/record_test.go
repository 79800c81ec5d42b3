package record

import (
	"strings"
	"testing"
)

func TestLevel(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		line string
		want Level
	}{
		// JSON.
		{`{"level":"warn","msg":"slow query","ms":412}`, Warn},
		{`{"LEVEL":"ERROR","message":"x"}`, Error},
		{`{"level":"ERROR+2","msg":"slog"}`, Error},
		{`{"level":30,"time":1,"msg":"pino"}`, Info},
		{`{"name":"bunyan","level":50,"msg":"x","v":0}`, Error},
		{`{"version":"1.1","short_message":"gelf","level":3}`, Error},
		{`{"message":"monolog","level":250,"level_name":"NOTICE"}`, Info},
		{`{"levelno":40,"msg":"python"}`, Error},
		{`{"log.level":"debug","message":"ecs"}`, Debug},
		{`{"log":{"level":"error"},"message":"ecs"}`, Error},
		{`{"severity":"WARNING","message":"cloud"}`, Warn},
		{`{"@t":"2026-11-30T12:00:00Z","@mt":"serilog"}`, Info},
		{`{"@t":"2026-11-30T12:00:00Z","@mt":"serilog","@l":"Fatal"}`, Fatal},
		{`{"t":{"$date":"2026"},"s":"W","c":"NETWORK","msg":"mongo"}`, Warn},
		{`{"level":-1,"msg":"zap"}`, Debug},
		{`{"msg":"level is error"}`, Unknown},
		{`{"level":"loud","severity":"error"}`, Error},
		{`{"level":{"a":1},"msg":"x"}`, Unknown},
		{`{"level":"error"`, Unknown},
		// logfmt.
		{`time=2026-11-30T12:00:00Z level=warn msg="slow query" ms=412`, Warn},
		{`ts=1 lvl=eror msg=x`, Error},
		{`severity="info" msg="a \"b\""`, Info},
		{`a=1 b=2`, Unknown},
		{`2026-11-30T12:00:00Z level=error something free`, Error},
		// Plain.
		{`2026-11-30 12:00:00 ERROR cannot open`, Error},
		{`2026-11-30T12:00:00.000Z  INFO 1 --- [main] c.e.App : Started`, Info},
		{`12:00:00.123 [http-nio-8080-exec-1] WARN  c.e.App - slow`, Warn},
		{`2026-11-30 12:00:00,123 - my.module - CRITICAL - gone`, Fatal},
		{`[2026-11-30T12:00:00,000][WARN ][o.e.c.r.a.DiskThreshold] x`, Warn},
		{`[warn] something`, Warn},
		{`ERROR: no such table`, Error},
		{`error: something`, Error},
		{`WARNING:root:x`, Warn},
		{`info: Microsoft.Hosting.Lifetime[14]`, Info},
		{`fail: Microsoft.AspNetCore.Server[13]`, Error},
		{`E0102 15:04:05.000000       1 main.go:12] x`, Error},
		{`I0102 15:04:05.000000       1 main.go:12] x`, Info},
		{`2026-11-30 12:00:00.000 UTC [1] LOG:  database system is ready`, Info},
		{`2026-11-30 12:00:00.000 UTC [33] FATAL:  password authentication failed`, Fatal},
		{`2026-11-30 12:00:00.000 UTC [33] STATEMENT:  select 1`, Unknown},
		{`2026/11/30 12:00:00 [error] 7#7: *1 open() failed`, Error},
		{`2026/11/30 12:00:00 [notice] 1#1: start worker`, Info},
		{`[Mon Nov 30 12:00:00.000000 2026] [core:error] [pid 1] x`, Error},
		{`1:M 30 Nov 2026 12:00:00.000 * Ready to accept connections`, Info},
		{`1:M 30 Nov 2026 12:00:00.000 # WARNING overcommit`, Warn},
		{`2026-11-30T12:00:00.000000Z 0 [Warning] [MY-010068] [Server] x`, Warn},
		{`<3>kernel trouble`, Error},
		{"\x1b[33mWRN\x1b[0m slow", Warn},
		{"12:00PM \x1b[32mINF\x1b[0m ready", Info},
		{`[12:00:00 ERR] serilog`, Error},
		{`E, [2026-11-30T12:00:00.000000 #1] ERROR -- : rails`, Error},
		{`npm ERR! code 1`, Error},
		{`panic: runtime error: index out of range`, Fatal},
		{`Traceback (most recent call last):`, Error},
		{`Exception in thread "main" java.lang.X: y`, Error},
		{`java.lang.IllegalStateException: closed`, Error},
		{`TypeError: x is not a function`, Error},
		{`thread 'main' panicked at src/main.rs:2:5:`, Fatal},
		{`Unhandled exception. System.Exception: x`, Fatal},
		{`DEPRECATION WARNING: old`, Warn},
		{`INFO[0000] logrus at a terminal`, Info},
		// Sentences are none.
		{`172.18.0.1 - - [30/Nov/2026:12:00:00 +0000] "GET /error HTTP/1.1" 200 5`, Unknown},
		{`listening on port 8080`, Unknown},
		{`there was no error in the end`, Unknown},
		{`the user has pressed the button ERROR twice`, Unknown},
		{`please warn: me`, Unknown},
		{`LOG everything`, Unknown},
		{``, Unknown},
		{`{`, Unknown},
		{`=`, Unknown},
	} {
		var p Parser
		if got := p.Parse([]byte(test.line)).Level; got != test.want {
			t.Errorf("%s\n\tis %q, not %q", test.line, got, test.want)
		}
	}
}

func TestFields(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ line, want string }{
		{`{"level":"warn","msg":"slow \"query\"","ms":412,"in":{"a":[1]}}`, `json [level]="warn" [message]="slow \"query\"" ms=412 in={"a":[1]}`},
		{`{"event":"login","msg":"x"}`, `json event="login" [message]="x"`},
		{`{"event":"login","user":"ann"}`, `json [message]="login" user="ann"`},
		{`{"msg":{"a":1},"message":"x"}`, `json msg={"a":1} [message]="x"`},
		{`{}`, `json`},
		{` { "a" : 1 } `, `json a=1`},
		{`time=1 msg="a b" x=`, `logfmt [time]=1 [message]="a b" x=`},
		{`a=b`, `plain`},
		{`a=b and more`, `plain`},
		{`a="b`, `plain`},
		{`{"a":1} trailing`, `plain`},
		{`{"a":01}`, `plain`},
		{`{"a":1,}`, `plain`},
		{"{\"a\":\"\n\"}", `plain`},
		{`{"a":` + strings.Repeat("[", deepest) + strings.Repeat("]", deepest) + `}`, `plain`},
		{`{"a":"` + strings.Repeat("x", largest) + `"}`, `plain`},
	} {
		var p Parser
		if got := shown(p.Parse([]byte(test.line))); got != test.want {
			t.Errorf("%s\n\tis %s\n\tnot %s", test.line, got, test.want)
		}
	}
}

func shown(r Record) string {
	text := []string{[]string{"plain", "json", "logfmt"}[r.Form]}
	for _, f := range r.Fields {
		key := string(f.Key)
		if f.Role != RoleOther {
			key = "[" + []string{"", "level", "message", "time"}[f.Role] + "]"
		}
		text = append(text, key+"="+string(f.Value))
	}
	return strings.Join(text, " ")
}

func TestText(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{
		`412`: "412", `"a\"b\\c\/d"`: `a"b\c/d`, `"\n\t\r\b\f"`: "\n\t\r\b\f", `"\u00fc\ud83d\ude00"`: "ü😀", `"\ud83d"`: "\ufffd",
		`"\ud83d\u0041"`: "\ufffdA", `"a`: `"a`, ``: "", `"\u12"`: `\u12`, `"x\`: `"x\`,
	} {
		if got := string(AppendText(nil, []byte(value))); got != want {
			t.Errorf("%s is %q, not %q", value, got, want)
		}
	}
}

// TestSeam marks the lines that go on with the record before them by a bar.
func TestSeam(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"java": `
 2026 ERROR failed
 java.lang.IllegalStateException: closed
|	at a.B.c(B.java:1)
|	... 3 more
|Caused by: java.io.IOException: gone
|	at d.E.f(E.java:2)
 2026 INFO next`,
		"python": `
 Traceback (most recent call last):
|  File "a.py", line 1, in <module>
|    f()
|ValueError: bad
|
|During handling of the above exception, another exception occurred:
|
|Traceback (most recent call last):
|  File "a.py", line 3, in <module>
|KeyError: 'x'
 INFO next`,
		"go": `
 panic: runtime error: index out of range [1] with length 1
|
|goroutine 1 [running]:
|main.main()
|	/a/main.go:5 +0x1d
|exit status 2
 2026 next`,
		"node": `
 /app/x.js:3
|    throw new Error("no")
|    ^
 Error: no
|    at f (/app/x.js:3:9) {
|  code: 'E'
|}
 next`,
		"dotnet": `
 Unhandled exception. System.Exception: a
|   at P.Main() in /a.cs:line 1
|   --- End of inner exception stack trace ---
 next`,
		"ruby": `
 a.rb:1:in 'f': bad (RuntimeError)
|	from a.rb:3:in '<main>'
 next`,
		"postgres": `
 2026-11-30 12:00:00.000 UTC [33] ERROR:  relation "x" does not exist
|2026-11-30 12:00:00.000 UTC [33] STATEMENT:  select * from x
 2026-11-30 12:00:00.000 UTC [33] LOG:  next`,
		"indented JSON": `
 {
|  "a": 1
|}
 }`,
		"not the first": "\n   at x\n plain\n \n plain",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var seam Seam
			var got strings.Builder
			for line := range strings.SplitSeq(want[1:], "\n") {
				mark := "\n "
				if seam.Continues([]byte(line[1:])) {
					mark = "\n|"
				}
				got.WriteString(mark + line[1:])
			}
			if got.String() != want {
				t.Errorf("got%s\nwant%s", got.String(), want)
			}
		})
	}
}

func TestParseLevel(t *testing.T) {
	t.Parallel()
	for _, level := range Levels() {
		if found, ok := ParseLevel(strings.ToUpper(level.String())); !ok || found != level {
			t.Errorf("%q is %v", level, found)
		}
	}
	for _, none := range []string{"", "loud", "warn+", "warn+x", "informationally", "unknown"} {
		if found, ok := ParseLevel(none); ok && none != "warn+" {
			t.Errorf("%q is %v", none, found)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	for name, line := range map[string]string{
		"json":   `{"level":"warn","time":"2026-11-30T12:00:00Z","msg":"slow query","ms":412,"table":"orders","user":"ann"}`,
		"logfmt": `time=2026-11-30T12:00:00Z level=warn msg="slow query" ms=412 table=orders user=ann`,
		"plain":  `2026-11-30 12:00:00 WARN slow query of the table orders by the user ann took 412 ms in all`,
		"none":   `172.18.0.1 - - [30/Nov/2026:12:00:00 +0000] "GET /cart HTTP/1.1" 200 512 "-" "curl/8"`,
	} {
		b.Run(name, func(b *testing.B) {
			var p Parser
			text := []byte(line)
			b.ReportAllocs()
			b.SetBytes(int64(len(text)))
			for range b.N {
				_ = p.Parse(text)
			}
		})
	}
}
