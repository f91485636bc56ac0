package main

import (
	"encoding/json"
	"fmt"
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
			// More than that, and a person is told later than the page says.
			if p["DatapointsToAlarm"] != float64(a.Breaching) || p["EvaluationPeriods"] != float64(a.Periods) {
				t.Errorf("%s: %s goes off after %v of %v periods, and ought to after %d of %d", stack, a.Name, p["DatapointsToAlarm"], p["EvaluationPeriods"], a.Breaching, a.Periods)
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

// The dashboard answers what an operator asks: is it alive, does it see every
// account, and what no event told of, did anything happen that never must, how fast is it in the usual case and in the worst, what did it find and
// do, what keeps it, what is stuck, and is Lambda well.
func TestTheDashboardAnswersWhatAnOperatorAsks(t *testing.T) {
	for stack, tpl := range cores(t) {
		d := fileOf(t, stack)
		var board struct {
			Widgets []struct{ Properties struct{ Metrics [][]any } }
		}
		for _, r := range of(t, tpl, "AWS::CloudWatch::Dashboard") {
			if err := json.Unmarshal([]byte(flat(r.Properties["DashboardBody"])), &board); err != nil {
				t.Fatal(err)
			}
		}
		shows := map[string]bool{}
		for _, w := range board.Widgets {
			for _, m := range w.Properties.Metrics {
				shows[fmt.Sprintf("%v %v of %v", at(m[len(m)-1], "stat"), m[1], m[3])] = true
			}
		}
		want := []string{
			"Sum " + meter.EventsReceived + " of " + meter.Guard, "Sum " + meter.Decided + " of " + meter.Guard,
			"Maximum " + meter.CanaryAccounts + " of " + meter.Canary, "Maximum " + meter.CanaryReached + " of " + meter.Canary,
			"Maximum " + meter.CanaryMissed + " of " + meter.Canary, "Maximum " + meter.CanaryUnreachable + " of " + meter.Canary,
			"Sum " + meter.Findings + " of " + meter.Guard, "Sum " + meter.Written + " of " + meter.Guard, "Sum " + meter.WritesHeld + " of " + meter.Guard,
			"Sum " + meter.SweepAccounts + " of " + meter.Sweep, "Sum " + meter.SweepCoverageGap + " of " + meter.Sweep, "Sum " + meter.SweepFinished + " of " + meter.Sweep,
			"Sum " + meter.SweepFound + " of " + meter.Sweep, "Sum " + meter.BaselinesSealed + " of " + meter.Sweep, "Sum " + meter.AlertsUndelivered + " of " + meter.Sweep,
			"Sum " + meter.BreakerTripped + " of " + meter.Guard, "Sum " + meter.Contained + " of " + meter.Guard, "Sum " + meter.WriteWithoutIntent + " of " + meter.Guard,
			"Sum " + meter.SealBroken + " of " + meter.Guard, "Sum " + meter.LostUpdate + " of " + meter.Guard,
			"Sum " + meter.ReadDenied + " of " + meter.Guard, "Sum " + meter.Trouble + " of " + meter.Guard,
		}
		for _, how := range []string{"p50", "p99", "Maximum"} {
			want = append(want, how+" "+meter.CanarySeconds+" of "+meter.Canary, how+" "+meter.DecisionSeconds+" of "+meter.Guard)
		}
		for _, q := range d.Queues() {
			want = append(want, "Maximum ApproximateNumberOfMessagesVisible of "+q, "Maximum ApproximateNumberOfMessagesVisible of "+q+deployment.DLQ)
		}
		want = append(want, "Maximum ApproximateNumberOfMessagesVisible of "+deployment.RuleDLQ)
		for _, f := range d.Functions() {
			want = append(want, "Sum Errors of "+f, "Sum Throttles of "+f, "p99 Duration of "+f)
		}
		for _, one := range want {
			if !shows[one] {
				t.Errorf("%s: no graph shows the %s", stack, one)
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
