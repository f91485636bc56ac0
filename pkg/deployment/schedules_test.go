package deployment

import (
	"regexp"
	"slices"
	"testing"
)

// Each function that no queue feeds is started by a schedule, on whole minutes
// and in words that EventBridge takes, and each schedule has its alarms.
func TestSchedulesAreOfAKindThatEventBridgeTakes(t *testing.T) {
	expression := regexp.MustCompile(`^rate\(([2-9]|[1-9][0-9]+) minutes\)$`)
	for _, d := range everyDeployment() {
		for _, s := range d.Schedules() {
			if !expression.MatchString(s.Expression()) {
				t.Errorf("%s: %s", s.Rule, s.Expression())
			}
			if !slices.Contains(d.Functions(), s.Function) {
				t.Errorf("%s starts %s, which is not deployed", s.Rule, s.Function)
			}
			if !slices.ContainsFunc(d.Alarms(), func(a Alarm) bool { return a.Metric == "FailedInvocations" && a.Dimensions[0].Value == s.Rule }) {
				t.Errorf("nobody hears when %s starts nothing", s.Rule)
			}
		}
	}
}
