package chaos

import (
	"fmt"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/invariant"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// Story tells what led to a violation: the handlings of its event and of its
// role, and what others did to that role, up to most lines before the place and
// a few behind it.
func Story(h *invariant.History, v invariant.Violation, most int) []string {
	runs := map[int]bool{}
	about := func(f invariant.Fact) bool {
		ref, key := subject(f)
		return v.Role != "" && ref != (role.Ref{}) && strings.EqualFold(ref.String(), v.Role) ||
			v.Event != "" && key != "" && plain(key) == plain(v.Event)
	}
	for _, e := range h.Entries {
		if e.Run > 0 && about(e.Fact) {
			runs[e.Run] = true
		}
	}
	place := v.At
	if place < 0 {
		place = len(h.Entries)
	}
	var before, after []string
	for i, e := range h.Entries {
		if !runs[e.Run] && !about(e.Fact) && !general(e.Fact) {
			continue
		}
		line := fmt.Sprintf("%6d %s", i, e.Line(epoch))
		if i <= place {
			before = append(before, line)
		} else {
			after = append(after, line)
		}
	}
	before = before[max(0, len(before)-most):]
	return append(before, after[:min(len(after), most/4)]...)
}

// plain is an event's id, without its account and what follows it.
func plain(event string) string {
	if _, id, ok := strings.Cut(event, "#"); ok {
		event = id
	}
	id, _, _ := strings.Cut(event, "#")
	return id
}

// general is what concerns every role.
func general(f invariant.Fact) bool {
	switch f := f.(type) {
	case invariant.Healed, invariant.Turned, invariant.Ruled, invariant.Joined:
		return true
	case invariant.Principal:
		return strings.Contains(f.ARN, ":user/") || f.ARN == deploy
	default:
		return false
	}
}

// subject is the role or the event that a fact is about.
func subject(f invariant.Fact) (role.Ref, string) {
	switch f := f.(type) {
	case invariant.Read:
		return f.Role.Ref(), ""
	case invariant.Wrote:
		return f.Role.Ref(), ""
	case invariant.Stands:
		return f.Role.Ref(), ""
	case invariant.Intended:
		return f.Intent.Role, f.Intent.Event.String()
	case invariant.Began:
		return role.Ref{}, f.Key.String()
	case invariant.Took:
		return role.Ref{}, f.Key.String()
	case invariant.Arrived:
		return role.Ref{}, f.Key.String()
	case invariant.Lost:
		return role.Ref{}, f.Key.String()
	case invariant.Concluded:
		if s := f.Conclusion.State; s != nil {
			return role.Ref{Account: s.Account, Name: s.Name}, f.Conclusion.Event.String()
		}
		return role.Ref{}, f.Conclusion.Event.String()
	default:
		return role.Ref{}, ""
	}
}
