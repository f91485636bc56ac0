package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/constructs-go/constructs/v10"

	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/meter"
)

// widget is one field of a dashboard (CloudWatch API Reference,
// CloudWatch-Dashboard-Body-Structure).
type widget struct {
	Type       string         `json:"type"`
	X          int            `json:"x"`
	Y          int            `json:"y"`
	Width      int            `json:"width"`
	Height     int            `json:"height"`
	Properties map[string]any `json:"properties"`
}

// line is one metric of a graph: namespace, name, then dimensions by pairs.
type line struct {
	metric     []string
	statistic  string
	label      string
	dimensions []deployment.Dimension
}

// graph is one graph: a question that an operator asks.
type graph struct {
	title  string
	period time.Duration
	lines  []line
}

// newDashboard adds the dashboard: is it alive, what did it find and do, how
// fast is it, and what is stuck.
func newDashboard(scope constructs.Construct, d *deployment.Deployment) error {
	region, account := *awscdk.Aws_REGION(), *awscdk.Aws_ACCOUNT_ID()
	widgets := []widget{alarmWidget(d, region, account)}
	for i, g := range graphs(d) {
		widgets = append(widgets, widget{
			Type: "metric", X: 12 * (i % 2), Y: 6 + 6*(i/2), Width: 12, Height: 6, Properties: g.properties(region),
		})
	}
	body, err := json.Marshal(map[string]any{"widgets": widgets})
	if err != nil {
		return fmt.Errorf("writing the dashboard: %w", err)
	}
	awscloudwatch.NewCfnDashboard(scope, str("Dashboard"), &awscloudwatch.CfnDashboardProps{
		DashboardName: str(deployment.Dashboard), DashboardBody: str(string(body)),
	})
	return nil
}

// alarmWidget shows the state of every alarm.
func alarmWidget(d *deployment.Deployment, region, account string) widget {
	var arns []string
	for _, a := range d.Alarms() {
		arns = append(arns, "arn:"+d.Partition+":cloudwatch:"+region+":"+account+":alarm:"+a.Name)
	}
	return widget{Type: "alarm", Width: 24, Height: 6, Properties: map[string]any{"title": "Alarms", "alarms": arns}}
}

// graphs are the questions, two a row.
func graphs(d *deployment.Deployment) []graph {
	guard := []deployment.Dimension{{Name: meter.Dimension, Value: meter.Guard}}
	canary := []deployment.Dimension{{Name: meter.Dimension, Value: meter.Canary}}
	sweep := []deployment.Dimension{{Name: meter.Dimension, Value: meter.Sweep}}
	own := func(statistic string, dimensions []deployment.Dimension, names ...string) []line {
		var out []line
		for _, n := range names {
			out = append(out, line{metric: []string{meter.Space, n}, statistic: statistic, dimensions: dimensions})
		}
		return out
	}
	seconds := func(dimensions []deployment.Dimension, name string) []line {
		var out []line
		for _, s := range []string{"p50", "p99", "Maximum"} {
			out = append(out, line{metric: []string{meter.Space, name}, statistic: s, label: s, dimensions: dimensions})
		}
		return out
	}
	return []graph{
		{"Is it alive? Events and decisions", 5 * time.Minute, own("Sum", guard, meter.EventsReceived, meter.EventsIgnored, meter.Decided)},
		{"Is every account covered? The canary", d.CanaryEvery, own("Maximum", canary, meter.CanaryAccounts, meter.CanaryReached, meter.CanaryMissed, meter.CanaryUnreachable)},
		{"What did it find and do?", 5 * time.Minute, own("Sum", guard, meter.Findings, meter.AlertPublished, meter.Written, meter.WritesHeld, meter.WritesStopped)},
		{"What keeps it from its work?", 5 * time.Minute, own("Sum", guard, meter.ReadDenied, meter.Trouble, meter.MessageFailed, meter.Panic, meter.KillSwitchUnreadable)},
		{"What does no event tell of? The sweep", d.SweepEvery, own("Sum", sweep, meter.SweepAccounts, meter.SweepCoverageGap, meter.SweepFinished, meter.SweepFound, meter.BaselinesSealed)},
		{"What asks for a person at once?", 5 * time.Minute, slices.Concat(
			own("Sum", guard, meter.BreakerTripped, meter.Contained, meter.WriteWithoutIntent, meter.SealBroken, meter.LostUpdate), own("Sum", sweep, meter.AlertsUndelivered),
		)},
		{"Seconds from an IAM call to the decision (canary)", d.CanaryEvery, seconds(canary, meter.CanarySeconds)},
		{"Seconds from an event to its decision", 5 * time.Minute, seconds(guard, meter.DecisionSeconds)},
		{"Messages waiting, and dead", time.Minute, queueLines(d)},
		{"Functions: errors, throttles, duration", 5 * time.Minute, functionLines(d)},
	}
}

func queueLines(d *deployment.Deployment) []line {
	names := append(d.Queues(), deployment.RuleDLQ)
	for _, q := range d.Queues() {
		names = append(names, q+deployment.DLQ)
	}
	var out []line
	for _, q := range names {
		out = append(out, line{
			metric: []string{"AWS/SQS", "ApproximateNumberOfMessagesVisible"}, statistic: "Maximum", label: q,
			dimensions: []deployment.Dimension{{Name: "QueueName", Value: q}},
		})
	}
	return out
}

func functionLines(d *deployment.Deployment) []line {
	var out []line
	for _, f := range d.Functions() {
		dimension := []deployment.Dimension{{Name: "FunctionName", Value: f}}
		out = append(out,
			line{metric: []string{"AWS/Lambda", "Errors"}, statistic: "Sum", label: f + " errors", dimensions: dimension},
			line{metric: []string{"AWS/Lambda", "Throttles"}, statistic: "Sum", label: f + " throttles", dimensions: dimension},
			line{metric: []string{"AWS/Lambda", "Duration"}, statistic: "p99", label: f + " p99 ms", dimensions: dimension},
		)
	}
	return out
}

func (g graph) properties(region string) map[string]any {
	var metrics []any
	for _, l := range g.lines {
		row := []any{l.metric[0], l.metric[1]}
		for _, one := range l.dimensions {
			row = append(row, one.Name, one.Value)
		}
		how := map[string]any{"stat": l.statistic}
		if l.label != "" {
			how["label"] = l.label
		}
		metrics = append(metrics, append(row, how))
	}
	return map[string]any{
		"title": g.title, "region": region, "view": "timeSeries", "stacked": false,
		"period": int(g.period.Seconds()), "metrics": metrics,
	}
}
