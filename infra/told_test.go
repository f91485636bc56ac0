package main

import (
	"fmt"
	"log/slog"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/deployment"
)

// fileOf is the deployment file of the stack that holds a way's functions.
func fileOf(t *testing.T, stack string) *deployment.Deployment {
	t.Helper()
	return load1(t, map[string]string{deployment.HubStack: "organization.yaml", deployment.SingleStack: "single.yaml"}[stack], "")
}

// Whoever stands in alarms.email gets a mail of every alarm: SNS is told their
// address, as mail, on the very topic that the alarms tell.
func TestAnAlarmReachesEveryAddressOfTheFile(t *testing.T) {
	for stack, tpl := range cores(t) {
		d := fileOf(t, stack)
		mails := map[string][]string{}
		for _, s := range of(t, tpl, "AWS::SNS::Subscription") {
			if s.Properties["Protocol"] == "email" {
				topic := referred(s.Properties["TopicArn"])
				mails[topic] = append(mails[topic], s.Properties["Endpoint"].(string))
			}
		}
		if len(d.AlarmEmails) == 0 {
			t.Fatalf("%s: the file of this test names no address", stack)
		}
		for id, alarm := range of(t, tpl, "AWS::CloudWatch::Alarm") {
			for _, address := range d.AlarmEmails {
				for _, actions := range []string{"AlarmActions", "OKActions"} {
					tells := func(topic any) bool { return slices.Contains(mails[referred(topic)], address) }
					if !slices.ContainsFunc(alarm.Properties[actions].([]any), tells) {
						t.Errorf("%s: %s of %s do not reach %s", stack, actions, id, address)
					}
				}
			}
		}
	}
}

// What the functions log arrives in their log groups: they write from INFO up, and
// metrics, saved queries and the alarms' descriptions live on those lines (AWS
// Lambda Developer Guide, monitoring-cloudwatchlogs-log-level). What the group
// keeps, it keeps as long as the file says.
func TestEveryLineIsKeptForAsLongAsTheFileSays(t *testing.T) {
	days := map[int]bool{}
	for stack, tpl := range cores(t) {
		d := fileOf(t, stack)
		days[d.LogDays] = true
		for id, f := range of(t, tpl, "AWS::Lambda::Function") {
			for _, name := range []string{"ApplicationLogLevel", "SystemLogLevel"} {
				word, _ := at(f.Properties, "LoggingConfig", name).(string)
				var level slog.Level
				if err := level.UnmarshalText([]byte(word)); err != nil || level > slog.LevelInfo {
					t.Errorf("%s: lines of %s below %q are dropped (%s)", stack, id, word, name)
				}
			}
			group := tpl.Resources[referred(at(f.Properties, "LoggingConfig", "LogGroup"))]
			if got := number(t, group.Properties["RetentionInDays"]); int(got) != d.LogDays {
				t.Errorf("%s: the log of %s is kept for %v days, and the file says %d", stack, id, got, d.LogDays)
			}
		}
	}
	if len(days) < 2 {
		t.Error("all files of this test say the same number of days")
	}
}

// A function runs on the processor that the file names, and its code was built
// for that one; else none of them would start.
func TestCodeRunsOnTheProcessorThatItWasBuiltFor(t *testing.T) {
	seen := map[string]bool{}
	for stack, get := range map[string]func() (assembly, error){deployment.HubStack: hubWay, deployment.SingleStack: singleWay} {
		a, d := way(t, get), fileOf(t, stack)
		seen[d.Architecture.String()] = true
		for id, f := range of(t, a.templates[stack], "AWS::Lambda::Function") {
			if got := listOf(f.Properties["Architectures"]); !slices.Equal(got, []string{d.Architecture.String()}) {
				t.Errorf("%s: %s runs on %v, and the file says %s", stack, id, got, d.Architecture)
			}
			name, _, _ := strings.Cut(shown(at(f.Properties, "Code", "S3Key")), ".")
			if code := a.files["asset."+name+"/bootstrap"]; !strings.HasSuffix(code, " for "+d.Architecture.String()) {
				t.Errorf("%s: the code of %s is %q", stack, id, code)
			}
		}
	}
	if len(seen) < 2 {
		t.Error("all files of this test name the same processor")
	}
}

