package deployment

import (
	"strconv"
	"time"
)

// Schedule is a rule on the hub's default bus that starts a function, again and
// again.
type Schedule struct {
	Rule     string
	Function string
	Every    time.Duration
	// Input is what the function is told; empty where it gets EventBridge's own
	// event.
	Input string
}

// DeliverInput tells the sweep's function to send alerts again that were not
// delivered. What starts a sweep is EventBridge's own event, whose id names the
// sweep: one that is handed over twice begins once.
const DeliverInput = `{"deliver":true}`

// Schedules gives every schedule of the hub.
func (d *Deployment) Schedules() []Schedule {
	return []Schedule{
		{Rule: CanaryRule, Function: CanaryFunction, Every: d.CanaryEvery},
		{Rule: SweepRule, Function: SweepFunction, Every: d.SweepEvery},
		{Rule: DeliverRule, Function: SweepFunction, Every: DeliverEvery, Input: DeliverInput},
	}
}

// Expression is the schedule as EventBridge writes it (EventBridge User Guide,
// eb-scheduled-rule-pattern). Every schedule is longer than a minute, so the word
// is always the plural's.
func (s Schedule) Expression() string {
	return "rate(" + strconv.Itoa(int(s.Every.Minutes())) + " minutes)"
}
