package trail_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/trail"
)

// matches decides the part of EventBridge's pattern language that Patterns
// uses: nested fields, lists of strings, {"exists": …} and {"wildcard": …}.
func matches(t testing.TB, pattern string, event []byte) bool {
	t.Helper()
	var p, e any
	if err := json.Unmarshal([]byte(pattern), &p); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(event, &e); err != nil {
		t.Fatal(err)
	}
	return holds(t, p, e, true)
}

func holds(t testing.TB, pattern, value any, there bool) bool {
	t.Helper()
	switch p := pattern.(type) {
	case map[string]any:
		fields, _ := value.(map[string]any)
		for name, sub := range p {
			v, there := fields[name]
			if !holds(t, sub, v, there) {
				return false
			}
		}
		return true
	case []any:
		return slices.ContainsFunc(p, func(alternative any) bool { return meets(t, alternative, value, there) })
	default:
		t.Fatalf("a pattern of type %T", pattern)
		return false
	}
}

func meets(t testing.TB, alternative, value any, there bool) bool {
	t.Helper()
	filter, ok := alternative.(map[string]any)
	if !ok {
		return there && alternative == value
	}
	if exists, ok := filter["exists"].(bool); ok {
		return there == exists
	}
	glob, ok := filter["wildcard"].(string)
	if !ok || strings.Contains(glob, "**") {
		t.Fatalf("EventBridge has no filter %v", filter)
	}
	expr := strings.ReplaceAll(regexp.QuoteMeta(glob), `\*`, ".*")
	s, isText := value.(string)
	return isText && regexp.MustCompile("^"+expr+"$").MatchString(s)
}

// arrival says by which pattern an event is routed.
func arrival(t testing.TB, patterns []string, event []byte) string {
	t.Helper()
	for i, p := range patterns {
		if matches(t, p, event) {
			return []string{"by default", "AssumeRole"}[min(i, 1)]
		}
	}
	return "no"
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

// T2: of envelopes that differ from a real one in what AWS alone can write,
// none gets past the pattern.
func TestForgedEnvelopesDoNotMatch(t *testing.T) {
	t.Parallel()
	patterns := trail.Patterns(trail.PatternOptions{AssumeRole: []string{"arn:aws:iam::111122223333:role/payroll-admin"}})
	forged := 0
	for name, text := range readEvents(t) {
		if arrival(t, patterns, text) == "no" {
			continue
		}
		for field, values := range map[string][]string{
			"source":             {"", "aws.IAM", "aws.iam.x", "acme.iam", "aws.ec2", "com.aws.iam"},
			"detail-type":        {"", "AWS API Call", "aws api call via cloudtrail", "AWS Console Sign In via CloudTrail"},
			"detail.eventName":   {"", "createrole", "GetRole", "TagRole"},
			"detail.errorCode":   {"AccessDenied", ""},
			"detail.eventSource": {"", "iam.amazonaws.com.evil.example", "ec2.amazonaws.com"},
		} {
			for _, v := range values {
				forged++
				if got := arrival(t, patterns, forge(t, text, field, v)); got != "no" {
					t.Errorf("%s with %s = %q arrives (%s)", name, field, v, got)
				}
			}
		}
	}
	if forged < 200 {
		t.Errorf("only %d forged envelopes", forged)
	}
}

// forge writes a text over one field of an envelope.
func forge(t testing.TB, event []byte, field, value string) []byte {
	t.Helper()
	var e map[string]any
	if err := json.Unmarshal(event, &e); err != nil {
		t.Fatal(err)
	}
	at := e
	if name, ok := strings.CutPrefix(field, "detail."); ok {
		field = name
		at = e["detail"].(map[string]any)
	}
	at[field] = value
	text, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	return text
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
