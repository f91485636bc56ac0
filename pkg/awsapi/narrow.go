package awsapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"

	"github.com/rolewarden/rolewarden/pkg/awsapi/actions"
	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// maxSessionPolicy is the longest session policy (STS API Reference,
// API_AssumeRole: Policy).
const maxSessionPolicy = 2048

// sessionPolicy is what a session may do at most. Its one statement holds no
// wildcard in a writing session.
type sessionPolicy struct {
	Version   string
	Statement []sessionStatement
}

type sessionStatement struct {
	Effect   string
	Action   []string
	Resource []string
}

// sessionText prints the policy. The encoder alone puts texts into it.
func sessionText(actions, resources []string) (string, error) {
	p := sessionPolicy{Version: "2012-10-17", Statement: []sessionStatement{{Effect: "Allow", Action: actions, Resource: resources}}}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(p); err != nil {
		return "", fmt.Errorf("writing a session policy: %w", err)
	}
	text := string(bytes.TrimSpace(b.Bytes()))
	if len(text) > maxSessionPolicy {
		return "", fmt.Errorf("writing a session policy: it has %d characters and may have %d", len(text), maxSessionPolicy)
	}
	return text, nil
}

// readPolicy narrows a reader's session to reads of single roles and users of
// one account, or to the one list of all of them. That call takes no resource
// (Service Authorization Reference, AWS Identity and Access Management), so what
// keeps it in the account is that the session is the account's.
func readPolicy(partition string, r reading) (string, error) {
	switch r.shape {
	case whole:
		return sessionText([]string{"iam:GetAccountAuthorizationDetails"}, []string{"*"})
	case one:
	}
	arn := "arn:" + partition + ":iam::" + r.account
	return sessionText([]string{"iam:GetRole", "iam:GetUser"}, []string{arn + ":role/*", arn + ":user/*"})
}

// writePolicy narrows a writer's session to the calls of one action on one
// role. An ARN that could mean more than itself in a policy is refused (T55).
func writePolicy(arn string, a decision.Action) (string, error) {
	return onlyOn(arn, a, callsOf)
}

// containPolicy narrows a containing session likewise. It cannot write the trust
// policy, and a writer's session cannot set the boundary.
func containPolicy(arn string, a decision.Action) (string, error) {
	return onlyOn(arn, a, containingCalls)
}

func onlyOn(arn string, a decision.Action, calls func(decision.Action) ([]string, error)) (string, error) {
	if err := role.SafeARN(arn); err != nil {
		return "", err
	}
	list, err := calls(a)
	if err != nil {
		return "", err
	}
	return sessionText(list, []string{arn})
}

// containingCalls lists the IAM actions of a containment, which goes with a
// decision that replaces the trust policy.
func containingCalls(a decision.Action) ([]string, error) {
	switch a {
	case decision.Revert, decision.Quarantine:
		return []string{"iam:GetRole", "iam:PutRolePermissionsBoundary"}, nil
	case decision.Ignore, decision.Tell, decision.Tag, decision.Hold, decision.Clear, decision.Prune:
	}
	return nil, fmt.Errorf("%s contains nothing", a)
}

// callsOf lists the IAM actions that one action of ours needs.
func callsOf(a decision.Action) ([]string, error) {
	switch a {
	case decision.Revert:
		// A reverted role obeys the rules, so it loses our tags and gets none.
		return []string{"iam:GetRole", "iam:UpdateAssumeRolePolicy", "iam:UntagRole"}, nil
	case decision.Quarantine:
		return []string{"iam:GetRole", "iam:UpdateAssumeRolePolicy", "iam:TagRole"}, nil
	case decision.Prune:
		// A pruned role loses our tags, unless it breaks other rules.
		return []string{"iam:GetRole", "iam:UpdateAssumeRolePolicy", "iam:TagRole", "iam:UntagRole"}, nil
	case decision.Tag:
		return []string{"iam:GetRole", "iam:TagRole"}, nil
	case decision.Clear:
		return []string{"iam:GetRole", "iam:UntagRole"}, nil
	case decision.Ignore, decision.Tell, decision.Hold:
		return nil, fmt.Errorf("%s writes nothing", a)
	}
	return nil, fmt.Errorf("the action %s is not known", a)
}

// legalDecision is the part of a session name that names the decision. A role
// session name and a source identity have 2 to 64 characters of [\w+=,.@-]
// (STS API Reference, API_AssumeRole).
var legalDecision = regexp.MustCompile(`^[A-Za-z0-9_+=,.@-]{1,53}$`)

// errNoDecision refuses a session that nobody could trace back to a decision.
var errNoDecision = errors.New("the decision has no id")

// sessionNames gives the session name and source identity that name a decision.
func sessionNames(decisionID string) (session, source string, err error) {
	if decisionID == "" {
		return "", "", errNoDecision
	}
	if !legalDecision.MatchString(decisionID) {
		return "", "", fmt.Errorf("the decision id %q cannot stand in a session name: 1 to 53 letters, digits and _+=,.@- are taken", decisionID)
	}
	return actions.SessionPrefix + decisionID, actions.SourceIdentityPrefix + decisionID, nil
}
