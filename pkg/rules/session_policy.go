package rules

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/role"
	"github.com/rolewarden/rolewarden/pkg/trail"
)

//go:embed session_policy.md
var sessionPolicyPage string

const sessionPolicyID = "session-policy"

func sessionPolicy() Rule {
	return Rule{
		ID: sessionPolicyID, Title: "Sessions of sensitive roles must be narrowed by a session policy",
		Severity: finding.Medium, Reach: TellOnly, Page: sessionPolicyPage, Check: checkSessionPolicy, homeless: true,
	}
}

// checkSessionPolicy looks at one opened session. No condition key of a trust
// policy tells whether a session policy was passed, so this cannot be asked of
// a document (IAM User Guide, reference_policies_iam-condition-keys).
func checkSessionPolicy(in Input) Judgement {
	if in.Change == nil || in.Change.Kind != trail.RoleAssumed {
		return Judgement{}
	}
	session := in.Change.Session
	if session.Policy == trail.WasGiven || len(session.PolicyARNs) > 0 || !sensitive(in, session.RoleARN) {
		return Judgement{}
	}
	who := in.Change.Actor.ARN
	if who == "" {
		who = in.Change.Actor.ID
	}
	if who == "" {
		who = in.Change.Actor.InvokedBy
	}
	return Judgement{Findings: []finding.Finding{{
		Rule: sessionPolicyID, Severity: finding.Medium, Where: "AssumeRole.requestParameters",
		Message: fmt.Sprintf("%s opened the session %s of %s without a session policy, so it holds all that the role may do; pass Policy or PolicyArns with what the task needs",
			quoted(who), quoted(session.SessionName), quoted(session.RoleARN)),
		Fix: "aws sts assume-role --role-arn " + quoted(session.RoleARN) + " --policy-arns arn=arn:aws:iam::aws:policy/ReadOnlyAccess ...",
		Evidence: finding.Evidence{Kind: finding.Fact, Sentence: fmt.Sprintf("CloudTrail event %s of %s shows neither policy nor policyArns",
			word(in.Change.EventID), in.Change.Time.UTC().Format("2006-01-02 15:04:05 MST"))},
	}}}
}

// sensitive says whether the rules file lists the role. Role names ignore
// case, and an event spells them as the caller did.
func sensitive(in Input, arn string) bool {
	return slices.ContainsFunc(in.Org.Setting(sessionPolicyID).Roles, func(pattern string) bool {
		return role.MatchARN(strings.ToLower(pattern), strings.ToLower(arn)) || role.MatchARN(pattern, in.Role.ARN)
	})
}
