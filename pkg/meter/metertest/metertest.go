// Package metertest reads what a function writes to its standard output as
// CloudWatch Logs does, for tests.
//
// It takes the text, checks each line of metrics against what the format
// demands, and gives the values. A line that CloudWatch would not understand,
// or a metric that is not in the table, fails the test.
package metertest

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/rolewarden/rolewarden/pkg/meter"
)

//go:embed emf.schema.json
var schemaText []byte

// Line is one line of metrics.
type Line struct {
	Function string
	Time     time.Time
	// Values are those of each metric.
	Values map[string][]float64
}

// document is a line of metrics as the format has it.
type document struct {
	AWS struct {
		Timestamp         int64
		CloudWatchMetrics []struct {
			Namespace  string
			Dimensions [][]string
			Metrics    []struct{ Name, Unit string }
		}
	} `json:"_aws"`
}

// Lines gives the lines of metrics among those of a log. Every line must be a
// whole JSON object, so that two writers never tear each other's.
func Lines(t testing.TB, log string) []Line {
	t.Helper()
	schema := compile(t)
	var out []Line
	for text := range strings.Lines(log) {
		if strings.TrimSpace(text) == "" {
			continue
		}
		root := map[string]any{}
		if err := json.Unmarshal([]byte(text), &root); err != nil || !strings.HasSuffix(text, "\n") {
			t.Errorf("a line of the log is no JSON object of its own: %q: %v", text, err)
			continue
		}
		if _, ok := root["_aws"]; !ok {
			continue
		}
		if err := schema.Validate(root); err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		var d document
		if err := json.Unmarshal([]byte(text), &d); err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		out = append(out, values(t, text, root, d))
	}
	return out
}

// Sum adds up the values of a metric.
func Sum(lines []Line, name string) float64 {
	sum := 0.0
	for _, l := range lines {
		for _, v := range l.Values[name] {
			sum += v
		}
	}
	return sum
}

// Names gives the metrics that occur, each once, in order.
func Names(lines []Line) []string {
	var out []string
	for _, l := range lines {
		for name := range l.Values {
			if !slices.Contains(out, name) {
				out = append(out, name)
			}
		}
	}
	slices.Sort(out)
	return out
}

func compile(t testing.TB) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(schemaText))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("emf.schema.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("emf.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// values checks what no schema can say: each metric and dimension that is named
// stands at the root once, nothing else does, and the table knows it.
func values(t testing.TB, text string, root map[string]any, d document) Line {
	t.Helper()
	out := Line{Time: time.UnixMilli(d.AWS.Timestamp).UTC(), Values: map[string][]float64{}}
	named := map[string]bool{"_aws": true, meter.Dimension: true}
	out.Function, _ = root[meter.Dimension].(string)
	if out.Function == "" {
		t.Errorf("%s: no function", text)
	}
	for _, c := range d.AWS.CloudWatchMetrics {
		if c.Namespace != meter.Space || len(c.Dimensions) != 1 || !slices.Equal(c.Dimensions[0], []string{meter.Dimension}) {
			t.Errorf("%s: namespace %q, dimensions %q", text, c.Namespace, c.Dimensions)
		}
		for _, m := range c.Metrics {
			row, ok := meter.Find(out.Function, m.Name)
			if !ok || row.Unit != m.Unit || named[m.Name] {
				t.Errorf("%s: the metric %s in %s is not in the table, or stands twice", text, m.Name, m.Unit)
			}
			named[m.Name] = true
			out.Values[m.Name] = numbers(root[m.Name])
			if len(out.Values[m.Name]) == 0 {
				t.Errorf("%s: the metric %s has no value", text, m.Name)
			}
		}
	}
	for key := range root {
		if !named[key] {
			t.Errorf("%s: it says %s, which is neither metric nor dimension", text, key)
		}
	}
	return out
}

func numbers(v any) []float64 {
	switch v := v.(type) {
	case float64:
		return []float64{v}
	case []any:
		var out []float64
		for _, one := range v {
			if n, ok := one.(float64); ok {
				out = append(out, n)
			}
		}
		return out
	default:
		return nil
	}
}
