package deployment

// How often each function runs at once at most.
const (
	GuardConcurrency  = 12
	NotifyConcurrency = 2
	CanaryConcurrency = 1
)

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
	all := GuardConcurrency + CanaryConcurrency
	if d.Slack == Present {
		all += NotifyConcurrency
	}
	return all
}
