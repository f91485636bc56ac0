package cost_test

import (
	"flag"
	"math"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rolewarden/rolewarden/infra/cost"
	"github.com/rolewarden/rolewarden/pkg/meter"
)

var update = flag.Bool("update", false, "write README.md anew")

// The page that an operator reads is what the calculation gives.
func TestThePageIsTheCalculation(t *testing.T) {
	t.Parallel()
	got := cost.Page()
	if *update {
		if err := os.WriteFile("README.md", []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("README.md differs (-want +got); if it ought to, run go test ./infra/cost -update:\n%s", diff)
	}
}

// A sum done by hand, of inputs that make it easy.
func TestTheSumIsTheOneDoneByHand(t *testing.T) {
	t.Parallel()
	in := cost.Inputs{
		Accounts: 10, Changes: 90, CanaryEvery: 10 * 24 * time.Hour, // 27,000 changes and 30 canaries, in 3 runs
		GuardGB: 1, GuardSeconds: 2, LedgerWrites: 10, LedgerReads: 1, LedgerKB: 1 << 20 / 27030.0 * 30, LedgerDays: 2,
		CanaryAtOnce: 1, Alarms: 3, Keys: 2,
		// 300 accounts are read by 30 sweeps, 3 looks for alerts that wait.
		Roles: 100, RoleKB: 1 << 20 / 1000.0, SweepEvery: 24 * time.Hour, DeliverEvery: 10 * 24 * time.Hour, SweepGB: 1, SweepSeconds: 7, DeliverSeconds: 1, SweepReads: 2, SealWrites: 3,
	}
	want := map[string]float64{
		"EventBridge: events sent from members to the hub's bus": 0.02703,
		"Lambda: compute":                          (54060 + 300*7 + 3) * 0.0000133334,
		"DynamoDB: writes to the ledger":           (270300 + 27000*3) * 0.625e-6,
		"DynamoDB: reads of the ledger for events": (27060 + 3) * 0.125e-6,
		"DynamoDB: reads of the ledger by sweeps":  60000 * 0.125e-6,
		"KMS: seals": 27000 * 0.03e-4,
		"DynamoDB: the ledger's size, once it is full":       (2 + 1) * 0.25,
		"Lambda: invocations, one for each message at worst": (27033 + 300 + 30 + 3) * 0.2e-6,
		"CloudWatch: alarms":                                 0.3,
		"KMS: keys":                                          2,
		"SNS: alerts published":                              0,
	}
	got := map[string]float64{}
	for _, l := range cost.Of(in, cost.Known()) {
		got[l.What] = l.USD()
	}
	for what, usd := range want {
		if math.Abs(got[what]-usd) > 1e-9 {
			t.Errorf("%s: %v, and by hand %v", what, got[what], usd)
		}
	}
}

// More accounts, changes or canaries never cost less, and what a tenfold
// organization pays is at most tenfold: the rest is the same for all.
func TestMoreNeverCostsLess(t *testing.T) {
	t.Parallel()
	total := func(in cost.Inputs) float64 { return cost.Total(cost.Of(in, cost.Known())) }
	rapid.Check(t, func(r *rapid.T) {
		in := cost.Defaults(rapid.IntRange(1, 10000).Draw(r, "accounts"))
		in.Changes = rapid.Float64Range(0, 1000).Draw(r, "changes")
		in.CanaryEvery = time.Duration(rapid.IntRange(15, 1440).Draw(r, "minutes")) * time.Minute
		in.Roles = rapid.Float64Range(0, 5000).Draw(r, "roles")
		tenfold, busier, oftener, nearer := in, in, in, in
		nearer.SweepEvery = in.SweepEvery / 2
		tenfold.Accounts *= 10
		busier.Changes++
		oftener.CanaryEvery = in.CanaryEvery / 2
		if a, b := total(in), total(tenfold); b < a || b > 10*a {
			r.Fatalf("%d accounts cost %v and tenfold as many %v", in.Accounts, a, b)
		}
		if total(busier) < total(in) || total(oftener) < total(in) || total(nearer) < total(in) {
			r.Fatal("more events cost less")
		}
	})
}

// Who reads the page sees of every price whether it was read with AWS, and if
// not, where; no source is a name that nobody can look up.
func TestAPriceThatIsSecondHandSaysSo(t *testing.T) {
	t.Parallel()
	_, table, found := strings.Cut(cost.Page(), "## Prices")
	if !found {
		t.Fatal("the page has no prices")
	}
	named := regexp.MustCompile(`^(aws\.amazon\.com/[a-z-]+/pricing|second hand: ([a-z]+\.)+[a-z]+\b.*)$`)
	rows := 0
	for line := range strings.Lines(table) {
		cells := strings.Split(line, " | ")
		if len(cells) != 5 || cells[0] == "| what" {
			continue
		}
		rows++
		if !named.MatchString(cells[3]) {
			t.Errorf("%s: %q", cells[0], cells[3])
		}
	}
	if rows < len(cost.Of(cost.Defaults(1), cost.Known()))/2 {
		t.Errorf("the page has %d prices", rows)
	}
}

// Every line has a price that says where it was read, and the metrics are those
// of the table.
func TestInputsHaveASource(t *testing.T) {
	t.Parallel()
	for _, l := range cost.Of(cost.Defaults(1), cost.Known()) {
		if l.Price.Source == "" || l.Price.USD <= 0 || l.Price.Per <= 0 {
			t.Errorf("%s has the price %+v", l.What, l.Price)
		}
	}
	if got, want := cost.Defaults(1).Metrics, len(meter.All()); got != want {
		t.Errorf("%d metrics are paid for and the table has %d", got, want)
	}
}
