package deployment

import (
	"time"

	"github.com/rolewarden/rolewarden/pkg/meter"
)

// Alarm is one CloudWatch alarm of the hub: when rolewarden is blind, late, or
// kept from its work. Its description says what to do, since it is read at
// night.
type Alarm struct {
	Name        string
	Description string
	Namespace   string
	Metric      string
	Statistic   Statistic
	Dimensions  []Dimension
	// Period is the length of one datapoint; Breaching of Periods datapoints
	// beyond Threshold set the alarm off.
	Period     time.Duration
	Breaching  int
	Periods    int
	Threshold  float64
	Comparison Comparison
	Missing    MissingData
	// Change says whether the alarm is on the metric or on its change.
	Change Change
}

// Change says what of a metric is compared. The zero value is the metric itself.
type Change uint8

// What is compared.
const (
	NoChange Change = iota
	// AnyChange compares how far the metric moved from one datapoint to the next.
	AnyChange
)

// Dimension is one dimension of a metric.
type Dimension struct{ Name, Value string }

// Statistic is how datapoints are made. The zero value is Sum.
type Statistic uint8

// The statistics.
const (
	Sum Statistic = iota
	Maximum
)

// String gives CloudWatch's word.
func (s Statistic) String() string {
	switch s {
	case Sum:
		return "Sum"
	case Maximum:
		return "Maximum"
	}
	return "Statistic?"
}

// Comparison says on which side of the threshold the alarm goes off. The zero
// value is AtLeast.
type Comparison uint8

// The comparisons.
const (
	AtLeast Comparison = iota
	Below
)

// String gives CloudWatch's word.
func (c Comparison) String() string {
	switch c {
	case AtLeast:
		return "GreaterThanOrEqualToThreshold"
	case Below:
		return "LessThanThreshold"
	}
	return "Comparison?"
}

// MissingData says what a period without data means. The zero value is that
// it sets the alarm off: silence is not taken for health.
type MissingData uint8

// The meanings of missing data.
const (
	MissingIsBad MissingData = iota
	// MissingIsGood is for what is only counted when it happens.
	MissingIsGood
)

// String gives CloudWatch's word.
func (m MissingData) String() string {
	switch m {
	case MissingIsBad:
		return "breaching"
	case MissingIsGood:
		return "notBreaching"
	}
	return "MissingData?"
}

// Functions gives the names of the functions that are deployed in the hub.
func (d *Deployment) Functions() []string {
	if d.Slack == Present {
		return []string{GuardFunction, NotifyFunction, CanaryFunction, SweepFunction}
	}
	return []string{GuardFunction, CanaryFunction, SweepFunction}
}

// Queues gives the names of the queues that functions take from; each has a
// dead-letter queue of its name with DLQ behind it.
func (d *Deployment) Queues() []string {
	if d.Slack == Present {
		return []string{IntakeQueue, LaterQueue, SweepQueue, AlertQueue}
	}
	return []string{IntakeQueue, LaterQueue, SweepQueue}
}

// Alarms gives every alarm of the hub, in the order in which they are shown.
func (d *Deployment) Alarms() []Alarm {
	var out []Alarm
	out = append(out, d.silence()...)
	out = append(out, d.ownMetrics()...)
	out = append(out, d.queueAlarms()...)
	out = append(out, d.routingAlarms()...)
	out = append(out, d.functionAlarms()...)
	for i := range out {
		out[i].Name = AlarmPrefix + out[i].Name
	}
	return out
}

// silence are the alarms that go off when nothing comes.
func (d *Deployment) silence() []Alarm {
	every := max(d.CanaryEvery, time.Minute)
	canary := []Dimension{{meter.Dimension, meter.Canary}}
	sweeps, sweep := max(d.SweepEvery, time.Hour), []Dimension{{meter.Dimension, meter.Sweep}}
	return []Alarm{
		{
			Name: "no-event", Namespace: meter.Space, Metric: meter.EventsReceived, Dimensions: []Dimension{{meter.Dimension, meter.Guard}},
			Period: every, Breaching: 2, Periods: 2, Threshold: 1, Comparison: Below,
			Description: "No event has reached guard for two intervals of the canary, which changes a role in every account. Nothing is being guarded. Run `rolewarden doctor`: look at the trail, the rules, the bus and the intake queue.",
		},
		{
			Name: "no-canary", Namespace: meter.Space, Metric: meter.CanaryReached, Dimensions: canary,
			Period: every, Breaching: 2, Periods: 2, Threshold: 1, Comparison: Below,
			Description: "No canary has come through for two intervals: the whole way from CloudTrail to a decision is shut, or the canary does not run. Look at the log of " + CanaryFunction + ", then run `rolewarden doctor`.",
		},
		{
			Name: "canary-missed", Namespace: meter.Space, Metric: meter.CanaryMissed, Dimensions: canary,
			Period: every, Breaching: 1, Periods: 1, Threshold: 1, Missing: MissingIsGood,
			Description: "An account's canary changed its role and nothing was decided in time, or its role or rule was changed: its rule, its trail or its role for events is off. The alert topic and the log of " + CanaryFunction + " name the account.",
		},
		{
			Name: "canary-begins-anew", Namespace: meter.Space, Metric: meter.CanaryFirst, Dimensions: canary,
			Period: every, Breaching: 4, Periods: 4, Threshold: 1, Missing: MissingIsGood,
			Description: "For four runs in a row some account's canary role was new. New accounts look like that; so does somebody who makes that role anew all the time, so that nobody sees that no event comes through. The log of " + CanaryFunction + " names the accounts.",
		},
		{
			Name: "account-uncovered", Namespace: meter.Space, Metric: meter.CanaryUnreachable, Dimensions: canary,
			Period: every, Breaching: 1, Periods: 1, Threshold: 1, Missing: MissingIsGood,
			Description: "An account that ought to be guarded has no member roles, or refuses them. The log of " + CanaryFunction + " names it; look at the StackSet's instances with `rolewarden doctor`.",
		},
		{
			Name: "sweep-missed", Namespace: meter.Space, Metric: meter.SweepFinished, Dimensions: sweep,
			Period: sweeps, Breaching: 2, Periods: 2, Threshold: 1, Comparison: Below,
			Description: "No sweep has come to its end for two intervals: what no event told of is not found, and nothing new is sealed, so that there is less and less to revert to. Look at the log of " + SweepFunction + " and at its queue, then run `rolewarden doctor`.",
		},
		{
			Name: "coverage-gap", Namespace: meter.Space, Metric: meter.SweepCoverageGap, Dimensions: sweep,
			Period: sweeps, Breaching: 1, Periods: 1, Threshold: 1, Missing: MissingIsGood,
			Description: "A sweep could not read an account to its end: what no event told of stays unseen there. The sweep's summary and the log of " + SweepFunction + " name the account; look at its member roles, and at SCPs that deny iam:GetAccountAuthorizationDetails.",
		},
	}
}