// A setting names the thing that it is called after: alerts that Slack refuses go
// to the queue that their own queue dies to, and nowhere round in a circle.
func TestSettingsNameWhatTheyAreCalledAfter(t *testing.T) {
	want := map[string]map[string]string{
		deployment.GuardFunction: {
			"ROLEWARDEN_TABLE": deployment.Table, "ROLEWARDEN_TOPIC_ARN": ":" + deployment.AlertTopic, "ROLEWARDEN_LATER_QUEUE": "/" + deployment.LaterQueue,
		},
		deployment.NotifyFunction: {
			"ROLEWARDEN_SLACK_SECRET": deployment.SlackSecret, "ROLEWARDEN_ALERT_QUEUE": "/" + deployment.AlertQueue, "ROLEWARDEN_ALERT_DLQ": "/" + deployment.AlertQueue + deployment.DLQ,
		},
		deployment.CanaryFunction: {"ROLEWARDEN_TABLE": deployment.Table, "ROLEWARDEN_TOPIC_ARN": ":" + deployment.AlertTopic},
		deployment.SweepFunction: {
			"ROLEWARDEN_TABLE": deployment.Table, "ROLEWARDEN_TOPIC_ARN": ":" + deployment.AlertTopic, "ROLEWARDEN_LATER_QUEUE": "/" + deployment.LaterQueue,
			"ROLEWARDEN_SWEEP_QUEUE": "/" + deployment.SweepQueue,
		},
	}
	for _, p := range everywhere(t) {
		if p.stack != deployment.HubStack && p.stack != deployment.SingleStack {
			continue
		}
		for function, settings := range want {
			f := named(t, p.stackTemplate, "AWS::Lambda::Function", "FunctionName", function)
			told, err := p.resolve(at(f.Properties, "Environment", "Variables"))
			if err != nil {
				t.Fatal(err)
			}
			for name, value := range settings {
				if got := fmt.Sprint(at(told, name)); !strings.HasSuffix(got, value) {
					t.Errorf("%s: %s is told that %s is %s, want …%s", p.stack, function, name, got, value)
				}
			}
		}
		alerts := named(t, p.stackTemplate, "AWS::SQS::Queue", "QueueName", deployment.AlertQueue)
		dead := p.Resources[referred(at(alerts.Properties, "RedrivePolicy", "deadLetterTargetArn"))]
		if dead.Properties["QueueName"] != deployment.AlertQueue+deployment.DLQ {
			t.Errorf("%s: alerts die to %v", p.stack, dead.Properties["QueueName"])
		}
	}
}

// What a rule could not hand over waits for a person: no queue may use that
// queue for its own dead, which would hide among them.
func TestTheRulesDeadLettersAreTheRulesAlone(t *testing.T) {
	for stack, tpl := range cores(t) {
		dead := named(t, tpl, "AWS::SQS::Queue", "QueueName", deployment.RuleDLQ)
		if got := at(dead.Properties, "RedriveAllowPolicy", "redrivePermission"); got != "denyAll" {
			t.Errorf("%s: a queue may put its dead on %s: %v", stack, deployment.RuleDLQ, got)
		}
	}
}

