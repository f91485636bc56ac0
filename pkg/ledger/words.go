package ledger

import (
	"fmt"
	"strings"
	"time"

	"github.com/rolewarden/rolewarden/pkg/role"
)

// Ends gives every end an event can have, InFlight first.
func Ends() []End {
	return []End{InFlight, Compliant, Tagged, Reverted, Quarantined, Told, Held, Superseded, Rejected}
}

// String gives the end's name, such as "Reverted".
func (e End) String() string {
	switch e {
	case InFlight:
		return "InFlight"
	case Compliant:
		return "Compliant"
	case Tagged:
		return "Tagged"
	case Reverted:
		return "Reverted"
	case Quarantined:
		return "Quarantined"
	case Told:
		return "Told"
	case Held:
		return "Held"
	case Superseded:
		return "Superseded"
	case Rejected:
		return "Rejected"
	}
	return "End?"
}

// ParseEnd takes what String gives and nothing else.
func ParseEnd(s string) (End, error) {
	for _, e := range Ends() {
		if e.String() == s {
			return e, nil
		}
	}
	return InFlight, fmt.Errorf("reading the end of an event: %q is none of %v", s, Ends())
}

// String gives "First" or "Again".
func (f Firstness) String() string {
	switch f {
	case Again:
		return "Again"
	case First:
		return "First"
	}
	return "Firstness?"
}

// String gives "Anything" or "NoOpenAlert".
func (e Expectation) String() string {
	switch e {
	case Anything:
		return "Anything"
	case NoOpenAlert:
		return "NoOpenAlert"
	}
	return "Expectation?"
}

// String gives "Refuse" or "Trip".
func (f OnFull) String() string {
	switch f {
	case Refuse:
		return "Refuse"
	case Trip:
		return "Trip"
	}
	return "OnFull?"
}

// Error says which counter is used up and when it is free again.
func (e *LimitError) Error() string {
	return fmt.Sprintf("the limit of %d writes in %s for %s is used up (%d written)",
		e.Counter.Limit, e.Counter.Window, e.Counter.Name, e.Count)
}

// Error says which breaker is tripped, since when, and who can reset it.
func (e *TrippedError) Error() string {
	b := e.Breaker
	return fmt.Sprintf("the breaker of %s is tripped since %s, when %d were written of at most %d in %s; a person has to reset it",
		b.Scope, b.TrippedAt.UTC().Format(time.RFC3339), b.Count, b.Limit, b.Window)
}

// Name names a letter by its event and ID, in a text that no two names share.
func (l Letter) Name() string {
	return fmt.Sprintf("%s#%d#%s#%s", l.Event.Account, len(l.Event.EventID), l.Event.EventID, l.ID)
}

// String gives "111122223333#event-id".
func (k Key) String() string { return k.Account + "#" + k.EventID }

// Fold gives the key with its name in lower case; names of users and roles are
// unique ignoring case (IAM User Guide, reference_iam-quotas).
func (p PrincipalKey) Fold() PrincipalKey {
	p.Name = strings.ToLower(p.Name)
	return p
}

// String gives "111122223333/user/alice".
func (p PrincipalKey) String() string { return p.Account + "/" + p.Kind + "/" + p.Name }

// PrincipalOf gives the key of the user or role that an ARN names; ok is false
// for the ARN of anything else.
func PrincipalOf(arn string) (key PrincipalKey, ok bool) {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" || parts[2] != "iam" || !role.ValidAccount(parts[4]) {
		return PrincipalKey{}, false
	}
	kind, rest, found := strings.Cut(parts[5], "/")
	if !found || (kind != "user" && kind != "role") {
		return PrincipalKey{}, false
	}
	name := rest[strings.LastIndexByte(rest, '/')+1:]
	if name == "" {
		return PrincipalKey{}, false
	}
	return PrincipalKey{Account: parts[4], Kind: kind, Name: name}.Fold(), true
}

// Until gives the end of the time span that an event's time stands for.
// CloudTrail tells whole seconds, so a whole second stands for all of it:
// what was seen within the second of a deletion was seen before it.
func Until(at time.Time) time.Time {
	if at.Nanosecond() == 0 {
		return at.Add(time.Second)
	}
	return at
}

// Start gives the beginning of the window that a time falls into.
func (c Counter) Start(at time.Time) time.Time {
	return time.Unix(0, 0).UTC().Add(at.Sub(time.Unix(0, 0)).Truncate(c.Window))
}
