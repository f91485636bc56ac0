package invariant

import (
	"context"
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
// records what took effect and not what the handling was made to believe.
type Recorder struct {
	History *History
	Now     func() time.Time
	// Run is the number of the handling that is at work; 0 for none.
	Run func() int
}

func (r Recorder) add(f Fact) { r.History.Add(r.Now(), r.Run(), f) }

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
	got, err := r.in.Role(ctx, ref)
	if err == nil {
		r.add(Read{Role: got})
	}
	return got, err
}

func (r reading) PrincipalID(ctx context.Context, arn string) (string, error) {
	id, err := r.in.PrincipalID(ctx, arn)
	if err == nil {
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
	got, err := s.IAM.Role(ctx, ref)
	if err == nil {
		s.recorder.add(Read{Role: got})
	}
	return got, err
}

// wrote records a call that was taken, or that left something behind though it failed.
func (s session) wrote(ref role.Ref, call Call, document string, do func() error) error {
	before := s.truth(ref)
	err := do()
	if err == nil || call == UpdateTrust && s.truth(ref).TrustPolicy != before.TrustPolicy {
		s.recorder.add(Wrote{Role: before, Call: call, Document: document})
	}
	return err
}

func (s session) UpdateTrust(ctx context.Context, ref role.Ref, document string) error {
	return s.wrote(ref, UpdateTrust, document, func() error { return s.IAM.UpdateTrust(ctx, ref, document) })
}

func (s session) Tag(ctx context.Context, ref role.Ref, tags map[string]string) error {
	return s.wrote(ref, TagRole, "", func() error { return s.IAM.Tag(ctx, ref, tags) })
}

func (s session) Untag(ctx context.Context, ref role.Ref, keys []string) error {
	return s.wrote(ref, UntagRole, "", func() error { return s.IAM.Untag(ctx, ref, keys) })
}

// Ledger records takings, intents, spendings, ends, baselines and the kill switch.
func (r Recorder) Ledger(in ledger.Ledger) ledger.Ledger { return book{Ledger: in, recorder: r} }

type book struct {
	ledger.Ledger
	recorder Recorder
}

func (b book) Take(ctx context.Context, k ledger.Key, at time.Time) (ledger.Taken, error) {
	t, err := b.Ledger.Take(ctx, k, at)
	if err == nil {
		b.recorder.add(Took{Key: k})
	}
	return t, err
}

func (b book) Intend(ctx context.Context, i ledger.Intent) error {
	err := b.Ledger.Intend(ctx, i)
	if err == nil {
		b.recorder.add(Intended{Intent: i})
	}
	return err
}

func (b book) Conclude(ctx context.Context, c ledger.Conclusion) error {
	err := b.Ledger.Conclude(ctx, c)
	if err == nil && b.recorder.History.first(c.Event) {
		b.recorder.add(Concluded{Conclusion: c})
	}
	return err
}

func (b book) Delivered(ctx context.Context, l ledger.Letter) error {
	err := b.Ledger.Delivered(ctx, l)
	if err == nil {
		b.recorder.add(Delivered{Letter: l.ID})
	}
	return err
}

func (b book) Spend(ctx context.Context, token string, at time.Time, counters []ledger.Counter) error {
	err := b.Ledger.Spend(ctx, token, at, counters)
	answer := Yes
	if err != nil {
		answer = No
	}
	b.recorder.add(Spent{Token: token, Counters: counters, Answer: answer})
	return err
}

func (b book) AddBaseline(ctx context.Context, l role.Baseline) error {
	err := b.Ledger.AddBaseline(ctx, l)
	if err == nil {
		b.recorder.add(Baselined{Baseline: l})
	}
	return err
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

func (t telling) Notify(ctx context.Context, a alert.Alert) (notify.Retry, error) {
	retry, err := t.Channel.Notify(ctx, a)
	if err == nil {
		t.recorder.add(Told{Channel: t.Name(), Alert: a, Answer: Yes})
	}
	return retry, err
}
