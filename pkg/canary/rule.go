package canary

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/role"
	"github.com/rolewarden/rolewarden/pkg/trail"
)

// checkRule looks at the rule that sends the account's events on. That the
// canary's own event came through says nothing about others: a pattern may let
// that one through and no other (T71).
//
// What is shut already stays so, and says of the rule too. A rule that cannot be
// read never passes for one that is fine (T84).
func (c *Canary) checkRule(ctx context.Context, p *probe) {
	rule, err := p.session.Rule(ctx)
	why := ""
	switch {
	case err == nil:
		why = rule.wrong()
	case errors.Is(err, role.ErrNotFound):
		why = fmt.Sprintf("the account's rule is gone, so no event is sent on: %v", err)
	case p.State == Missed:
		p.Why += fmt.Sprintf("; nor could the account's rule be looked at: %v", err)
		return
	default:
		p.Took = 0
		p.fail(err)
		return
	}
	switch {
	case why == "":
	case p.State == Missed:
		p.Why = why + "; and " + p.Why
	default:
		p.State, p.Why, p.Took = Missed, why, 0
	}
}

// The states in which a rule sends events on. In the second it gets read events
// too, which the pattern leaves out (EventBridge User Guide,
// eb-service-event-cloudtrail-management).
const (
	enabled    = "ENABLED"
	enabledAll = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
)

// wrong says what differs from the rule that is deployed; nothing where it is
// the same.
func (r Rule) wrong() string {
	var differs []string
	if r.State != enabled && r.State != enabledAll {
		differs = append(differs, fmt.Sprintf("its state is %q and not %s, so no event is sent on", r.State, enabled))
	}
	wanted, err := canonical(trail.Patterns(trail.PatternOptions{})[0])
	if err != nil {
		return "the pattern to compare with: " + err.Error()
	}
	switch got, err := canonical(r.Pattern); {
	case err != nil:
		differs = append(differs, "its event pattern cannot be understood: "+err.Error())
	case got != wanted:
		differs = append(differs, "its event pattern is not this version's, so events may stay away even though the canary's own come")
	}
	if len(differs) == 0 {
		return ""
	}
	return fmt.Sprintf("somebody changed the account's rule %s, or it is of another version: %s; look in CloudTrail for who called PutRule or DisableRule, and deploy the stack there again", r.Name, strings.Join(differs, ", and "))
}

// errTwice refuses a JSON object that has a key twice: which of the two counts
// is for each reader to choose, and this one may not choose as EventBridge does.
var errTwice = errors.New("an object has a key twice")

// canonical gives JSON in a form in which equal patterns are the same text. The
// order of keys means nothing, nor that of a list, which means "any of these".
func canonical(text string) (string, error) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	out, err := value(d)
	if err == nil {
		if _, more := d.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("there is more text after it")
		}
	}
	if err != nil {
		return "", fmt.Errorf("reading the JSON: %w", err)
	}
	return out, nil
}

// value reads one value.
func value(d *json.Decoder) (string, error) {
	t, err := d.Token()
	if err != nil {
		return "", err
	}
	switch t {
	case json.Delim('{'):
		return object(d)
	case json.Delim('['):
		return list(d)
	}
	return scalar(t)
}

func object(d *json.Decoder) (string, error) {
	fields := map[string]string{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return "", err
		}
		key, err := scalar(t)
		if err != nil {
			return "", err
		}
		if _, twice := fields[key]; twice {
			return "", errTwice
		}
		if fields[key], err = value(d); err != nil {
			return "", err
		}
	}
	parts := make([]string, 0, len(fields))
	for key, v := range fields {
		parts = append(parts, key+":"+v)
	}
	slices.Sort(parts)
	_, err := d.Token()
	return "{" + strings.Join(parts, ",") + "}", err
}

func list(d *json.Decoder) (string, error) {
	var parts []string
	for d.More() {
		v, err := value(d)
		if err != nil {
			return "", err
		}
		parts = append(parts, v)
	}
	slices.Sort(parts)
	_, err := d.Token()
	return "[" + strings.Join(parts, ",") + "]", err
}

// scalar prints a text, number, true, false or null in one way.
func scalar(t json.Token) (string, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(t); err != nil {
		return "", err
	}
	return strings.TrimSpace(b.String()), nil
}
