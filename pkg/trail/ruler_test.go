package trail_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/trail"
	"github.com/rolewarden/rolewarden/pkg/trail/trailtest"
)

const (
	rulerFolder   = "testdata/event-ruler"
	rulerVerdicts = rulerFolder + "/verdicts.txt"
	rulerJars     = "ROLEWARDEN_EVENT_RULER"
)

// question is put to AWS's engine and to the matcher of these tests.
type question struct{ pattern, event string }

// corners are those of the pattern language that matter to trail's patterns.
var corners = []question{
	{`{"a":["x"]}`, `{"a":"x"}`},
	{`{"a":["x"]}`, `{"a":"X"}`},
	{`{"a":["x"]}`, `{"A":"x"}`},
	{`{"a":["x"]}`, `{"b":{"a":"x"}}`},
	{`{"a":["x"]}`, `{"a":["x"]}`},
	{`{"a":["x"]}`, `{"a":[["x"]]}`},
	{`{"a":["x"]}`, `{"a":["y","x"]}`},
	{`{"a":["x"]}`, `{"a":{"x":"x"}}`},
	{`{"a":["1"]}`, `{"a":1}`},
	{`{"a":["null"]}`, `{"a":null}`},
	{`{"a":[{"exists":true}]}`, `{"a":null}`},
	{`{"a":[{"exists":true}]}`, `{"a":{}}`},
	{`{"a":[{"exists":true}]}`, `{"a":{"b":1}}`},
	{`{"a":[{"exists":false}]}`, `{"b":1}`},
	{`{"a":[{"exists":false}]}`, `{"a":null}`},
	{`{"a":[{"exists":false}]}`, `{"a":""}`},
	{`{"a":[{"exists":false}]}`, `{"a":{}}`},
	{`{"a":[{"exists":false}]}`, `{"a":{"c":1}}`},
	{`{"a":[{"exists":false}]}`, `{"a":[]}`},
	{`{"a":[{"exists":false}]}`, `{"a":[null]}`},
	{`{"a":[{"exists":false},"Z"]}`, `{"a":["Z","Y"]}`},
	{`{"a":[{"exists":false},"Z"]}`, `{"a":"Z"}`},
	{`{"a":[{"exists":false},"Z"]}`, `{"a":"Y"}`},
	{`{"a":[{"exists":false},"Z"]}`, `{"c":"Y"}`},
	{`{"a":["x"],"e":[{"exists":false}]}`, `{"a":"x","d":{"e":1}}`},
	{`{"d":{"a":["x"],"e":[{"exists":false}]}}`, `{"d":[{"a":"x"},{"e":1}]}`},
	{`{"d":{"a":["x"],"e":[{"exists":false}]}}`, `{"d":[{"a":"x","e":1},{"a":"x"}]}`},
	{`{"d":{"a":["x"],"e":[{"exists":false}]}}`, `{"d":[{"a":"x","e":1},{"a":"y"}]}`},
	{`{"d":{"a":[{"exists":false}],"e":["x"]}}`, `{"d":[{"e":"x"},{"a":1}]}`},
	{`{"d":{"a":[{"exists":false}],"e":["x"]}}`, `{"d":[{"e":"x","a":1},{"a":1}]}`},
	{`{"d":{"a":[{"exists":false}],"e":["x"]}}`, `{"d":[{"b":1},{"e":"x","a":1}]}`},
	{`{"a":[{"wildcard":"ar*b*c"}]}`, `{"a":"arxxbzc"}`},
	{`{"a":[{"wildcard":"ar*b*c"}]}`, `{"a":"arbc"}`},
	{`{"a":[{"wildcard":"ar*b*c"}]}`, `{"a":"arcb"}`},
	{`{"a":[{"wildcard":"ar*b*c"}]}`, `{"a":["q","arxxbzc"]}`},
	{`{"a":[{"wildcard":"ab*ba"}]}`, `{"a":"aba"}`},
	{`{"a":[{"wildcard":"*"}]}`, `{"a":""}`},
	{`{"a":[{"wildcard":"x"}]}`, `{"a":"x"}`},
	{`{"a":[{"wildcard":"x"}]}`, `{"a":"xx"}`},
	{`{"a":[{"wildcard":"x?z"}]}`, `{"a":"xyz"}`},
	{`{"a":[{"wildcard":"*x*"}]}`, `{"a":7}`},
	{`{"d":{"a":["x"],"b":["y"]}}`, `{"d":[{"a":"x"},{"b":"y"}]}`},
	{`{"d":{"a":["x"],"b":["y"]}}`, `{"d":[{"a":"x","b":"y"},{"b":"z"}]}`},
	{`{"d":{"a":["x"],"b":["y"]}}`, `{"d":[{"a":"x","b":["z","y"]}]}`},
	{`{"d":{"a":["x"],"b":["y"]}}`, `{"d.a":"x","d":{"b":"y"}}`},
	{`{"d":{"a":["x"]}}`, `{"d.a":"x"}`},
	{`{"d":{"a":["x"]}}`, `{"d":{"a":"x"},"d":{"a":"y"}}`},
}

