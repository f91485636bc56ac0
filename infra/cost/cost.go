// Package cost calculates what rolewarden costs per month in an organization.
//
// It takes inputs (accounts, changes, times, sizes) and prices, and gives one
// line for each thing that is paid for. It asks nobody: prices are written down
// with their source, so that a reader can put today's in their place. Free
// allowances are left out, since an organization has mostly used them up.
package cost

import "time"

// Inputs are what the cost follows from.
type Inputs struct {
	Accounts int
	// Changes are the routed calls per account and day: roles made, changed and
	// deleted, users deleted and renamed.
	Changes float64
	// CanaryEvery is the time between two runs of the canary, each of which
	// changes one role in every account.
	CanaryEvery time.Duration
	// Roles are those of one account, SweepEvery is the time between two sweeps,
	// each of which reads all of them, and DeliverEvery that between two looks for
	// alerts that were not delivered.
	Roles                    float64
	SweepEvery, DeliverEvery time.Duration
	// Alerts and Later are the shares of the changes that end in an alert, and
	// that are looked at once more later.
	Alerts, Later float64

	// The functions' memory in GB, and the seconds that they run: the guard and
	// notify for one message, the canary for one account, of which it has
	// CanaryAtOnce under way, the sweep for one account, or for one look for alerts.
	GuardGB, NotifyGB, CanaryGB, SweepGB       float64
	GuardSeconds, NotifySeconds, CanarySeconds float64
	CanaryAtOnce                               float64
	SweepSeconds, DeliverSeconds               float64

	// The ledger's request units for one event, the size of what stays of one,
	// and how long it stays.
	LedgerReads, LedgerWrites, LedgerKB float64
	LedgerDays                          float64
	// RoleKB is what stays of one role: its state and its baselines.
	RoleKB float64
	// SweepReads are the ledger's request units for one role that a sweep finds as it
	// was, SealWrites those for a document that is sealed.
	SweepReads, SealWrites float64
	// LogKB is what is logged of one event, LogDays how long it is kept.
	LogKB, LogDays float64

	// What the hub's template holds.
	Alarms, Metrics, Dashboards, Keys, Secrets, Mappings, EncryptedQueues, EncryptedTopics int
}

// Defaults are the inputs for a number of accounts with everything switched on.
func Defaults(accounts int) Inputs {
	return Inputs{
		Accounts: accounts, Changes: 20, CanaryEvery: time.Hour, Roles: 150, SweepEvery: 6 * time.Hour, DeliverEvery: 5 * time.Minute, Alerts: 0.05, Later: 0.2,
		GuardGB: 0.25, NotifyGB: 0.125, CanaryGB: 0.25, SweepGB: 0.25, SweepSeconds: 10, DeliverSeconds: 0.2,
		GuardSeconds: 0.5, NotifySeconds: 0.5, CanarySeconds: 0.6, CanaryAtOnce: 8,
		LedgerReads: 4, LedgerWrites: 12, LedgerKB: 1, LedgerDays: 400, RoleKB: 10, SweepReads: 4, SealWrites: 6, LogKB: 3, LogDays: 400,
		Alarms: 80, Metrics: 64, Dashboards: 1, Keys: 2, Secrets: 1, Mappings: 4, EncryptedQueues: 4, EncryptedTopics: 1,
	}
}

// Line is one thing that is paid for.
type Line struct {
	What     string
	Quantity float64
	Price    Price
}

// USD is what the line costs per month.
func (l Line) USD() float64 { return l.Quantity / l.Price.Per * l.Price.USD }

const (
	days    = 30.0
	seconds = days * 24 * 60 * 60
	gb      = 1 << 20 // in KB

	// Lambda asks each queue for messages with five connections at least, each of
	// which waits up to 20 seconds (AWS Lambda Developer Guide, with-sqs).
	pollers, pollSeconds = 5, 20
	// A data key of SQS and SNS is used again for 300 seconds (Amazon SQS
	// Developer Guide, sqs-key-management; R = period / reuse * (2 * producers +
	// consumers)); a table's for as long (DynamoDB, encryption.usagenotes).
	keySeconds = 300
	// A message is sent, received and deleted.
	perMessage = 3
	perSQSKey  = 2*1 + 1
	perSNSKey  = 2 * 1
)

// Of gives the lines for some inputs at some prices.
func Of(in Inputs, p Prices) []Line {
	accounts := float64(in.Accounts)
	changes := accounts * in.Changes * days
	runs := seconds / in.CanaryEvery.Seconds()
	canaries := accounts * runs
	events := changes + canaries
	handled := events * (1 + in.Later)
	alerts := changes * in.Alerts
	sweeps, deliveries := seconds/in.SweepEvery.Seconds(), seconds/in.DeliverEvery.Seconds()
	swept := accounts * sweeps
	// Each document that a change leaves is sealed once, if it stays for a day.
	seals := changes
	kept := (events/days*in.LedgerDays*in.LedgerKB + accounts*in.Roles*in.RoleKB) / gb
	polls := float64(in.Mappings) * pollers * seconds / pollSeconds
	compute := handled*in.GuardSeconds*in.GuardGB + alerts*in.NotifySeconds*in.NotifyGB + canaries*in.CanarySeconds/in.CanaryAtOnce*in.CanaryGB +
		(swept*in.SweepSeconds+deliveries*in.DeliverSeconds)*in.SweepGB
	keyUses := seconds / keySeconds * float64(in.EncryptedQueues*perSQSKey+in.EncryptedTopics*perSNSKey+1)
	return []Line{
		{"EventBridge: events sent from members to the hub's bus", events, p.EventBridge},
		{"SQS: messages of the queues for events, later looks, sweeps and alerts", (handled + swept + alerts) * perMessage, p.SQS},
		{"SQS: Lambda asking queues that are empty", polls, p.SQS},
		{"Lambda: invocations, one for each message at worst", handled + alerts + runs + swept + sweeps + deliveries, p.LambdaRequest},
		{"Lambda: compute", compute, p.LambdaCompute},
		{"DynamoDB: writes to the ledger", handled*in.LedgerWrites + seals*in.SealWrites, p.LedgerWrite},
		{"DynamoDB: reads of the ledger for events", handled*in.LedgerReads + canaries + deliveries, p.LedgerRead},
		{"DynamoDB: reads of the ledger by sweeps", swept * in.Roles * in.SweepReads, p.LedgerRead},
		{"DynamoDB: the ledger's size, once it is full", kept, p.LedgerStorage},
		{"DynamoDB: the ledger's continuous backup", kept, p.LedgerBackup},
		{"SNS: alerts published", alerts, p.SNS},
		{"CloudWatch: logs taken in", handled * in.LogKB / gb, p.LogIngest},
		{"CloudWatch: logs kept", handled / days * in.LogDays * in.LogKB / gb, p.LogStorage},
		{"CloudWatch: metrics of rolewarden's own", float64(in.Metrics), p.Metric},
		{"CloudWatch: alarms", float64(in.Alarms), p.Alarm},
		{"CloudWatch: dashboard", float64(in.Dashboards), p.Dashboard},
		{"KMS: keys", float64(in.Keys), p.Key},
		{"KMS: requests of queues, topics and ledger", keyUses, p.KeyRequest},
		{"KMS: seals", seals, p.KeyRequest},
		{"Secrets Manager: the Slack webhook", float64(in.Secrets), p.Secret},
	}
}

// Total adds the lines.
func Total(lines []Line) float64 {
	sum := 0.0
	for _, l := range lines {
		sum += l.USD()
	}
	return sum
}
