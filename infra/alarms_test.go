package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/meter"
)

// Every alarm of the table is deployed and tells somebody, when it goes off and
// when all is well again.
func TestEveryAlarmIsDeployedAndTells(t *testing.T) {
	for stack, tpl := range cores(t) {
		d, err := load(map[string]string{deployment.HubStack: "organization.yaml", deployment.SingleStack: "single.yaml"}[stack], "")
		if err != nil {
			t.Fatal(err)
		}
		got := map[any]resource{}
		for _, r := range of(t, tpl, "AWS::CloudWatch::Alarm") {
			got[r.Properties["AlarmName"]] = r
		}
		if len(got) != len(d.Alarms()) {
			t.Errorf("%s has %d alarms, the table %d", stack, len(got), len(d.Alarms()))
		}
		for _, a := range d.Alarms() {
			p := got[a.Name].Properties
			if p["ActionsEnabled"] != true || referred(p["AlarmActions"].([]any)[0]) != "AlarmTopic" || referred(p["OKActions"].([]any)[0]) != "AlarmTopic" {
				t.Errorf("%s: %s tells nobody: %v", stack, a.Name, p)
			}
			if p["TreatMissingData"] != a.Missing.String() || p["ComparisonOperator"] != a.Comparison.String() || p["Threshold"] != a.Threshold {
				t.Errorf("%s: %s is %v", stack, a.Name, p)
			}
			if a.Change == deployment.AnyChange {
				if p["MetricName"] != nil || len(p["Metrics"].([]any)) != 2 {
					t.Errorf("%s: %s is not on a change: %v", stack, a.Name, p)
				}
				continue
			}
			if p["MetricName"] != a.Metric || p["Namespace"] != a.Namespace || p["Statistic"] != a.Statistic.String() || p["Period"] != a.Period.Seconds() {
				t.Errorf("%s: %s watches %v", stack, a.Name, p)
			}
			for i, one := range a.Dimensions {
				if got := p["Dimensions"].([]any)[i].(map[string]any); got["Name"] != one.Name || got["Value"] != one.Value {
					t.Errorf("%s: %s watches %v, want %v", stack, a.Name, got, one)
				}
			}
		}
	}
}

// The dashboard shows every alarm, and graphs only what somebody counts.
func TestTheDashboardShowsWhatThereIs(t *testing.T) {
	for stack, tpl := range cores(t) {
		for id, r := range of(t, tpl, "AWS::CloudWatch::Dashboard") {
			body := flat(r.Properties["DashboardBody"])
			var board struct {
				Widgets []struct {
					Type       string
					Properties struct {
						Alarms  []string
						Metrics [][]any
					}
				}
			}
			if err := json.Unmarshal([]byte(body), &board); err != nil {
				t.Fatalf("%s: %s is no JSON: %v\n%s", stack, id, err, body)
			}
			alarms, lines := 0, 0
			for _, w := range board.Widgets {
				alarms += len(w.Properties.Alarms)
				for _, m := range w.Properties.Metrics {
					lines++
					if m[0] == meter.Space {
						if _, ok := meter.Find(m[3].(string), m[1].(string)); !ok {
							t.Errorf("%s: a graph of %v, which nothing counts", stack, m)
						}
					}
				}
			}
			if alarms != len(of(t, tpl, "AWS::CloudWatch::Alarm")) || lines < 20 {
				t.Errorf("%s: %d alarms and %d lines", stack, alarms, lines)
			}
			if strings.Contains(body, "Token[") {
				t.Errorf("%s: a token is left in the dashboard", stack)
			}
		}
	}
}

// flat gives a text of which CloudFormation makes one, with stand-ins for what
// it fills in.
func flat(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case map[string]any:
		if join, ok := v["Fn::Join"].([]any); ok {
			var b strings.Builder
			for _, part := range join[1].([]any) {
				b.WriteString(flat(part))
			}
			return b.String()
		}
		return "x"
	}
	return "x"
}
