package guard

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/trail"
)

// StepKind is what a Step goes on with. The zero value is none.
type StepKind string

// The kinds of step.
const (
	// Settle: read the role again; what was read lagged behind its event, or
	// somebody else was at work on it.
	Settle StepKind = "settle"
	// Promote: a compliant document has stood for a while; make it a baseline
	// if it still stands.
	Promote StepKind = "promote"
	// Sighted: a sweep saw a role that asks for a write, and may not write itself.
	Sighted StepKind = "sighted"
	// Confirm: a role showed unique ids in the place of ARNs; see whether they
	// still stand there, and whether their owners are gone. Or it was new: see
	// whether it obeys the rules by now.
	Confirm StepKind = "confirm"
	// Queued: handle an event whose account had sent more than its share.
	Queued StepKind = "queued"
)

// Step is the next step of a handling that has to wait, as it travels through
// the later queue.
type Step struct {
	Version   int       `json:"version"`
	Account   string    `json:"account"`
	RoleName  string    `json:"roleName"`
	RoleID    string    `json:"roleId,omitempty"`
	Step      StepKind  `json:"step"`
	NotBefore time.Time `json:"notBefore"`
	// Attempt counts the steps of this kind for this event, from 1.
	Attempt int `json:"attempt"`
	// Change is the event; the document it carried is printed compactly, so
	// that white space does not make the message too large for the queue.
	Change trail.Change `json:"change"`
	// Digest is the document that Promote looks for.
	Digest string `json:"digest,omitempty"`
	// Sweep and Voice are those of the sighting that it goes on with.
	Sweep string `json:"sweep,omitempty"`
	Voice Voice  `json:"voice,omitempty"`
}

// stepVersion is the version of the Step's JSON form.
const stepVersion = 1

// waits are the delays before each further look at an unsettled role. IAM
// settles within seconds, rarely within a minute (IAM User Guide, troubleshoot_general).
var waits = [...]time.Duration{5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute}

// promoteAfter is how long a compliant document must stand before a second,
// equal reading makes it a baseline.
const promoteAfter = time.Minute

// parseStep reads a Step strictly: what is no Step of this version came from
// somewhere else, or from another version.
func parseStep(body []byte) (Step, error) {
	var s Step
	if err := json.Unmarshal(body, &s); err != nil {
		return Step{}, fmt.Errorf("reading a step: %w", err)
	}
	switch {
	case s.Version != stepVersion:
		return Step{}, fmt.Errorf("reading a step: version %d is not %d: redrive it to the rolewarden that sent it", s.Version, stepVersion)
	case s.Attempt < 1 || s.Attempt > len(waits):
		return Step{}, fmt.Errorf("reading a step: attempt %d is none of 1 to %d", s.Attempt, len(waits))
	case s.Change.EventID == "" || s.Change.Account == "" || s.Account != s.Change.Account || (s.RoleName == "" && s.Step != Queued):
		return Step{}, errors.New("reading a step: it does not say which event and role it goes on with")
	}
	return s, nil
}

// Body gives the JSON form of a Step.
func (s Step) Body() ([]byte, error) { return json.Marshal(s) }

// Delay gives how long to wait from now; never less than zero.
func (s Step) Delay(now time.Time) time.Duration { return max(0, s.NotBefore.Sub(now)) }

// HandleStep takes one message of the later queue. Only the guard itself may
// send to that queue, and nothing else is taken for a step: an event that was
// made to look like one would choose its own actor and time.
func (g *Guard) HandleStep(ctx context.Context, body []byte) (Result, error) {
	s, err := parseStep(body)
	if err != nil {
		return Result{}, err
	}
	key := ledger.Key{Account: s.Change.Account, EventID: s.Change.EventID}
	if d := s.Delay(g.cfg.Now()); d > 0 {
		// The queue delays at most 900 s, and may deliver early: send it on.
		return g.postpone(ctx, Result{Key: key, Change: s.Change, Reason: "not due yet"}, s)
	}
	switch s.Step {
	case Settle, Sighted:
		return g.change(ctx, job{change: s.Change, key: key, attempt: s.Attempt, sweep: s.Sweep, voice: s.Voice})
	case Queued:
		// No look at the turns here: an event waits once.
		return g.change(ctx, job{change: s.Change, key: key})
	case Promote:
		return g.promote(ctx, s, key)
	case Confirm:
		return g.confirm(ctx, s)
	default:
		return Result{}, fmt.Errorf("handling step %q of event %s: unknown step; it was sent by another version of rolewarden, redrive it after deploying that one", s.Step, key.EventID)
	}
}

// postpone sends a step to the later queue and leaves the event in flight.
func (g *Guard) postpone(ctx context.Context, res Result, s Step) (Result, error) {
	s.Version = stepVersion
	s.Change.Document = compact(s.Change.Document)
	if err := g.cfg.Later.Send(ctx, s); err != nil {
		return res, fmt.Errorf("sending step %s of event %s to the later queue: %w", s.Step, res.Key.EventID, err)
	}
	res.Steps = append(res.Steps, s)
	return res, nil
}

// settleStep is the next look at the role of a job; ok is false when there has
// been enough of them.
func (g *Guard) settleStep(j job) (s Step, ok bool) {
	if j.attempt >= len(waits) {
		return Step{}, false
	}
	return Step{
		Account: j.change.Account, RoleName: j.change.RoleName, RoleID: j.change.RoleID,
		Step: Settle, NotBefore: g.cfg.Now().Add(waits[j.attempt]), Attempt: j.attempt + 1,
		Change: j.change, Sweep: j.sweep, Voice: j.voice,
	}, true
}

// compact prints a document without white space; a text that is no policy is
// dropped, since nothing can be compared with it.
func compact(text string) string {
	d, err := policy.Parse([]byte(text))
	if err != nil {
		return ""
	}
	return string(d.Print())
}
