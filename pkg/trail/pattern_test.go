package trail_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/rolewarden/rolewarden/pkg/trail"
	"github.com/rolewarden/rolewarden/pkg/trail/trailtest"
)

// listed are the roles whose AssumeRole events the tests ask for.
var listed = []string{"arn:aws:iam::111122223333:role/payroll-admin", "arn:aws:iam::*:role/aws-service-role/*"}

// arrival says by which pattern an event is routed.
func arrival(t testing.TB, patterns []string, event []byte) string {
	t.Helper()
	for i, p := range patterns {
		routed, err := trailtest.Matches(p, event)
		if err != nil {
			t.Fatal(err)
		}
		if routed {
			return []string{"by default", "AssumeRole"}[min(i, 1)]
		}
	}
	return "no"
}

// arriving gives the events that README says arrive, in the order of their names.
func arriving(t testing.TB) (names []string, events map[string][]byte) {
	t.Helper()
	events = readEvents(t)
	for name, s := range readStories(t) {
		if s.arrives != "no" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, events
}

func TestPatternsPinWhatAWSAloneCanSend(t *testing.T) {
	t.Parallel()
	patterns := trail.Patterns(trail.PatternOptions{})
	want := `{"source":["aws.iam"],"detail-type":["AWS API Call via CloudTrail"],"detail":{"eventSource":["iam.amazonaws.com"],` +
		`"eventName":["CreateRole","UpdateAssumeRolePolicy","AcquireRole","CreateServiceLinkedRole","DeleteRole","DeleteUser","UpdateUser"],` +
		`"errorCode":[{"exists":false},"InternalError","InternalFailure","InternalServerError","RequestTimeout","RequestTimeoutException",` +
		`"ServiceFailure","ServiceFailureException","ServiceUnavailable","ServiceUnavailableException"]}}`
	if len(patterns) != 1 || patterns[0] != want {
		t.Errorf("got  %q\nwant %q", patterns, want)
	}
}

// T2: every file of events/ is routed exactly as its row in events/README.md
// says, whatever the code would make of it.
func TestT2EveryEventThatShouldArriveDoesAndNoOtherOne(t *testing.T) {
	t.Parallel()
	patterns := trail.Patterns(trail.PatternOptions{AssumeRole: listed})
	stories := readStories(t)
	for name, text := range readEvents(t) {
		if got, want := arrival(t, patterns, text), stories[name].arrives; got != want {
			t.Errorf("%s arrives: %s, and its story says %s", name, got, want)
		}
	}
}

// T2: of envelopes that differ from a real one in what AWS alone can write,
// none gets past the patterns.
func TestT2ForgedEnvelopesDoNotArrive(t *testing.T) {
	t.Parallel()
	patterns := trail.Patterns(trail.PatternOptions{AssumeRole: listed})
	forged := 0
	names, events := arriving(t)
	for _, name := range names {
		for _, f := range forgeries(t, name, events[name]) {
			forged++
			if got := arrival(t, patterns, f.text(t)); got != "no" {
				t.Errorf("%s arrives (%s)", f.name, got)
			}
		}
	}
	if forged < 2000 {
		t.Errorf("only %d forged envelopes", forged)
	}
}

// T2: whatever text stands where AWS writes a name of its own, the event does
// not arrive, unless it is the name itself.
func TestT2NoTextStandsForAnother(t *testing.T) {
	t.Parallel()
	patterns := trail.Patterns(trail.PatternOptions{AssumeRole: listed})
	names, events := arriving(t)
	rapid.Check(t, func(r *rapid.T) {
		e := clone(t, events[rapid.SampledFrom(names).Draw(r, "event")])
		p := rapid.SampledFrom(pinned).Draw(r, "place")
		real, _ := at(e, p.path).(string)
		i := rapid.IntRange(0, len(real)).Draw(r, "at")
		j := rapid.IntRange(i, len(real)).Draw(r, "to")
		text := real[:i] + rapid.StringN(0, 4, -1).Draw(r, "with") + real[j:]
		if strings.EqualFold(text, real) && text == real || slices.ContainsFunc(trail.Events(), func(row trail.Event) bool { return row.Name == text }) {
			r.Skip("the name itself, or another that is routed")
		}
		set(e, p.path, text)
		if got := arrival(t, patterns, forgery{"", e}.text(t)); got != "no" {
			r.Fatalf("%s = %q arrives (%s)", p.path, text, got)
		}
	})
}

// T2: what EventBridge lets through because it looks at leaves only, the code
// refuses: nothing is done for an envelope that AWS would not write.
func TestT2WhatEventBridgeReadsGenerouslyIsRefusedByTheCode(t *testing.T) {
	t.Parallel()
	patterns := trail.Patterns(trail.PatternOptions{AssumeRole: listed})
	routed := 0
	names, events := arriving(t)
	for _, name := range names {
		for _, f := range lookalikes(t, name, events[name]) {
			text := f.text(t)
			if arrival(t, patterns, text) != "no" {
				routed++
			}
			c, err := trail.Parse(text)
			var m *trail.MalformedError
			if !errors.As(err, &m) && c.Kind != trail.Ignored {
				t.Errorf("%s is read as %v, error %v", f.name, c.Kind, err)
			}
		}
	}
	if routed < 200 {
		t.Errorf("only %d of them would be routed, so this shows little", routed)
	}
}

// T2: an AssumeRole event arrives for a listed role and for no other, nor for
// one whose ARN stands anywhere but in the request.
func TestT2AssumeRoleOfAnUnlistedRoleDoesNotArrive(t *testing.T) {
	t.Parallel()
	patterns := trail.Patterns(trail.PatternOptions{AssumeRole: listed})
	event := readEvents(t)["AssumeRole.without-session-policy.json"]
	if arrival(t, patterns, event) != "AssumeRole" {
		t.Fatal("a listed role is not routed")
	}
	const path = "detail.requestParameters.roleArn"
	others := slices.Concat(strange, nearMisses(listed[0]), []any{
		"arn:aws:iam::111122223333:role/other", "arn:aws:iam::444455556666:role/payroll-admin", "arn:aws:iam::111122223333:role/x/payroll-admin",
		"arn:aws-cn:iam::111122223333:role/payroll-admin", "arn:aws:iam::111122223333:user/payroll-admin", "payroll-admin",
		"arn:aws:iam::111122223333:role/x/aws-service-role", "arn:aws:sts::111122223333:role/aws-service-role/x", listed[1],
	})
	for _, v := range others {
		e := clone(t, event)
		set(e, path, v)
		got := arrival(t, patterns, forgery{"", e}.text(t))
		if want := map[bool]string{true: "AssumeRole", false: "no"}[v == listed[1]]; got != want {
			t.Errorf("roleArn = %#v arrives: %s, not %s", v, got, want)
		}
	}
	for _, elsewhere := range []string{"detail.roleArn", "detail.responseElements.roleArn", "detail.additionalEventData", "roleArn", "detail.requestParameters.RoleArn"} {
		e := clone(t, event)
		remove(e, path)
		set(e, elsewhere, listed[0])
		if got := arrival(t, patterns, forgery{"", e}.text(t)); got != "no" {
			t.Errorf("a role in %s arrives (%s)", elsewhere, got)
		}
	}
	if got := arrival(t, trail.Patterns(trail.PatternOptions{}), event); got != "no" {
		t.Errorf("AssumeRole arrives (%s) though no role is listed", got)
	}
}

// However many roles the owner lists, every pattern is short enough for
// EventBridge, and together they route every one of the roles.
func TestAssumeRolePatternsStayWithinEventBridgesLength(t *testing.T) {
	t.Parallel()
	var roles []string
	for i := range 100 {
		roles = append(roles, fmt.Sprintf("arn:aws:iam::111122223333:role/sensitive/role-number-%03d", i))
	}
	roles = append(roles, "arn:aws:iam::*:role/very?*/sensitive-*")
	patterns := trail.Patterns(trail.PatternOptions{AssumeRole: roles})
	for _, p := range patterns {
		if len(p) > trail.MaxPattern {
			t.Errorf("a pattern of %d characters", len(p))
		}
	}
	if len(patterns) < 3 {
		t.Errorf("%d patterns for %d roles", len(patterns), len(roles))
	}
	event := readEvents(t)["AssumeRole.without-session-policy.json"]
	roles[100] = "arn:aws:iam::444455556666:role/very-/sensitive-one"
	for _, arn := range roles {
		e := strings.ReplaceAll(string(event), "arn:aws:iam::111122223333:role/payroll-admin", arn)
		if arrival(t, patterns, []byte(e)) != "AssumeRole" {
			t.Errorf("%s is not routed", arn)
		}
	}
	if arrival(t, patterns, event) != "no" {
		t.Error("a role that is not listed is routed")
	}
}
