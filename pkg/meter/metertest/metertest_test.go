package metertest_test

import (
	"strings"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/meter"
	"github.com/rolewarden/rolewarden/pkg/meter/metertest"
)

// listener is a test that counts its failures instead of failing.
type listener struct {
	testing.TB
	failures int
}

func (l *listener) Helper()               {}
func (l *listener) Errorf(string, ...any) { l.failures++ }

const good = `{"Decided":1,"DecisionSeconds":[1,2.5],"Function":"guard","_aws":{"Timestamp":1786449600123,"CloudWatchMetrics":[{"Namespace":"Rolewarden","Dimensions":[["Function"]],"Metrics":[{"Name":"Decided","Unit":"Count"},{"Name":"DecisionSeconds","Unit":"Seconds"}]}]}}` + "\n"

// A log of metrics and other lines is read as CloudWatch reads it.
func TestWhatCloudWatchUnderstandsIsRead(t *testing.T) {
	lines := metertest.Lines(t, `{"msg":"started"}`+"\n\n"+good+good)
	if len(lines) != 2 || metertest.Sum(lines, meter.DecisionSeconds) != 7 || metertest.Sum(lines, meter.Decided) != 2 {
		t.Errorf("%+v", lines)
	}
}

// What CloudWatch would drop, or nobody would find, fails a test.
func TestWhatCloudWatchWouldDropFailsATest(t *testing.T) {
	for name, change := range map[string][2]string{
		"no JSON":                     {`}]}}`, `}]}`},
		"two lines in one":            {"\n", `{"msg":"x"}` + "\n"},
		"no end":                      {"\n", ""},
		"seconds for milliseconds":    {"1786449600123", "1786449600"},
		"no whole number of them":     {"1786449600123", "1786449600123.5"},
		"no time":                     {`"Timestamp":1786449600123,`, ""},
		"another namespace":           {"Rolewarden", "rolewarden"},
		"no dimensions":               {`[["Function"]]`, `[]`},
		"another dimension":           {`[["Function"]]`, `[["Function","Decided"]]`},
		"a dimension without value":   {`"Function":"guard",`, ""},
		"a metric without value":      {`"Decided":1,`, ""},
		"a text for a number":         {`"Decided":1`, `"Decided":"1"`},
		"a nested value":              {`"Decided":1`, `"Decided":{"value":1}`},
		"no values":                   {`[1,2.5]`, `[]`},
		"more values than are read":   {`[1,2.5]`, `[1` + strings.Repeat(",1", 100) + `]`},
		"an unknown unit":             {`"Seconds"`, `"Second"`},
		"a unit not of the table":     {`"Seconds"`, `"Milliseconds"`},
		"a metric not in the table":   {`"Name":"Decided"`, `"Name":"decided"`},
		"another function's metric":   {`"guard"`, `"notify"`},
		"a metric twice":              {`{"Name":"Decided","Unit":"Count"}`, `{"Name":"Decided","Unit":"Count"},{"Name":"Decided","Unit":"Count"}`},
		"an account beside it":        {`"Decided":1`, `"Decided":1,"account":"111122223333"`},
		"a member the format forbids": {`"Namespace"`, `"Account":"111122223333","Namespace"`},
	} {
		text := strings.Replace(good, change[0], change[1], 1)
		if l := (&listener{TB: t}); text == good {
			t.Errorf("%s: nothing was changed", name)
		} else if metertest.Lines(l, text); l.failures == 0 {
			t.Errorf("%s passes: %s", name, text)
		}
	}
}
