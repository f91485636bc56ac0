package deployment

// How often each function runs at once at most. Lambda sets as much aside for
// it and lets nothing else in the account have it.
const (
	GuardConcurrency  = 12
	NotifyConcurrency = 2
	CanaryConcurrency = 1
)

// Reserved gives how many executions the functions' stack sets aside in all,
// whichever way it is deployed.
func (d *Deployment) Reserved() int {
	all := GuardConcurrency + CanaryConcurrency
	if d.Slack == Present {
		all += NotifyConcurrency
	}
	return all
}
