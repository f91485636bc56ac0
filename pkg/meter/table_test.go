package meter_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/meter"
)

// The table can be read by an operator and turned into alarms: each metric of a
// function stands in it once, with a unit that CloudWatch knows and one sentence.
func TestTheTableCanBeReadAndTurnedIntoAlarms(t *testing.T) {
	name := regexp.MustCompile(`^[A-Z][A-Za-z]{3,40}$`)
	seen := map[[2]string]bool{}
	units := map[string]string{}
	rows := map[string]int{}
	for _, m := range meter.All() {
		key := [2]string{m.Function, m.Name}
		if seen[key] {
			t.Errorf("%s of %s stands twice", m.Name, m.Function)
		}
		seen[key] = true
		// A line holds at most 100 metrics.
		if rows[m.Function]++; rows[m.Function] > 100 {
			t.Errorf("%s has more metrics than one line holds", m.Function)
		}
		if !name.MatchString(m.Name) || m.Name == meter.Dimension {
			t.Errorf("%q is no good name", m.Name)
		}
		if !slices.Contains([]string{"Count", "Seconds", "None"}, m.Unit) || units[m.Name] != "" && units[m.Name] != m.Unit {
			t.Errorf("%s of %s has the unit %q", m.Name, m.Function, m.Unit)
		}
		units[m.Name] = m.Unit
		if !slices.Contains([]string{meter.Guard, meter.Notify, meter.Canary, meter.Sweep}, m.Function) {
			t.Errorf("%s is counted by %q", m.Name, m.Function)
		}
		if !strings.HasSuffix(m.Meaning, ".") || strings.Count(m.Meaning, ". ") > 0 || len(m.Meaning) < 20 {
			t.Errorf("%s of %s means %q, which is no sentence", m.Name, m.Function, m.Meaning)
		}
		if got, ok := meter.Find(m.Function, m.Name); !ok || got != m {
			t.Errorf("%s of %s is found as %+v", m.Name, m.Function, got)
		}
	}
	for _, f := range []string{meter.Guard, meter.Notify, meter.Canary, meter.Sweep} {
		for _, always := range []string{meter.Alarm, meter.Panic, meter.NotStarted, meter.Unwritten} {
			if !seen[[2]string{f, always}] {
				t.Errorf("%s has no %s", f, always)
			}
		}
	}
}

// Metrics carry the names that the deployment gives to the functions.
func TestTheNamesAreThoseOfTheDeployment(t *testing.T) {
	for name, deployed := range map[string]string{
		meter.Guard: deployment.GuardFunction, meter.Notify: deployment.NotifyFunction, meter.Canary: deployment.CanaryFunction,
		meter.Sweep: deployment.SweepFunction,
	} {
		if "rolewarden-"+name != deployed {
			t.Errorf("the function %s is deployed as %s", name, deployed)
		}
	}
}
