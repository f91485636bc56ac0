package alert

import (
	"time"

	"github.com/rolewarden/rolewarden/pkg/access"
	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/role"
	"github.com/rolewarden/rolewarden/pkg/trail"
)

// Input is what is known when the handling of a role's change ends.
type Input struct {
	Now time.Time
	// Role is the role as it was judged; its TrustPolicy is what the change made.
	Role   role.Role
	Change *trail.Change
	// Before is the trust policy that was remembered from before the change;
	// empty when none was.
	Before string
	Report finding.Report
	// NewlyAllowed is a request that the changed policy allows and the one before did not.
	NewlyAllowed *access.Request
	Decision     decision.Decision
	Outcome      decision.Outcome
	// OpenID is the id of the alert that is open for the role; empty when none is.
	OpenID string
	// Resolves are the rules whose findings the open alert told, with their severities.
	Resolves map[string]finding.Severity
}

// Trouble is something that keeps rolewarden from judging or acting.
type Trouble struct {
	Now     time.Time
	Account string
	// Role may be known by its ARN or only by name ("111122223333/app").
	Role   string
	RoleID string
	Change *trail.Change
	// EventID is the event at hand, also where no Change could be read.
	EventID string
	// Problem says what happened, and what to do next.
	Problem  string
	Decision decision.Decision
	// Wrote is a write that was made, or may have been, before rolewarden was kept
	// from its work; zero when there was none.
	Wrote decision.Outcome
}