// short are envelopes with nothing but what patterns look at.
var short = map[string]string{
	"IAM": `{"source":"aws.iam","detail-type":"AWS API Call via CloudTrail","account":"111122223333",` +
		`"detail":{"eventSource":"iam.amazonaws.com","eventName":"UpdateAssumeRolePolicy"}}`,
	"STS": `{"source":"aws.sts","detail-type":"AWS API Call via CloudTrail","account":"111122223333",` +
		`"detail":{"eventSource":"sts.amazonaws.com","eventName":"AssumeRole","requestParameters":{"roleArn":"arn:aws:iam::111122223333:role/aws-service-role/x"}}}`,
}

// questions are the corners, and trail's patterns against what is forged.
func questions(t testing.TB) []question {
	t.Helper()
	out := corners
	for i, pattern := range trail.Patterns(trail.PatternOptions{AssumeRole: listed}) {
		event := short[[]string{"IAM", "STS"}[i]]
		out = append(out, question{pattern, event})
		for _, f := range append(forgeries(t, "", []byte(event)), lookalikes(t, "", []byte(event))...) {
			out = append(out, question{pattern, string(f.text(t))})
		}
	}
	return out
}

// askRuler has AWS's engine judge all questions and writes what it says.
func askRuler(t *testing.T, jars string) {
	t.Helper()
	all := questions(t)
	var in strings.Builder
	for _, q := range all {
		line, err := json.Marshal(map[string]json.RawMessage{"pattern": json.RawMessage(q.pattern), "event": json.RawMessage(q.event)})
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&in, "%s\n", line)
	}
	java := exec.CommandContext(t.Context(), "java", "-cp", jars, rulerFolder+"/Judge.java")
	java.Stdin, java.Stderr = strings.NewReader(in.String()), t.Output()
	said, err := java.Output()
	verdicts := strings.Fields(string(said))
	if err != nil || len(verdicts) != len(all) {
		t.Fatalf("%d verdicts of %d: %v", len(verdicts), len(all), err)
	}
	var out strings.Builder
	pattern := ""
	for i, q := range all {
		if q.pattern != pattern {
			pattern = q.pattern
			fmt.Fprintf(&out, "pattern %s\n", pattern)
		}
		fmt.Fprintf(&out, "%-7s %s\n", verdicts[i], q.event)
	}
	if err := os.WriteFile(rulerVerdicts, []byte(out.String()), 0o600); err != nil {
		t.Fatal(err)
	}
}

// T2: the tests' matcher decides as AWS's own engine did, so what they say about
// forged envelopes is what EventBridge does.
func TestT2PatternsAreReadAsAWSsOwnEngineReadsThem(t *testing.T) {
	t.Parallel()
	if jars := os.Getenv(rulerJars); jars != "" {
		askRuler(t, jars)
	}
	text, err := os.ReadFile(rulerVerdicts)
	if err != nil {
		t.Fatal(err)
	}
	pattern, judged := "", map[bool]int{}
	for line := range strings.Lines(string(text)) {
		word, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		if word == "pattern" {
			pattern = rest
			continue
		}
		want := word == "true"
		judged[want]++
		if got, err := trailtest.Matches(pattern, []byte(rest)); got != want || err != nil {
			t.Errorf("AWS's engine says %s and the tests' matcher %t, %v, of the pattern\n%s and the event\n%s", word, got, err, pattern, rest)
		}
	}
	if judged[true] < 30 || judged[false] < 200 {
		t.Errorf("only %d verdicts", judged[true]+judged[false])
	}
}
