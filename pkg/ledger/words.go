package ledger

import (
	"errors"
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

// Error says which counter is used up and when it is free again.
func (e *LimitError) Error() string {
	return fmt.Sprintf("the limit of %d writes in %s for %s is used up (%d written)",
		e.Counter.Limit, e.Counter.Window, e.Counter.Name, e.Count)
}

// String gives "111122223333#event-id".
func (k Key) String() string { return k.Account + "#" + k.EventID }

// Check refuses a key without account or event id. Two events under one empty
// key would take each other's place, and the second would be lost.
func (k Key) Check() error {
	if k.Account == "" || k.EventID == "" {
		return fmt.Errorf("naming the event %q: it needs an account and an event id", k)
	}
	return nil
}

// Check refuses a conclusion that ends nothing.
func (c Conclusion) Check() error {
	if err := c.Event.Check(); err != nil {
		return err
	}
	if c.End == InFlight || c.End.String() == "End?" {
		return fmt.Errorf("concluding %s: %s is no end: give one of %v", c.Event, c.End, Ends()[1:])
	}
	if c.State != nil && (c.State.Account == "" || c.State.RoleID == "") {
		return fmt.Errorf("concluding %s: the role's state needs an account and a RoleId", c.Event)
	}
	return CheckIdentities(c.Seen)
}

// CheckIdentities refuses identities without an id or an ARN.
func CheckIdentities(ids []Identity) error {
	for _, i := range ids {
		if i.ID == "" || i.ARN == "" {
			return fmt.Errorf("recording the identity %q of %q: both must be given", i.ID, i.ARN)
		}
	}
	return nil
}

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

// Distinct gives the counters by name and window once each, in order, with the
// lowest limit that was given; an error for one without name or window.
func Distinct(counters []Counter) ([]Counter, error) {
	var out []Counter
	for _, c := range counters {
		if c.Name == "" || c.Window < time.Second {
			return nil, fmt.Errorf("counting %q over %s: a counter needs a name and a window of a second or more", c.Name, c.Window)
		}
		at := -1
		for i, o := range out {
			if o.Name == c.Name && o.Window == c.Window {
				at = i
			}
		}
		switch {
		case at < 0:
			out = append(out, c)
		case c.Limit < out[at].Limit:
			out[at].Limit = c.Limit
		}
	}
	return out, nil
}

// errNoToken refuses a Spend that could not be told from another.
var errNoToken = errors.New("spending: a token is needed, so that a repeated call is counted once")

// CheckToken refuses an empty token.
func CheckToken(token string) error {
	if token == "" {
		return errNoToken
	}
	return nil
}
