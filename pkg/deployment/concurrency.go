package deployment

import "time"

// How often each function runs at once at most.
const (
	GuardConcurrency  = 12
	NotifyConcurrency = 2
	CanaryConcurrency = 1
	// SweepConcurrency is one more than its queue may take (SweepAccountsAtOnce):
	// the schedules start the function themselves, and alerts that wait for their
	// delivery do not wait for a sweep.
	SweepConcurrency    = 4
	SweepAccountsAtOnce = 3
	// SweepBatch is how many accounts one run of the sweep reads side by side. A
	// run waits for its turns at IAM most of the time, five a second in each
	// account; so many at once sweep 5,000 accounts of 200 roles in six hours, the
	// first time too.
	SweepBatch = 5
)

// DeliverEvery is the time between two deliveries of alerts that SNS did not take
// at once.
const DeliverEvery = 5 * time.Minute

// Reserved gives how many executions the hub's functions set aside for
// themselves, which nothing else in the account can have. In the way Single,
// which is for new accounts too, they set nothing aside.
func (d *Deployment) Reserved() int {
	if d.Way == Single {
		return 0
	}
	return d.AtOnce()
}

// AtOnce gives how many executions there may be at once, of all functions.
func (d *Deployment) AtOnce() int {
	all := GuardConcurrency + CanaryConcurrency + SweepConcurrency
	if d.Slack == Present {
		all += NotifyConcurrency
	}
	return all
}
