package alert

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// Contained is what became of the sessions that had been issued before the
// trust policy was put right.
type Contained struct {
	// Before is the permissions boundary that the role had; empty when it had none.
	Before string `json:"before,omitempty"`
	// After is the one it was last seen with.
	After    string `json:"after,omitempty"`
	Verified bool   `json:"verified"`
	Problem  string `json:"problem,omitempty"`
}

func (c *cleaner) contained(d decision.Contained) *Contained {
	if !d.Asked {
		return nil
	}
	return &Contained{Before: c.name(d.Before), After: c.name(d.After), Verified: d.Verified, Problem: c.line(d.Problem)}
}

// sentence says it for people.
func (c *Contained) sentence() string {
	switch {
	case c == nil:
		return ""
	case c.Problem != "":
		return c.Problem
	case !c.Verified:
		return "Sessions already issued were to be shut out by the permissions boundary " + c.After + ", which the role does not show yet: look at it now."
	default:
		return "Sessions already issued are shut out too, by the permissions boundary " + c.After + ", and a later read showed it. Only a person lifts it; see how to undo."
	}
}

// policyARN is an ARN of a managed policy that a shell takes as it is.
var policyARN = regexp.MustCompile(`^arn:aws(-[a-z]+)*:iam::(aws|[0-9]{12}):policy/[A-Za-z0-9_+=,.@/-]+$`)

// lift says how a person puts back the permissions boundary that was replaced.
// rolewarden cannot: its role may set the one that denies everything and no other.
func lift(in Input, name string) []string {
	d := in.Outcome.Contained
	if !d.Done || d.Before == d.After {
		return nil
	}
	command := "aws iam delete-role-permissions-boundary --role-name " + name
	if d.Before != "" {
		boundary := d.Before
		if !policyARN.MatchString(boundary) {
			boundary = "POLICY-ARN"
		}
		command = fmt.Sprintf("aws iam put-role-permissions-boundary --role-name %s --permissions-boundary %s", name, boundary)
	}
	who := "the role"
	if role.ValidAccount(in.Role.Account) {
		who = "account " + in.Role.Account
	}
	return strings.Split("To let the role's sessions work again, under your own credentials of "+who+" (rolewarden's are not good for it):\n"+command, "\n")
}
