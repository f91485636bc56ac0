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
	// Alerts and Later are the shares of the changes that end in an alert, and
	// that are looked at once more later.
	Alerts, Later float64

	// The functions' memory in GB, and the seconds that they run: the guard and
	// notify for one message, the canary for one account, of which it has
	// CanaryAtOnce under way.
	GuardGB, NotifyGB, CanaryGB                float64
	GuardSeconds, NotifySeconds, CanarySeconds float64
	CanaryAtOnce                               float64

	// The ledger's request units for one event, the size of what stays of one,
	// and how long it stays.
	LedgerReads, LedgerWrites, LedgerKB float64
	LedgerDays                          float64
	// LogKB is what is logged of one event, LogDays how long it is kept.
	LogKB, LogDays float64

	// What the hub's template holds.
	Alarms, Metrics, Dashboards, Keys, Secrets, Mappings, EncryptedQueues, EncryptedTopics int
}

// Defaults are the inputs for a number of accounts with everything switched on.
func Defaults(accounts int) Inputs {
	return Inputs{
		Accounts: accounts, Changes: 20, CanaryEvery: time.Hour, Alerts: 0.05, Later: 0.2,
		GuardGB: 0.25, NotifyGB: 0.125, CanaryGB: 0.25,
		GuardSeconds: 0.5, NotifySeconds: 0.5, CanarySeconds: 0.6, CanaryAtOnce: 8,
		LedgerReads: 4, LedgerWrites: 12, LedgerKB: 1, LedgerDays: 400, LogKB: 3, LogDays: 400,
		Alarms: 53, Metrics: 39, Dashboards: 1, Keys: 2, Secrets: 1, Mappings: 3, EncryptedQueues: 3, EncryptedTopics: 1,
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
	polls := float64(in.Mappings) * pollers * seconds / pollSeconds
	compute := handled*in.GuardSeconds*in.GuardGB + alerts*in.NotifySeconds*in.NotifyGB + canaries*in.CanarySeconds/in.CanaryAtOnce*in.CanaryGB
	keyUses := seconds / keySeconds * float64(in.EncryptedQueues*perSQSKey+in.EncryptedTopics*perSNSKey+1)
	return []Line{
		{"EventBridge: events sent from members to the hub's bus", events, p.EventBridge},
		{"SQS: messages of the queues for events, later looks and alerts", (handled + alerts) * perMessage, p.SQS},
		{"SQS: Lambda asking queues that are empty", polls, p.SQS},
		{"Lambda: invocations, one for each message at worst", handled + alerts + runs, p.LambdaRequest},
		{"Lambda: compute", compute, p.LambdaCompute},
		{"DynamoDB: writes to the ledger", handled * in.LedgerWrites, p.LedgerWrite},
		{"DynamoDB: reads of the ledger", handled*in.LedgerReads + canaries, p.LedgerRead},
		{"DynamoDB: the ledger's size, once it is full", events / days * in.LedgerDays * in.LedgerKB / gb, p.LedgerStorage},
		{"DynamoDB: the ledger's continuous backup", events / days * in.LedgerDays * in.LedgerKB / gb, p.LedgerBackup},
		{"SNS: alerts published", alerts, p.SNS},
		{"CloudWatch: logs taken in", handled * in.LogKB / gb, p.LogIngest},
		{"CloudWatch: logs kept", handled / days * in.LogDays * in.LogKB / gb, p.LogStorage},
		{"CloudWatch: metrics of rolewarden's own", float64(in.Metrics), p.Metric},
		{"CloudWatch: alarms", float64(in.Alarms), p.Alarm},
		{"CloudWatch: dashboard", float64(in.Dashboards), p.Dashboard},
		{"KMS: keys", float64(in.Keys), p.Key},
		{"KMS: requests of queues, topics and ledger", keyUses, p.KeyRequest},
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
