package invariant

import (
	"context"
	"errors"
	"time"

	"github.com/rolewarden/rolewarden/pkg/alert"
	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/notify"
	"github.com/rolewarden/rolewarden/pkg/remediate"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// Recorder records what goes through the interfaces of a handling. Put it next
// to the real thing, with whatever fails on purpose around it, so that it
// records what took effect and not what the handling was made to believe. Where
// what fails is below it, give it Effects.
type Recorder struct {
	History *History
	Now     func() time.Time
	// Run is the number of the handling that is at work; 0 for none.
	Run func() int
	// Effects sees what calls do, whatever their callers are told of it. Nil: a call
	// took effect once if it gave no error.
	Effects Effects
}

// Effects gives a context under which every effect of a call is told to took,
// when it happens and with what the caller will learn of it.
type Effects func(ctx context.Context, took func(Answer)) context.Context

func (r Recorder) add(f Fact) { r.History.Add(r.Now(), r.Run(), f) }

// does makes a call and records its effects.
func (r Recorder) does(ctx context.Context, fact func(Answer) Fact, call func(context.Context) error) error {
	if r.Effects != nil {
		return call(r.Effects(ctx, func(a Answer) { r.add(fact(a)) }))
	}
	err := call(ctx)
	if err == nil {
		r.add(fact(Yes))
	}
	return err
}

// always is a fact that does not depend on what the caller learns.
func always(f Fact) func(Answer) Fact { return func(Answer) Fact { return f } }

// Reader is what reads roles and principals.
type Reader interface {
	Role(ctx context.Context, r role.Ref) (role.Role, error)
	PrincipalID(ctx context.Context, arn string) (string, error)
}

// Reader records readings.
func (r Recorder) Reader(in Reader) Reader { return reading{r, in} }

type reading struct {
	Recorder
	in Reader
}

func (r reading) Role(ctx context.Context, ref role.Ref) (role.Role, error) {
	return r.shown(r.in.Role(ctx, ref))
}

func (r reading) PrincipalID(ctx context.Context, arn string) (string, error) {
	id, err := r.in.PrincipalID(ctx, arn)
	if err == nil || errors.Is(err, role.ErrNotFound) {
		r.add(Looked{ARN: arn, ID: id})
	}
	return id, err
}

// Session records the readings and the writes of a writing session. truth gives
// a role as it really is, however much readings lag: what differs after a call
// took effect.
func (r Recorder) Session(in remediate.IAM, truth func(role.Ref) role.Role) remediate.IAM {
	return session{IAM: in, recorder: r, truth: truth}
}

type session struct {
	remediate.IAM
	recorder Recorder
	truth    func(role.Ref) role.Role
}

func (s session) Role(ctx context.Context, ref role.Ref) (role.Role, error) {
	return s.recorder.shown(s.IAM.Role(ctx, ref))
}

// shown records a reading.
func (r Recorder) shown(got role.Role, err error) (role.Role, error) {
	if err == nil {
		r.add(Read{Role: got})
	}
	return got, err
}

// writes makes a call that changes a role, as it truly was before, and records
// what came of it: without Effects also what it left behind though it failed.
func (r Recorder) writes(ctx context.Context, w Wrote, truth func(role.Ref) role.Role, call func(context.Context) error) error {
	ref := w.Role.Ref()
	w.Role = truth(ref)
	recorded := 0
	err := r.does(ctx, func(Answer) Fact {
		recorded++
		now := w
		if w.Call == UpdateTrust {
			// Sent again, it finds what it wrote.
			w.Role.TrustPolicy = w.Document
		}
		w.Resent = true
		return now
	}, call)
	if r.Effects == nil && recorded == 0 && w.Call == UpdateTrust && truth(ref).TrustPolicy != w.Role.TrustPolicy {
		r.add(w)
	}
	return err
}

func (s session) UpdateTrust(ctx context.Context, ref role.Ref, document string) error {
	return s.recorder.writes(ctx, wrote(ref, UpdateTrust, document), s.truth, func(ctx context.Context) error { return s.IAM.UpdateTrust(ctx, ref, document) })
}

func (s session) Tag(ctx context.Context, ref role.Ref, tags map[string]string) error {
	return s.recorder.writes(ctx, wrote(ref, TagRole, ""), s.truth, func(ctx context.Context) error { return s.IAM.Tag(ctx, ref, tags) })
}

func (s session) Untag(ctx context.Context, ref role.Ref, keys []string) error {
	return s.recorder.writes(ctx, wrote(ref, UntagRole, ""), s.truth, func(ctx context.Context) error { return s.IAM.Untag(ctx, ref, keys) })
}

func wrote(ref role.Ref, call Call, document string) Wrote {
	return Wrote{Role: role.Role{Account: ref.Account, Name: ref.Name}, Call: call, Document: document}
}

// Boundaries records the readings and the writes of a containing session.
func (r Recorder) Boundaries(in remediate.Boundaries, truth func(role.Ref) role.Role) remediate.Boundaries {
	return containment{in: in, recorder: r, truth: truth}
}

type containment struct {
	in       remediate.Boundaries
	recorder Recorder
	truth    func(role.Ref) role.Role
}

func (c containment) Role(ctx context.Context, ref role.Ref) (role.Role, error) {
	return c.recorder.shown(c.in.Role(ctx, ref))
}

func (c containment) PutBoundary(ctx context.Context, ref role.Ref, policyARN string) error {
	return c.recorder.writes(ctx, wrote(ref, Bound, ""), c.truth, func(ctx context.Context) error { return c.in.PutBoundary(ctx, ref, policyARN) })
}

// Ledger records takings, intents, spendings, ends, baselines and the kill switch.
func (r Recorder) Ledger(in ledger.Ledger) ledger.Ledger { return book{Ledger: in, recorder: r} }

type book struct {
	ledger.Ledger
	recorder Recorder
}

func (b book) Take(ctx context.Context, k ledger.Key, at time.Time) (t ledger.Taken, err error) {
	err = b.recorder.does(ctx, always(Took{Key: k}), func(ctx context.Context) error {
		t, err = b.Ledger.Take(ctx, k, at)
		return err
	})
	return t, err
}

func (b book) Intend(ctx context.Context, i ledger.Intent) error {
	return b.recorder.does(ctx, always(Intended{Intent: i}), func(ctx context.Context) error { return b.Ledger.Intend(ctx, i) })
}

// Conclude records an end. A ledger takes a second conclusion without a word and
// without effect; where effects are seen, what it does take is recorded.
func (b book) Conclude(ctx context.Context, c ledger.Conclusion) error {
	if b.recorder.Effects != nil {
		return b.recorder.does(ctx, always(Concluded{Conclusion: c}), func(ctx context.Context) error { return b.Ledger.Conclude(ctx, c) })
	}
	err := b.Ledger.Conclude(ctx, c)
	if err == nil && b.recorder.History.first(c.Event) {
		b.recorder.add(Concluded{Conclusion: c})
	}
	return err
}

// Delivered records it also of a letter that waits no more: who knows that takes
// it for told.
func (b book) Delivered(ctx context.Context, l ledger.Letter) error {
	recorded := false
	fact := func(Answer) Fact {
		recorded = true
		return Delivered{Letter: l.ID}
	}
	err := b.recorder.does(ctx, fact, func(ctx context.Context) error { return b.Ledger.Delivered(ctx, l) })
	switch {
	case err == nil && !recorded:
		b.recorder.add(fact(Yes))
	case err != nil && !recorded:
		b.recorder.add(Unrecorded{})
	}
	return err
}

// Spend records what the limits answered: a token that was counted before is let
// through without effect, and a breaker that trips is an effect without a spending.
func (b book) Spend(ctx context.Context, token string, at time.Time, counters []ledger.Counter) error {
	counted := false
	if b.recorder.Effects != nil {
		ctx = b.recorder.Effects(ctx, func(Answer) { counted = true })
	}
	err := b.Ledger.Spend(ctx, token, at, counters)
	answer := No
	var full *ledger.LimitError
	var tripped *ledger.TrippedError
	switch {
	case err == nil:
		answer = Yes
	case counted && !errors.As(err, &full) && !errors.As(err, &tripped):
		answer = NoAnswer
	}
	b.recorder.add(Spent{Token: token, Counters: counters, Answer: answer})
	return err
}

func (b book) AddBaseline(ctx context.Context, l role.Baseline) error {
	return b.recorder.does(ctx, always(Baselined{Baseline: l}), func(ctx context.Context) error { return b.Ledger.AddBaseline(ctx, l) })
}

func (b book) Switch(ctx context.Context) (decision.Switch, error) {
	s, err := b.Ledger.Switch(ctx)
	if err == nil {
		b.recorder.add(Weighed{Switch: s})
	}
	return s, err
}

func (b book) GiveWord(ctx context.Context, w ledger.Word) error {
	err := b.Ledger.GiveWord(ctx, w)
	if err == nil {
		b.recorder.History.Add(b.recorder.Now(), 0, Gave{Word: w})
	}
	return err
}

func (b book) SetSwitch(ctx context.Context, s decision.Switch, by, reason string, at time.Time) error {
	err := b.Ledger.SetSwitch(ctx, s, by, reason, at)
	if err == nil {
		b.recorder.History.Add(b.recorder.Now(), 0, Turned{Switch: s})
	}
	return err
}

// Channel records what is told.
func (r Recorder) Channel(in notify.Channel) notify.Channel { return telling{Channel: in, recorder: r} }

type telling struct {
	notify.Channel
	recorder Recorder
}

func (t telling) Notify(ctx context.Context, a alert.Alert) (retry notify.Retry, err error) {
	err = t.recorder.does(ctx, func(known Answer) Fact { return Told{Channel: t.Name(), Alert: a, Answer: known} }, func(ctx context.Context) error {
		retry, err = t.Channel.Notify(ctx, a)
		return err
	})
	return retry, err
}