// A run of the canary that failed is not run again out of time: what it would
// measure then is not what the schedule asks for, and two runs would write one
// role.
func TestACanaryThatFailedRunsAgainOnlyInTime(t *testing.T) {
	for stack, tpl := range cores(t) {
		found := 0
		for id, c := range of(t, tpl, "AWS::Lambda::EventInvokeConfig") {
			d := fileOf(t, stack)
			retries, every := 0.0, d.CanaryEvery.Seconds()
			switch name := tpl.Resources[referred(c.Properties["FunctionName"])].Properties["FunctionName"]; name {
			case deployment.CanaryFunction:
			case deployment.SweepFunction:
				// What it began it does not begin twice.
				retries, every = 2, d.SweepEvery.Seconds()
			default:
				t.Errorf("%s: %s is for %v", stack, id, name)
			}
			found++
			if c.Properties["Qualifier"] != "$LATEST" || number(t, c.Properties["MaximumRetryAttempts"]) != retries || number(t, c.Properties["MaximumEventAgeInSeconds"]) > every {
				t.Errorf("%s: %s is %v", stack, id, c.Properties)
			}
		}
		if found != 2 {
			t.Errorf("%s: of %d functions it is said how often they run again", stack, found)
		}
	}
}

// The alarm on the rules file goes off when another one is in use than before,
// and not while one and the same is, nor at first, nor over hours without an
// event: what CloudWatch makes of its expression is computed here.
func TestTheAlarmOnTheRulesFileGoesOffWhenItChanges(t *testing.T) {
	none := math.NaN()
	for stack, tpl := range cores(t) {
		p := named(t, tpl, "AWS::CloudWatch::Alarm", "AlarmName", deployment.AlarmPrefix+"rules-changed").Properties
		queries := p["Metrics"].([]any)
		var expression string
		for _, q := range queries {
			switch at(q, "ReturnData") {
			case true:
				expression = at(q, "Expression").(string)
			default:
				if at(q, "Id") != "m" || at(q, "MetricStat", "Metric", "MetricName") != "RulesFingerprint" || at(q, "MetricStat", "Stat") != "Maximum" {
					t.Errorf("%s: it is on %v", stack, q)
				}
			}
		}
		for name, tt := range map[string]struct {
			fingerprints []float64
			goesOff      bool
		}{
			"another file":                  {[]float64{7, 7, 9, 9}, true},
			"a fingerprint that is smaller": {[]float64{9, 9, 7}, true},
			"one that differs by one":       {[]float64{7, 8}, true},
			"another file after the night":  {[]float64{7, none, none, 9}, true},
			"the same file":                 {[]float64{7, 7, 7}, false},
			"the same file after the night": {[]float64{7, none, none, 7}, false},
			"the first events":              {[]float64{none, none, 7, 7}, false},
			"no event":                      {[]float64{none, none}, false},
		} {
			moved, err := computed(expression, tt.fingerprints)
			if err != nil {
				t.Fatalf("%s: %s: %v", stack, expression, err)
			}
			off := slices.ContainsFunc(moved, func(v float64) bool { return v >= number(t, p["Threshold"]) })
			if p["ComparisonOperator"] != "GreaterThanOrEqualToThreshold" || off != tt.goesOff {
				t.Errorf("%s: %s: it goes off: %t (%v)", stack, name, off, moved)
			}
		}
	}
}

// computed does what CloudWatch does with the functions of metric math that are
// used here, on the datapoints of the metric m, of which NaN is a missing one
// (CloudWatch User Guide, using-metric-math: ABS, DIFF, FILL with REPEAT).
func computed(expression string, m []float64) ([]float64, error) {
	if expression == "m" {
		return slices.Clone(m), nil
	}
	name, rest, called := strings.Cut(expression, "(")
	inner, closed := strings.CutSuffix(rest, ")")
	if !called || !closed {
		return nil, fmt.Errorf("%s is not known here", strconv.Quote(expression))
	}
	inner, repeat := strings.CutSuffix(inner, ", REPEAT")
	values, err := computed(inner, m)
	if err != nil {
		return nil, err
	}
	out := slices.Clone(values)
	for i, v := range values {
		switch {
		case name == "ABS":
			out[i] = math.Abs(v)
		case name == "DIFF":
			out[i] = math.NaN()
			if i > 0 {
				out[i] = v - values[i-1]
			}
		case name == "FILL" && repeat:
			if i > 0 && math.IsNaN(v) {
				out[i] = out[i-1]
			}
		default:
			return nil, fmt.Errorf("%s is not known here", strconv.Quote(name))
		}
	}
	return out, nil
}
