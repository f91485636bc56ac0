package deployment

// How everything that is deployed is called. Names are fixed, so that policies
// can name them before they exist and the doctor can find them afterwards.
const (
	// Path is the IAM path of rolewarden's roles, CanaryPath that of the roles
	// which only the canary changes.
	Path       = "/rolewarden/"
	CanaryPath = "/rolewarden-canary/"

	// The functions, and their roles under Path.
	GuardFunction  = "rolewarden-guard"
	NotifyFunction = "rolewarden-notify"
	CanaryFunction = "rolewarden-canary"
	SweepFunction  = "rolewarden-sweep"
	GuardRole      = "rolewarden-guard-fn"
	NotifyRole     = "rolewarden-notify-fn"
	CanaryRole     = "rolewarden-canary-fn"
	SweepRole      = "rolewarden-sweep-fn"

	// The roles of a member account, under Path.
	ReaderRole       = "rolewarden-reader"
	RemediatorRole   = "rolewarden-remediator"
	CanaryWriterRole = "rolewarden-canary-writer"
	EventsRole       = "rolewarden-events"
	// CanaryTarget is the role that the canary changes, under CanaryPath.
	CanaryTarget = "rolewarden-canary-target"

	// Routing. ForwardRule is the rule in a member account, IntakeRule the one
	// on the hub's bus (in the way Single: on the default bus). AssumeRoleRule
	// begins the names of the rules for AssumeRole.
	Bus            = "rolewarden"
	ForwardRule    = "rolewarden-forward"
	IntakeRule     = "rolewarden-intake"
	AssumeRoleRule = "rolewarden-assume-role"
	CanaryRule     = "rolewarden-canary-schedule"
	// SweepRule starts a sweep, DeliverRule has alerts sent again that were not
	// delivered. They are on the default bus, as all schedules are.
	SweepRule   = "rolewarden-sweep-schedule"
	DeliverRule = "rolewarden-deliver-schedule"

	// Queues. Each has a dead-letter queue of its name with DLQ behind it;
	// RuleDLQ holds what the hub's rules could not deliver.
	IntakeQueue = "rolewarden-intake"
	LaterQueue  = "rolewarden-later"
	SweepQueue  = "rolewarden-sweep"
	AlertQueue  = "rolewarden-alerts"
	RuleDLQ     = "rolewarden-rule-dlq"
	DLQ         = "-dlq"

	Table       = "rolewarden-ledger"
	AlertTopic  = "rolewarden-alerts"
	AlarmTopic  = "rolewarden-alarms"
	SlackSecret = "rolewarden/slack-webhook"
	DataKey     = "alias/rolewarden-data"
	SealKey     = "alias/rolewarden-seal"
	Dashboard   = "rolewarden"
	// AlarmPrefix begins the name of every alarm, LogPrefix that of every log group.
	AlarmPrefix = "rolewarden-"
	LogPrefix   = "/aws/lambda/"

	// Stacks and StackSets.
	SingleStack     = "rolewarden"
	HubStack        = "rolewarden-hub"
	MembersStack    = "rolewarden-members"
	ManagementStack = "rolewarden-management"
	// MemberStackSet goes to IAM's home Region of every member account,
	// CanaryStackSet too, with nothing but the role that the canary changes, so
	// that only there drift means nothing. RegionalStackSet goes to the other
	// Regions whose AssumeRole events are watched.
	MemberStackSet   = "rolewarden-member"
	CanaryStackSet   = "rolewarden-member-canary"
	RegionalStackSet = "rolewarden-member-regional"

	// ExternalIDParameter is the stacks' NoEcho parameter for the external id
	// that the member roles ask for. It is never written into a template.
	ExternalIDParameter = "ExternalId"
)
