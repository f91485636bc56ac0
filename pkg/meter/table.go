package meter

// Metric is one row of the table: one metric of one function, as CloudWatch
// keeps it. A name stands in as many rows as functions count it.
type Metric struct {
	Name string
	// Unit is one of CloudWatch's units (API_MetricDatum).
	Unit string
	// Function is who counts it: the value of the one dimension.
	Function string
	// Meaning says in one sentence what the number tells an operator.
	Meaning string
}

// The functions. Each is deployed under its name behind "rolewarden-".
const (
	Guard  = "guard"
	Notify = "notify"
	Canary = "canary"
	Sweep  = "sweep"
)

// The units in use.
const (
	UnitCount   = "Count"
	UnitSeconds = "Seconds"
	UnitNone    = "None"
)

// What guard counts.
const (
	EventsReceived       = "EventsReceived"
	EventsIgnored        = "EventsIgnored"
	Decided              = "Decided"
	DecisionSeconds      = "DecisionSeconds"
	Findings             = "Findings"
	Written              = "Written"
	WritesStopped        = "WritesStopped"
	WritesHeld           = "WritesHeld"
	WritesIncomplete     = "WritesIncomplete"
	ReadDenied           = "ReadDenied"
	KillSwitchUnreadable = "KillSwitchUnreadable"
	ExemptionExpired     = "ExemptionExpired"
	AlertPublished       = "AlertPublished"
	RulesFingerprint     = "RulesFingerprint"
	BreakerTripped       = "BreakerTripped"
	Contained            = "Contained"
)

// What notify counts.
const (
	AlertTold    = "AlertTold"
	AlertNotTold = "AlertNotTold"
	AlertDelayed = "AlertDelayed"
)

// What canary counts.
const (
	CanaryAccounts    = "CanaryAccounts"
	CanaryReached     = "CanaryReached"
	CanaryMissed      = "CanaryMissed"
	CanaryUnreachable = "CanaryUnreachable"
	CanaryFirst       = "CanaryFirst"
	CanarySeconds     = "CanarySeconds"
)

// What sweep counts.
const (
	SweepAccounts    = "SweepAccounts"
	SweepRoles       = "SweepRoles"
	SweepFound       = "SweepFound"
	SweepCoverageGap = "SweepCoverageGap"
	SweepFinished    = "SweepFinished"
	BaselinesSealed  = "BaselinesSealed"
)

// What more than one function counts.
const (
	WriteWithoutIntent = "WriteWithoutIntent"
	SealBroken         = "SealBroken"
	LostUpdate         = "LostUpdate"
	AlertsUndelivered  = "AlertsUndelivered"

	MessageFailed = "MessageFailed"
	Trouble       = "Trouble"
	Panic         = "Panic"
	NotStarted    = "NotStarted"
	Alarm         = "Alarm"
	Unwritten     = "Unwritten"
)

