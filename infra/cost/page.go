package cost

import (
	"fmt"
	"strconv"
	"strings"
)

// sizes are the organizations that the page shows.
var sizes = []int{10, 100, 1000}

// Page renders what an operator reads: the result, then all that it follows
// from.
func Page() string {
	var b strings.Builder
	b.WriteString(`# What rolewarden costs

What AWS asks per month in us-east-1, in US dollars, for an organization in which
everything is switched on. The page is written by the calculation in this folder
(` + "`go test ./infra/cost -update`" + `): put your own figures in and read yours. Free
allowances are not counted. Not counted either is what you have without
rolewarden: a trail with management events, of which the first copy is free, and
its storage.

`)
	result(&b)
	b.WriteString("\n## What it follows from\n\n")
	inputs(&b)
	b.WriteString("\nWhat only one line depends on:\n\n")
	perEvent(&b)
	b.WriteString("\n## Prices\n\nAWS's pages show most prices to a browser only. What is second hand was read\nelsewhere: compare it with AWS's price calculator before you rely on a figure.\n\n")
	prices(&b)
	return b.String()
}

// result shows each line for each size.
func result(b *strings.Builder) {
	b.WriteString("| per month |" + each(func(n int) string { return " " + grouped(float64(n)) + " accounts |" }))
	b.WriteString("|---|" + each(func(int) string { return "---:|" }))
	all := map[int][]Line{}
	for _, n := range sizes {
		all[n] = Of(Defaults(n), Known())
	}
	for i, l := range all[sizes[0]] {
		b.WriteString("| " + l.What + " |" + each(func(n int) string { return " " + dollars(all[n][i].USD()) + " |" }))
	}
	b.WriteString("| **together** |" + each(func(n int) string { return " **" + dollars(Total(all[n])) + "** |" }))
	b.WriteString("| for each account |" + each(func(n int) string { return " " + dollars(Total(all[n])/float64(n)) + " |" }))
}

// each writes a cell for each size and ends the row.
func each(cell func(accounts int) string) string {
	row := ""
	for _, n := range sizes {
		row += cell(n)
	}
	return row + "\n"
}

// row is one input as it is shown.
type row struct {
	what, why string
	value     float64
	unit      string
}

func table(b *strings.Builder, rows []row) {
	b.WriteString("| input | value | why |\n|---|---:|---|\n")
	for _, r := range rows {
		fmt.Fprintf(b, "| %s | %s | %s |\n", r.what, strings.TrimSpace(grouped(r.value)+" "+r.unit), r.why)
	}
}

func inputs(b *strings.Builder) {
	in := Defaults(0)
	table(b, []row{
		{"routed calls for an account and day", "roles made, changed and deleted, users deleted and renamed; count yours in CloudTrail", in.Changes, "calls"},
		{"time between two runs of the canary", "each run changes one role in every account, which is one more event; `canary.everyMinutes`", in.CanaryEvery.Minutes(), "minutes"},
		{"roles of an account", "a sweep reads all of them from IAM, which asks nothing for it, and what is known of each from the ledger", in.Roles, "roles"},
		{"time between two sweeps", "`sweep.everyHours`", in.SweepEvery.Hours(), "hours"},
		{"calls that end in an alert", "in an organization that is mostly in order", in.Alerts * 100, "in 100"},
		{"events that are looked at once more", "reads that lag behind, and second looks at unique ids", in.Later * 100, "in 100"},
	})
}

func perEvent(b *strings.Builder) {
	in := Defaults(0)
	table(b, []row{
		{"guard, for one message", "about eight calls to AWS; its own work takes milliseconds", in.GuardSeconds, "s with " + megabytes(in.GuardGB)},
		{"notify, for one alert", "one call to Slack", in.NotifySeconds, "s with " + megabytes(in.NotifyGB)},
		{"canary, for one account", "five calls to AWS, in " + grouped(in.CanaryAtOnce) + " accounts at once", in.CanarySeconds, "s with " + megabytes(in.CanaryGB)},
		{"sweep, for one account", "some pages of IAM's, and the ledger once for each role", in.SweepSeconds, "s with " + megabytes(in.SweepGB)},
		{"sweep, for one look for alerts that wait", "every " + grouped(in.DeliverEvery.Minutes()) + " minutes", in.DeliverSeconds, "s with " + megabytes(in.SweepGB)},
		{"ledger, read for a role that a sweep finds as it was", "its partition, with all baselines", in.SweepReads, "units"},
		{"ledger, written for a document that is sealed", "one baseline; each is sealed once", in.SealWrites, "units"},
		{"ledger, written for one event", "one write and one transaction, which counts twice", in.LedgerWrites, "units"},
		{"ledger, read for one event", "the role's state, its baselines, the kill switch", in.LedgerReads, "units"},
		{"ledger, kept of one event", "for " + grouped(in.LedgerDays) + " days", in.LedgerKB, "KB"},
		{"ledger, kept of one role", "its state, and its baselines", in.RoleKB, "KB"},
		{"logged for one event", "JSON and metric lines, kept for " + grouped(in.LogDays) + " days; `logs.days`", in.LogKB, "KB"},
		{"alarms", "the table of alarms", float64(in.Alarms), ""},
		{"metrics of rolewarden's own", "the table of metrics; those that are never counted cost nothing", float64(in.Metrics), ""},
		{"queues that functions take from", "Lambda asks each at least " + grouped(perMapping) + " times a month", float64(in.Mappings), ""},
		{"queues and topics encrypted with the data key", "a data key is used again for five minutes", float64(in.EncryptedQueues + in.EncryptedTopics), ""},
	})
}

const perMapping = pollers * seconds / pollSeconds

func prices(b *strings.Builder) {
	b.WriteString("| what | USD | per | read at | in |\n|---|---:|---|---|---|\n")
	for _, p := range Known().list() {
		per := p.Unit
		if p.Per != 1 {
			per = grouped(p.Per) + " " + p.Unit
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s | %s |\n", p.What, strconv.FormatFloat(p.USD, 'f', -1, 64), per, p.read(), p.Seen)
	}
}

// dollars rounds to cents.
func dollars(usd float64) string {
	whole, cents, _ := strings.Cut(strconv.FormatFloat(usd, 'f', 2, 64), ".")
	return thousands(whole) + "." + cents
}

// grouped writes a number with a comma between thousands.
func grouped(n float64) string {
	whole, fraction, some := strings.Cut(strconv.FormatFloat(n, 'f', -1, 64), ".")
	if some {
		return thousands(whole) + "." + fraction
	}
	return thousands(whole)
}

func thousands(digits string) string {
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

func megabytes(gb float64) string { return grouped(gb*1024) + " MB" }
