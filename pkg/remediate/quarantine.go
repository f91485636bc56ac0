package remediate

import (
	"regexp"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/policy"
)

// quarantineSid begins the Sid of a quarantine, which the decision's id ends.
const quarantineSid = "RolewardenQuarantine"

// notSid is what a Sid in IAM cannot hold (IAM User Guide,
// reference_policies_elements_sid: upper and lower case letters and digits).
var notSid = regexp.MustCompile(`[^A-Za-z0-9]`)

// Quarantine gives a trust policy that lets nobody in: one Deny for everyone.
// Without an Allow nobody is let in whatever the Deny says; it is there since
// IAM demands a statement, and its Sid names the decision to read on from.
func Quarantine(decisionID string) string {
	return document(policy.Statement{
		Sid:       sid(decisionID),
		Effect:    policy.Deny,
		Principal: policy.Principals{List: []policy.Principal{principal("*")}},
		Actions: []string{
			"sts:AssumeRole", "sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity",
			"sts:SetSourceIdentity", "sts:TagSession",
		},
	})
}

// QuarantineFallback gives another trust policy that lets nobody in, in case
// IAM refuses a Deny that stands alone: an Allow for the role's own account
// under two conditions of which one fails for every request.
func QuarantineFallback(account, decisionID string) string {
	const key, value = "sts:RoleSessionName", "rolewarden"
	return document(policy.Statement{
		Sid:       sid(decisionID),
		Effect:    policy.Allow,
		Principal: policy.Principals{List: []policy.Principal{principal(account)}},
		Actions:   []string{"sts:AssumeRole"},
		Conditions: []policy.Condition{
			{Operator: "StringEquals", Key: key, Values: []string{value}},
			{Operator: "StringNotEquals", Key: key, Values: []string{value}},
		},
	})
}

// IsQuarantine says whether a trust policy is one that Quarantine or
// QuarantineFallback gives, for any decision, in whatever spelling IAM shows
// it. It looks at the text alone, so it holds also where the record of having
// written it is lost.
func IsQuarantine(text string) bool {
	d, err := policy.Parse([]byte(text))
	if err != nil || len(d.Statements) != 1 || len(d.Statements[0].Principal.List) != 1 {
		return false
	}
	one := d.Statements[0].Principal.List[0]
	id, ok := strings.CutPrefix(d.Statements[0].Sid, quarantineSid)
	if !ok {
		return false
	}
	for _, form := range []string{Quarantine(id), QuarantineFallback(one.Account, id)} {
		own, err := policy.Parse([]byte(form))
		if err == nil && d.Equal(own, one.Partition) {
			return true
		}
	}
	return false
}

func document(s policy.Statement) string {
	return string(policy.Document{Version: "2012-10-17", Statements: []policy.Statement{s}}.Print())
}

func sid(decisionID string) string {
	return quarantineSid + notSid.ReplaceAllString(decisionID, "")
}

// principal gives the principal written as {"AWS": value}. Parsing fails for
// blank space only, which an account id does not have.
func principal(value string) policy.Principal {
	p, err := policy.ParsePrincipal("AWS", value)
	if err != nil {
		return policy.Principal{Type: "AWS", Value: value}
	}
	return p
}
