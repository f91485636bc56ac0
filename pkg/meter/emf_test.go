package meter_test

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/rolewarden/rolewarden/pkg/meter"
)

var noon = time.Date(2026, 8, 11, 12, 0, 0, 123456789, time.UTC)

func clock() time.Time { return noon }

// desk is a meter and what it wrote.
type desk struct {
	*meter.Meter
	out bytes.Buffer
}

func newDesk(function string) *desk {
	d := &desk{}
	d.Meter = meter.New(meter.Config{Function: function, Out: &d.out, Now: clock})
	return d
}

// emf is a line as CloudWatch reads it.
type emf struct {
	AWS struct {
		Timestamp         int64
		CloudWatchMetrics []struct {
			Namespace  string
			Dimensions [][]string
			Metrics    []struct{ Name, Unit string }
		}
	} `json:"_aws"`
	root map[string]any
}

// read checks every line against the specification, and gives the lines.
func read(t *testing.T, text string) []emf {
	t.Helper()
	schema := compile(t)
	var out []emf
	for line := range strings.Lines(text) {
		if !strings.HasSuffix(line, "\n") {
			t.Fatalf("a line has no end: %q", line)
		}
		doc, err := jsonschema.UnmarshalJSON(strings.NewReader(line))
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if err := schema.Validate(doc); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		var e emf
		if json.Unmarshal([]byte(line), &e) != nil || json.Unmarshal([]byte(line), &e.root) != nil {
			t.Fatalf("reading %q", line)
		}
		targets(t, e)
		out = append(out, e)
	}
	return out
}

func compile(t *testing.T) *jsonschema.Schema {
	t.Helper()
	text, err := os.ReadFile("testdata/emf.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
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

// targets checks what no schema can say: what is named stands at the root, and
// nothing else does.
func targets(t *testing.T, e emf) {
	t.Helper()
	named := map[string]bool{"_aws": true}
	for _, d := range e.AWS.CloudWatchMetrics {
		for _, set := range d.Dimensions {
			for _, key := range set {
				named[key] = true
				if _, ok := e.root[key].(string); !ok {
					t.Errorf("the dimension %s is %v", key, e.root[key])
				}
			}
		}
		for _, m := range d.Metrics {
			if named[m.Name] {
				t.Errorf("%s is defined twice", m.Name)
			}
			named[m.Name] = true
			switch v := e.root[m.Name].(type) {
			case float64:
			case []any:
				if len(v) == 0 || len(v) > 100 {
					t.Errorf("%s has %d values", m.Name, len(v))
				}
				for _, one := range v {
					if _, ok := one.(float64); !ok {
						t.Errorf("%s has the value %v", m.Name, one)
					}
				}
			default:
				t.Errorf("the metric %s is %v", m.Name, v)
			}
		}
	}
	for key := range e.root {
		if !named[key] {
			t.Errorf("the line says %s, which nobody counts", key)
		}
	}
}

// One Put is one line, which CloudWatch understands: namespace, the one
// dimension, milliseconds of the clock that was given.
func TestOnePutIsOneLineThatCloudWatchUnderstands(t *testing.T) {
	d := newDesk(meter.Guard)
	d.Put(
		meter.Count(meter.EventsReceived, 7), meter.Seconds(meter.DecisionSeconds, 1500*time.Millisecond),
		meter.Seconds(meter.DecisionSeconds, 2*time.Second), meter.Count(meter.EventsReceived, 1),
		meter.Value(meter.RulesFingerprint, 4e9),
	)
	d.Put()
	got := read(t, d.out.String())
	if len(got) != 1 {
		t.Fatalf("%d lines:\n%s", len(got), d.out.String())
	}
	e := got[0]
	if e.AWS.Timestamp != noon.UnixMilli() || len(e.AWS.CloudWatchMetrics) != 1 {
		t.Errorf("metadata %+v", e.AWS)
	}
	m := e.AWS.CloudWatchMetrics[0]
	if m.Namespace != "Rolewarden" || cmp.Diff([][]string{{"Function"}}, m.Dimensions) != "" {
		t.Errorf("namespace %q, dimensions %q", m.Namespace, m.Dimensions)
	}
	delete(e.root, "_aws")
	want := map[string]any{"Function": "guard", "EventsReceived": 8.0, "DecisionSeconds": []any{1.5, 2.0}, "RulesFingerprint": 4e9}
	if diff := cmp.Diff(want, e.root); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
