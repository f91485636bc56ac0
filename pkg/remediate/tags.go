package remediate

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// The keys of rolewarden's tags. Tags tell people; no verdict ever looks at them.
const (
	TagState   = "rolewarden:state"
	TagFinding = "rolewarden:finding"
	TagAt      = "rolewarden:at"
)

// TagKeys gives the keys of all tags that rolewarden ever sets or takes off.
func TagKeys() []string { return []string{TagState, TagFinding, TagAt} }

// maxTagValue is the longest tag value (IAM User Guide, reference_iam-quotas).
const maxTagValue = 256

// tagValue is the alphabet of tag values (IAM API Reference, API_Tag).
var tagValue = regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$`)

// Tags gives the tags that a decision asks for: what was done, the rules of
// its open findings and when. Actions that tag nothing have none.
func Tags(d decision.Decision, findings ...finding.Finding) map[string]string {
	var state string
	switch d.Action {
	case decision.Tag:
		state = "noncompliant"
	case decision.Revert:
		state = "reverted"
	case decision.Quarantine:
		state = "quarantined"
	case decision.Prune:
		// What is pruned is mended; what else is broken is tagged as ever.
		state = "noncompliant"
	case decision.Ignore, decision.Tell, decision.Hold, decision.Clear:
		return nil
	default:
		return nil
	}
	rules := slices.Clone(d.Rules)
	for _, f := range findings {
		// Advice changes no verdict, so it is no reason for a tag.
		if f.Exemption == "" && f.Severity > finding.Advice {
			rules = append(rules, f.Rule)
		}
	}
	slices.Sort(rules)
	return map[string]string{
		TagState:   state,
		TagFinding: listValue(slices.Compact(rules)),
		TagAt:      d.At.UTC().Format("20060102T150405Z"),
	}
}

// listValue writes names with blanks between them, since a tag value holds no
// comma. Names that do not fit are counted.
func listValue(names []string) string {
	for shown := len(names); ; shown-- {
		text := strings.Join(names[:shown], " ")
		if shown < len(names) {
			text = strings.TrimSpace(fmt.Sprintf("%s +%d more", text, len(names)-shown))
		}
		text = legalValue(text)
		if len([]rune(text)) <= maxTagValue || shown == 0 {
			return text
		}
	}
}

// legalValue replaces what a tag value cannot hold.
func legalValue(s string) string {
	return strings.Map(func(r rune) rune {
		if tagValue.MatchString(string(r)) {
			return r
		}
		return '_'
	}, s)
}

// leaveOut takes out of the task the tags that are not rolewarden's own, or
// that IAM would refuse, and says so. The rest of the task is done: whoever may
// tag the role must not be able to keep its trust policy as it is.
func (w *work) leaveOut() {
	asked := len(w.Tags) + len(w.Untag)
	set, unset := map[string]string{}, []string{}
	for _, key := range slices.Sorted(maps.Keys(w.Tags)) {
		switch v := w.Tags[key]; {
		case !slices.Contains(TagKeys(), key):
			w.addProblem(fmt.Sprintf("The tag %q is not rolewarden's and was not set: rolewarden sets %q.", key, TagKeys()))
		case !tagValue.MatchString(v) || len([]rune(v)) > maxTagValue:
			w.addProblem(fmt.Sprintf("The tag %s was not set to %q: IAM takes at most %d letters, digits, blanks and _.:/=+-@.", key, v, maxTagValue))
		default:
			set[key] = v
		}
	}
	for _, key := range w.Untag {
		if !slices.ContainsFunc(TagKeys(), func(ours string) bool { return strings.EqualFold(ours, key) }) {
			w.addProblem(fmt.Sprintf("The tag %q is not rolewarden's and was not taken off: rolewarden takes off %q.", key, TagKeys()))
			continue
		}
		unset = append(unset, key)
	}
	w.Tags, w.Untag = set, unset
	w.tagless = asked > 0 && len(set)+len(unset) == 0
}

// missing gives the tags that a role does not have as wanted. Keys ignore case
// and keep it (IAM User Guide, id_tags), so another spelling is replaced.
func missing(want, have map[string]string) map[string]string {
	out := map[string]string{}
	for key, value := range want {
		if is, ok := have[key]; !ok || is != value {
			out[key] = value
		}
	}
	return out
}

// present gives the tags, as the role spells them, that are there and should
// not be: "Rolewarden:State" is our tag too.
func present(unwanted []string, have map[string]string) []string {
	var out []string
	for _, at := range slices.Sorted(maps.Keys(have)) {
		if slices.ContainsFunc(unwanted, func(key string) bool { return strings.EqualFold(at, key) }) {
			out = append(out, at)
		}
	}
	return out
}

// due gives the tags that this task has to set. A role that is tagged with the
// same findings already keeps the date of the first time: every write is an
// event, and the same policy is put again and again.
func (w *work) due(live role.Role) map[string]string {
	out := missing(w.Tags, live.Tags)
	if _, dated := live.Tags[TagAt]; !dated || w.Decision.Action != decision.Tag {
		return out
	}
	for key := range out {
		if key != TagAt {
			return out
		}
	}
	return nil
}

// retag sets and takes off tags, after the trust policy if that is written too.
// What goes wrong with tags never undoes what was done to the policy.
func (w *work) retag(ctx context.Context, live role.Role) error {
	set, unset := w.due(live), present(w.Untag, live.Tags)
	var err error
	if len(set) > 0 {
		err = w.patiently(ctx, func() error { return w.iam.Tag(ctx, w.Role.Ref(), set) })
	}
	if err == nil && len(unset) > 0 {
		err = w.patiently(ctx, func() error { return w.iam.Untag(ctx, w.Role.Ref(), unset) })
	}
	policyWritten := w.sent != ""
	hopeless := errors.Is(err, role.ErrLimit) || errors.Is(err, role.ErrUnmodifiable) || errors.Is(err, role.ErrMalformed)
	switch {
	case err != nil && (policyWritten || hopeless):
		w.addProblem(fmt.Sprintf("The role's tags were not changed: %v.", err))
		return nil
	case err != nil:
		return fmt.Errorf("changing its tags: %w", err)
	case policyWritten:
		return nil
	}
	if w.tagless {
		return nil
	}
	w.out.Done = w.Decision.Action
	if len(set)+len(unset) == 0 {
		w.out.Verified = true
		return nil
	}
	return w.verifyTags(ctx)
}

// patiently repeats a call that somebody else's call was in the way of, or
// that got no answer; setting the same tags twice does no harm. After one that
// got none, a refusal does not say that nothing was set.
func (w *work) patiently(ctx context.Context, call func() error) error {
	var open error
	for {
		err := call()
		switch {
		case err == nil:
			return nil
		case errors.Is(err, role.ErrUncertain):
			open = err
		case !errors.Is(err, role.ErrConflict):
			return errors.Join(err, open)
		}
		more, ended := w.pause.more(ctx)
		if ended != nil {
			return errors.Join(ended, err)
		}
		if !more {
			return err
		}
	}
}

// verifyTags reads until the tags show.
func (w *work) verifyTags(ctx context.Context) error {
	for {
		live, err := w.read(ctx, w.iam)
		if err == nil && len(w.due(live)) == 0 && len(present(w.Untag, live.Tags)) == 0 {
			w.out.Verified = true
			return nil
		}
		more, ended := w.pause.more(ctx)
		switch {
		case ended != nil:
			return ended
		case more:
			continue
		case err != nil:
			w.addProblem(fmt.Sprintf("IAM took the tags, and then the role could not be read back: %v.", err))
			return nil
		default:
			w.addProblem(fmt.Sprintf("IAM took the tags and did not show them within %s.", w.pause.config.Patience))
			return nil
		}
	}
}
