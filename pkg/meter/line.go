package meter

import (
	"encoding/json"
	"time"
)

// maxValues is how many values a metric has in one line at most (Amazon
// CloudWatch User Guide, CloudWatch_Embedded_Metric_Format_Specification). As
// many metrics are allowed, and no function has so many.
const maxValues = 100

// metadata is the member "_aws", which tells CloudWatch what to take from a line.
type metadata struct {
	// Timestamp is in milliseconds since 1970.
	Timestamp         int64
	CloudWatchMetrics []directive
}

type directive struct {
	Namespace  string
	Dimensions [][]string
	Metrics    []definition
}

type definition struct {
	Name string
	Unit string
}

// lines prints series, each line within the limits of the format.
func (c Config) lines(all []series, now time.Time) [][]byte {
	var out [][]byte
	for len(all) > 0 {
		var rest []series
		for _, s := range all {
			if len(s.values) > maxValues {
				rest = append(rest, series{Metric: s.Metric, values: s.values[maxValues:]})
			}
		}
		out = append(out, c.line(all, now))
		all = rest
	}
	return out
}

// line prints one line, with its end.
func (c Config) line(row []series, now time.Time) []byte {
	root := map[string]any{Dimension: c.Function}
	d := directive{Namespace: Space, Dimensions: [][]string{{Dimension}}}
	for _, s := range row {
		d.Metrics = append(d.Metrics, definition{Name: s.Name, Unit: s.Unit})
		if len(s.values) == 1 {
			root[s.Name] = s.values[0]
		} else {
			root[s.Name] = s.values[:min(len(s.values), maxValues)]
		}
	}
	root["_aws"] = metadata{Timestamp: now.UnixMilli(), CloudWatchMetrics: []directive{d}}
	text, err := json.Marshal(root)
	if err != nil {
		// Strings and finite numbers only: there is nothing that JSON cannot say.
		panic("meter: " + err.Error())
	}
	return append(text, '\n')
}
