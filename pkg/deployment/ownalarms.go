package deployment

import (
	"slices"
	"time"

	"github.com/rolewarden/rolewarden/pkg/meter"
)

// ownAlarm is an alarm on what rolewarden itself counts only when it happens.
type ownAlarm struct{ name, metric, function, description string }

// ownMetrics are the alarms on what rolewarden itself counts.
func (d *Deployment) ownMetrics() []Alarm {
	list := slices.Concat(ofGuard(), ofSweep())
	if d.Slack == Present {
		list = append(list, ofNotify()...)
	}
	for _, f := range d.Functions() {
		f = short(f)
		list = append(list, []ownAlarm{
			{f + "-not-started", meter.NotStarted, f, "The function " + AlarmPrefix + f + " cannot start. Its log's last line says what is missing."},
			{f + "-panic", meter.Panic, f, "The code of " + AlarmPrefix + f + " failed. Keep the log line with its stack, and report it; the message comes again."},
			{f + "-alarm", meter.Alarm, f, "A line in the log of " + AlarmPrefix + f + " asks for attention: it carries the attribute alarm."},
			{f + "-unwritten", meter.Unwritten, f, "Metrics of " + AlarmPrefix + f + " could not be written, so other alarms may be silent."},
		}...)
	}
	var out []Alarm
	for _, a := range list {
		out = append(out, Alarm{
			Name: a.name, Namespace: meter.Space, Metric: a.metric, Dimensions: []Dimension{{meter.Dimension, a.function}},
			Period: 5 * time.Minute, Breaching: 1, Periods: 1, Threshold: 1, Missing: MissingIsGood, Description: a.description,
		})
	}
	return append(out, Alarm{
		Name: "rules-changed", Namespace: meter.Space, Metric: meter.RulesFingerprint, Statistic: Maximum, Change: AnyChange,
		Dimensions: []Dimension{{meter.Dimension, meter.Guard}},
		Period:     max(time.Hour, d.CanaryEvery), Breaching: 1, Periods: 6, Threshold: 1, Missing: MissingIsGood,
		Description: "Another rules file is in use than in the hours before. If nobody deployed one, somebody has changed the guardrail: compare the hash in guard's log line \"started\" with your file's.",
	})
}

// ofGuard are the guard's, and the one of the canary that is like them.
func ofGuard() []ownAlarm {
	return append([]ownAlarm{
		{"read-denied", meter.ReadDenied, meter.Guard, "A role may not be read, so nobody judges it. The alert names account and role: look at the member roles, and at SCPs that deny iam:GetRole."},
		{"writes-stopped", meter.WritesStopped, meter.Guard, "A limit or the kill switch held back a write. What was found stands; the alerts name the roles. Find out what changes so many roles before anything is reset."},
		{"writes-held", meter.WritesHeld, meter.Guard, "A write was due and was not made: a protected role, a doubt, or IAM refused. The alert says which and why; a person has to mend the role."},
		{"writes-incomplete", meter.WritesIncomplete, meter.Guard, "A write was made in part, or it is not known whether it took effect. The alert says what was meant; look at the role as it stands."},
		{"kill-switch-unreadable", meter.KillSwitchUnreadable, meter.Guard, "The kill switch cannot be read, so nothing is written. Look at the ledger's table and its key."},
		{"exemption-expired", meter.ExemptionExpired, meter.Guard, "An exemption in the deployed rules file has ended and exempts nothing. Take it out of the file, or agree on a new one, and deploy."},
		{"trouble", meter.Trouble, meter.Guard, "An event could not be judged or settled. The alert and the log line with alarm=trouble say which and why."},
		{"breaker-tripped", meter.BreakerTripped, meter.Guard, "A limit with a breaker was reached: nothing of its scope is written any more until a person resets it. Find out what changes so many roles, or which rule condemns them, and only then reset it: `rolewarden breaker show`."},
		{"contained", meter.Contained, meter.Guard, "The sessions of a role were cut off by the permissions boundary AWSDenyAll, so whatever used the role stands still. The alert names the role and the reason; a person lifts the boundary, under credentials of their own."},
		{"message-failed", meter.MessageFailed, meter.Guard, "A message was not done and comes again. The log line with alarm=message-failed says why; it ends on the dead-letter queue if it lasts."},
		{"canary-trouble", meter.Trouble, meter.Canary, "Something kept the canary from its work. Its log says what."},
	}, writesOf("", meter.Guard)...)
}

// ofSweep are the sweep's.
func ofSweep() []ownAlarm {
	return append([]ownAlarm{
		{"alerts-undelivered", meter.AlertsUndelivered, meter.Sweep, "An alert has waited for more than ten minutes because SNS does not take it. It lies in the ledger and is sent again every five minutes; the log of " + SweepFunction + " says why. Look at the policy of the topic " + AlertTopic + " and at the data key."},
		{"sweep-read-denied", meter.ReadDenied, meter.Sweep, "A role that a sweep saw may not be read by itself, so nobody judges it. The alert names account and role: look at the member roles, and at SCPs that deny iam:GetRole."},
		{"sweep-writes-held", meter.WritesHeld, meter.Sweep, "A sweep saw a role that has to be written, and nothing was written. The alert says which and why; a person has to mend the role."},
		{"sweep-trouble", meter.Trouble, meter.Sweep, "Something kept the sweep from its work, or a role could not be judged. The log line of " + SweepFunction + " with alarm=trouble says what."},
		{"sweep-message-failed", meter.MessageFailed, meter.Sweep, "An account's part of a sweep was not done and comes again. The log of " + SweepFunction + " says why; it ends on the dead-letter queue if it lasts."},
	}, writesOf("sweep-", meter.Sweep)...)
}

// writesOf are those on writes and seals that guard and sweep both watch for.
func writesOf(prefix, function string) []ownAlarm {
	return []ownAlarm{
		{prefix + "write-without-intent", meter.WriteWithoutIntent, function, "A role was written under rolewarden's own role, and no intent in the ledger announced it: somebody else may hold its credentials. Stop all writes (`rolewarden writes stop`) and find in CloudTrail who took up the role."},
		{prefix + "seal-broken", meter.SealBroken, function, "The seal of a baseline does not fit: it was changed in the ledger by somebody who cannot seal, or sealed with another key. It is not reverted to. Find out who may write the table " + Table + "."},
		{prefix + "lost-update", meter.LostUpdate, function, "A write of rolewarden's replaced somebody else's of a moment before. The alert shows both documents: look at the role, and decide which one is to stand."},
	}
}

// ofNotify are notify's.
func ofNotify() []ownAlarm {
	return []ownAlarm{
		{"alert-not-told", meter.AlertNotTold, meter.Notify, "An alert did not reach Slack and lies on the dead-letter queue. The log of " + NotifyFunction + " says why; a webhook that was revoked is replaced in the secret " + SlackSecret + "."},
		{"alert-message-failed", meter.MessageFailed, meter.Notify, "An alert could neither be told nor put on the dead-letter queue; it comes again. The log of " + NotifyFunction + " says why."},
	}
}
