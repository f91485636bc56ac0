package chaos

import (
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/rolewarden/rolewarden/pkg/alert"
	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/guard"
	"github.com/rolewarden/rolewarden/pkg/invariant"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/org"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// site is all that handlings can reach: the clock, IAM, the ledger, Organizations,
// the alert channel and the later queue. It holds the truth, and tells the
// history each fact as it becomes true.
type site struct {
	now     time.Time
	iam     *iam
	ledger  ledger.Ledger
	members map[string]org.Membership
	// ended are the events that have ended.
	ended map[ledger.Key]bool
	// sent are steps that were sent to the later queue, and emitted events that
	// IAM told of, until somebody takes them.
	sent    []guard.Step
	errands []errand
	emitted []emission
	// record tells the history a fact of a handling, or of the world (0).
	record func(run int, f invariant.Fact)
	// name gives the event of a change its id.
	name func(by string) string
}

// emission is a change that CloudTrail tells of.
type emission struct {
	id, event string
	ref       role.Ref
	document  string
	// made is the role that CreateRole made.
	made role.Role
	// user, renamed: of DeleteUser and UpdateUser.
	user, renamed string
	// source is the source identity of the actor's session.
	actor, source string
	at            time.Time
}

// call is one call that a handling makes.
type call struct {
	kind kind
	name string
	// account is where it goes, for faults of one account.
	account string
	// ref is the role that a reading is about.
	ref role.Ref
	// pause is how long a Wait is.
	pause time.Duration
	// do does it.
	do func(s *site, h hand) reply
}

// hand is how a call is done.
type hand struct {
	// run is the handling that makes it.
	run int
	// stale is the time as of which a reading shows things; zero for now. Back is
	// the same in versions.
	stale time.Time
	back  int
	// odd: a living principal is shown by its unique id, as IAM was seen to do (T47).
	odd bool
	// answer says whether the caller will learn of it.
	answer invariant.Answer
}

// kind says to whom a call goes.
type kind uint8

const (
	waits kind = iota
	readsRole
	readsPrincipal
	opens
	writes
	tells
	remembers // reads the ledger
	notes     // writes the ledger
	asks      // Organizations
	verifies  // a seal
	sends     // to the later queue
	kinds
)

func (k kind) String() string {
	return [...]string{"wait", "read", "look", "open", "write", "tell", "recall", "note", "ask", "verify", "send", "kind?"}[min(k, kinds)]
}

type reply struct {
	value any
	err   error
}

// errDown is what a broken part answers.
var errDown = errors.New("the other side does not answer")

func done(err error) reply { return reply{err: err} }

func value[T any](v T, err error) reply { return reply{value: v, err: err} }

// readRole answers GetRole.
func (s *site) readRole(h hand, r role.Ref) (role.Role, error) {
	at := s.now
	if !h.stale.IsZero() {
		at = h.stale
	}
	got, ok := s.iam.shows(r, at, h.back)
	if !ok {
		return role.Role{}, fmt.Errorf("reading role %s: %w", r, role.ErrNotFound)
	}
	got.ReadAt = s.now
	if h.odd {
		got.TrustPolicy = s.iam.disguised(got.TrustPolicy)
	}
	s.record(h.run, invariant.Read{Role: got})
	return got, nil
}

// principal answers whom an ARN stands for.
func (s *site) principal(run int, arn string) (string, error) {
	id, ok := s.iam.people[arn]
	s.record(run, invariant.Looked{ARN: arn, ID: id})
	if !ok {
		return "", fmt.Errorf("reading %s: %w", arn, role.ErrNotFound)
	}
	return id, nil
}

// writer is a session in which rolewarden writes.
func writer(account, decision string) string {
	return "arn:aws:sts::" + account + ":assumed-role/" + deployment.RemediatorRole + "/rw-" + decision
}

// update is anybody's UpdateAssumeRolePolicy; by rolewarden where decision is not empty.
func (s *site) update(run int, by, decision string, r role.Ref, document string) error {
	before, ok := s.iam.is(r)
	if err := s.iam.update(s.now, r, document); err != nil {
		return fmt.Errorf("writing role %s: %w", r, err)
	}
	e := emission{id: s.name(by), event: "UpdateAssumeRolePolicy", ref: r, document: document, actor: by, at: s.now}
	if decision != "" {
		e.source = "rolewarden-" + decision
	}
	if ok {
		s.record(run, invariant.Wrote{Role: before, Call: invariant.UpdateTrust, Document: document, By: by, Event: e.id})
	}
	s.emitted = append(s.emitted, e)
	return nil
}

func (s *site) tag(run int, r role.Ref, set map[string]string) error {
	before, _ := s.iam.is(r)
	if err := s.iam.retag(s.now, r, set, nil); err != nil {
		return fmt.Errorf("tagging role %s: %w", r, err)
	}
	s.record(run, invariant.Wrote{Role: before, Call: invariant.TagRole})
	return nil
}

func (s *site) untag(run int, r role.Ref, keys []string) error {
	before, _ := s.iam.is(r)
	if err := s.iam.retag(s.now, r, nil, keys); err != nil {
		return fmt.Errorf("untagging role %s: %w", r, err)
	}
	s.record(run, invariant.Wrote{Role: before, Call: invariant.UntagRole})
	return nil
}

func (s *site) bound(run int, r role.Ref, policyARN string) error {
	before, _ := s.iam.is(r)
	if err := s.iam.bound(s.now, r, policyARN); err != nil {
		return fmt.Errorf("bounding role %s: %w", r, err)
	}
	s.record(run, invariant.Wrote{Role: before, Call: invariant.Bound})
	return nil
}

func (s *site) confirm(account string) org.Membership {
	if m, ok := s.members[account]; ok {
		return m
	}
	return org.NotMember
}

func (s *site) take(run int, k ledger.Key, at time.Time) (ledger.Taken, error) {
	t, err := s.ledger.Take(ctx, k, at)
	if err == nil {
		s.record(run, invariant.Took{Key: k})
	}
	return t, err
}

func (s *site) intend(run int, i ledger.Intent) error {
	err := s.ledger.Intend(ctx, i)
	if err == nil {
		s.record(run, invariant.Intended{Intent: i})
	}
	return err
}

func (s *site) conclude(run int, c ledger.Conclusion) error {
	err := s.ledger.Conclude(ctx, c)
	if err == nil && !s.ended[c.Event] {
		s.ended = with(s.ended, c.Event, true)
		s.record(run, invariant.Concluded{Conclusion: c})
	}
	return err
}

func (s *site) delivered(run int, l ledger.Letter) error {
	err := s.ledger.Delivered(ctx, l)
	if err == nil {
		s.record(run, invariant.Delivered{Letter: l.ID})
	}
	return err
}

func (s *site) spend(run int, token string, at time.Time, counters []ledger.Counter) error {
	err := s.ledger.Spend(ctx, token, at, counters)
	answer := invariant.Yes
	if err != nil {
		answer = invariant.No
	}
	s.record(run, invariant.Spent{Token: token, Counters: counters, Answer: answer})
	return err
}

func (s *site) addBaseline(run int, b role.Baseline) error {
	err := s.ledger.AddBaseline(ctx, b)
	if err == nil {
		s.record(run, invariant.Baselined{Baseline: b})
	}
	return err
}

func (s *site) give(w ledger.Word) error {
	err := s.ledger.GiveWord(ctx, w)
	if err == nil {
		s.record(0, invariant.Gave{Word: w})
	}
	return err
}

// turn turns the kill switch.
func (s *site) turn(to decision.Switch, by, reason string, at time.Time) error {
	err := s.ledger.SetSwitch(ctx, to, by, reason, at)
	if err == nil {
		s.record(0, invariant.Turned{Switch: to})
	}
	return err
}

// reset takes a breaker back.
func (s *site) reset(scope, by, reason string, at time.Time) error {
	err := s.ledger.Reset(ctx, scope, by, reason, at)
	if err == nil {
		s.record(0, invariant.Reset{Scope: scope})
	}
	return err
}

// notify tells an alert; answer says whether its sender will know.
func (s *site) notify(run int, a alert.Alert, answer invariant.Answer) {
	s.record(run, invariant.Told{Channel: channel, Alert: a, Answer: answer})
}

// channel is the name of the alert channel.
const channel = "topic"

// with is a map with one more entry; others may hold the old one.
func with[K comparable, V any](m map[K]V, k K, v V) map[K]V {
	out := maps.Clone(m)
	if out == nil {
		out = map[K]V{}
	}
	out[k] = v
	return out
}