// All is the table: every metric that rolewarden emits. Alarms and dashboard
// are made from it.
func All() []Metric {
	return []Metric{
		{EventsReceived, UnitCount, Guard, "Messages taken from the intake queue; none for longer than the canary's interval means that nothing arrives any more."},
		{EventsIgnored, UnitCount, Guard, "Events that asked for nothing: calls that failed, calls that change no trust, and events handled before."},
		{Decided, UnitCount, Guard, "Events, and looks at a role that no event told of, that came to their recorded end, whatever it was."},
		{DecisionSeconds, UnitSeconds, Guard, "From the time of an event to its recorded end, looks that had to wait for IAM included."},
		{Findings, UnitCount, Guard, "Findings of the roles that were decided on, without those that are exempted."},
		{Written, UnitCount, Guard, "Decisions that changed a role: reverted, quarantined, tagged, or freed of rolewarden's tags."},
		{WritesStopped, UnitCount, Guard, "Writes that were due and stopped or weakened to a tag by a limit or the kill switch; people have to mend those roles."},
		{WritesHeld, UnitCount, Guard, "Writes that were due and not made for another reason: a protected role, a doubt, or IAM's refusal; people have to mend those roles."},
		{WritesIncomplete, UnitCount, Guard, "Writes that were made in part, did not show afterwards, or met somebody else's (a lost update); people have to look at those roles."},
		{ReadDenied, UnitCount, Guard, "Roles that rolewarden was not allowed to read: their account is not covered."},
		{KillSwitchUnreadable, UnitCount, Guard, "Writes that were due while the kill switch could not be read, which stops every write."},
		{ExemptionExpired, UnitCount, Guard, "Exemptions found ended at a start; the roles they exempted are judged like any other."},
		{AlertPublished, UnitCount, Guard, "Alerts published to the alert topic."},
		{RulesFingerprint, UnitNone, Guard, "A number made from the rules file in use; it changes when, and only when, other rules are deployed."},
		{BreakerTripped, UnitCount, Guard, "Breakers that tripped: writes of that scope stay stopped until a person resets it."},
		{WriteWithoutIntent, UnitCount, Guard, "Writes under rolewarden's own roles that no intent in the ledger announced: somebody else may hold its credentials."},
		{SealBroken, UnitCount, Guard, "Baselines whose seal does not fit: somebody else than rolewarden may have written to the ledger."},
		{LostUpdate, UnitCount, Guard, "Writes that met somebody else's between the last look and the write, seen from the other's event; people have to look at those roles."},
		{Contained, UnitCount, Guard, "Roles whose sessions were cut off by a permissions boundary; only a person can lift it."},
		{AlertsUndelivered, UnitCount, Guard, "Alerts that SNS did not take at once; they lie in the ledger and are sent again."},
		{MessageFailed, UnitCount, Guard, "Messages that could not be handled and come again, or go to the dead-letter queue after too many times."},
		{Trouble, UnitCount, Guard, "Events that rolewarden could not judge or settle, such as records it cannot read; each was told in an alert."},

		{AlertTold, UnitCount, Notify, "Alerts that Slack took."},
		{AlertNotTold, UnitCount, Notify, "Alerts that cannot be told and were given up to the dead-letter queue: refused for good, or no alert at all."},
		{AlertDelayed, UnitCount, Notify, "Messages that come again since their alert could not be told yet."},
		{MessageFailed, UnitCount, Notify, "Messages to be given up that could not be put on the dead-letter queue, and come again."},

		{CanaryAccounts, UnitCount, Canary, "Accounts that ought to be covered."},
		{CanaryReached, UnitCount, Canary, "Accounts whose last change by the canary was decided on: the whole way is open."},
		{CanaryMissed, UnitCount, Canary, "Accounts whose last change by the canary was not decided on in time: the way is shut somewhere."},
		{CanaryUnreachable, UnitCount, Canary, "Accounts that the canary could not enter: they are not covered."},
		{CanaryFirst, UnitCount, Canary, "Accounts whose canary's role was changed for the first time: nothing is proven of them yet."},
		{CanarySeconds, UnitSeconds, Canary, "From the canary's change of its role to the decision on it, one value for each account."},
		{Trouble, UnitCount, Canary, "What kept the canary from its work."},

		{SweepAccounts, UnitCount, Sweep, "Accounts that a sweep set out to read."},
		{SweepRoles, UnitCount, Sweep, "Roles that were read."},
		{SweepFound, UnitCount, Sweep, "Roles of which something was new that no event had told: never seen, changed, or judged otherwise than before."},
		{SweepCoverageGap, UnitCount, Sweep, "Accounts that could not be read to their end: nothing is known of what no event told there."},
		{SweepFinished, UnitCount, Sweep, "Sweeps of which every account has come to its end, read or told to be a gap."},
		{BaselinesSealed, UnitCount, Sweep, "Documents that were sealed and may be reverted to from now on."},
		{WriteWithoutIntent, UnitCount, Sweep, "Writes under rolewarden's own roles that no intent in the ledger announced: somebody else may hold its credentials."},
		{SealBroken, UnitCount, Sweep, "Baselines whose seal does not fit: somebody else than rolewarden may have written to the ledger."},
		{LostUpdate, UnitCount, Sweep, "Writes that met somebody else's, seen by a sweep; people have to look at those roles."},
		{AlertsUndelivered, UnitCount, Sweep, "Alerts that have waited for more than ten minutes for SNS to take them, at each delivery."},
		{AlertPublished, UnitCount, Sweep, "Alerts published to the alert topic."},
		{ReadDenied, UnitCount, Sweep, "Roles that rolewarden was not allowed to read: their account is not covered."},
		{WritesHeld, UnitCount, Sweep, "Writes that were due for what a sweep saw and were not made; people have to mend those roles."},
		{MessageFailed, UnitCount, Sweep, "Messages that could not be handled and come again, or go to the dead-letter queue after too many times."},
		{Trouble, UnitCount, Sweep, "What kept the sweep from its work, and roles that could not be judged or settled."},

		{Panic, UnitCount, Guard, "Messages that ran into a mistake in rolewarden's code; they come again."},
		{Panic, UnitCount, Notify, "Messages that ran into a mistake in rolewarden's code; they come again."},
		{Panic, UnitCount, Canary, "Accounts that ran into a mistake in rolewarden's code."},
		{Panic, UnitCount, Sweep, "Messages that ran into a mistake in rolewarden's code; they come again."},
		{NotStarted, UnitCount, Guard, "Starts that failed: no event is handled until the log's reason is mended."},
		{NotStarted, UnitCount, Notify, "Starts that failed: no alert reaches Slack until the log's reason is mended."},
		{NotStarted, UnitCount, Canary, "Starts that failed: no account is tried until the log's reason is mended."},
		{NotStarted, UnitCount, Sweep, "Starts that failed: no account is swept, and no alert that waits is sent, until the log's reason is mended."},
		{Alarm, UnitCount, Guard, "Alarms in the log that have no metric of their own."},
		{Alarm, UnitCount, Notify, "Alarms in the log that have no metric of their own."},
		{Alarm, UnitCount, Canary, "Alarms in the log that have no metric of their own."},
		{Alarm, UnitCount, Sweep, "Alarms in the log that have no metric of their own."},
		{Unwritten, UnitCount, Guard, "Lines of metrics that could not be written: other numbers are too low."},
		{Unwritten, UnitCount, Notify, "Lines of metrics that could not be written: other numbers are too low."},
		{Unwritten, UnitCount, Canary, "Lines of metrics that could not be written: other numbers are too low."},
		{Unwritten, UnitCount, Sweep, "Lines of metrics that could not be written: other numbers are too low."},
	}
}

// Find gives the row of a metric of a function.
func Find(function, name string) (Metric, bool) {
	for _, m := range All() {
		if m.Function == function && m.Name == name {
			return m, true
		}
	}
	return Metric{}, false
}

// alarm is the row that takes what has none of its own, whatever the function
// is called.
func (c Config) alarm() Metric { return Metric{Name: Alarm, Unit: UnitCount, Function: c.Function} }

func (c Config) unwritten() Metric {
	return Metric{Name: Unwritten, Unit: UnitCount, Function: c.Function}
}
