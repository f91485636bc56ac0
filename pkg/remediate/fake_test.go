package remediate_test

import (
	"context"
	"maps"
	"testing"
	"time"

	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/remediate"
	"github.com/rolewarden/rolewarden/pkg/role"
)

const (
	goodPolicy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:role/deploy"},"Action":"sts:AssumeRole"}]}`
	badPolicy  = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}]}`
	// foreign is what somebody else writes.
	foreign = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
	// reordered is goodPolicy as IAM might spell it.
	reordered = `{"Version":"2012-10-17","Statement":[{"Action":["sts:AssumeRole"],"Effect":"Allow","Principal":{"AWS":["arn:aws:iam::111122223333:role/deploy"]}}]}`
)

// step says how one call goes. The zero value goes well.
type step struct {
	err error
	// effect says that the call takes effect although it answers err.
	effect bool
	// before runs ahead of the call: somebody else acts.
	before func(*fake)
	// after runs behind the call's effect.
	after func(*fake)
}

// fake is IAM for one role, kept by hand: it counts calls, shows old policies
// for a while if told to, and fails where a test says so.
type fake struct {
	role    role.Role
	clock   time.Time
	reads   []step
	updates []step
	tags    []step
	// always holds for all updates beyond those listed.
	always step
	// lag is the number of reads that still show the policy of before a write.
	lag   int
	shown string
	// written are the documents that took effect, in order.
	written          []string
	nReads, nUpdates int
	nTags            int
	waits            []time.Duration
	ended            error
}

func newFake() *fake {
	f := &fake{role: judged(), clock: time.Date(2026, 8, 11, 12, 0, 0, 0, time.UTC)}
	f.shown = f.role.TrustPolicy
	return f
}

func judged() role.Role {
	return role.Role{
		Partition: "aws", Account: "111122223333", Name: "app", Path: "/",
		ARN: "arn:aws:iam::111122223333:role/app", ID: "AROAEXAMPLEAPP", TrustPolicy: badPolicy,
		Tags: map[string]string{"team": "blue"},
	}
}

func take(steps []step, n int, otherwise step) step {
	if n < len(steps) {
		return steps[n]
	}
	return otherwise
}

func (f *fake) Role(_ context.Context, r role.Ref) (role.Role, error) {
	s := take(f.reads, f.nReads, step{})
	f.nReads++
	if s.before != nil {
		s.before(f)
	}
	if s.err != nil {
		return role.Role{}, s.err
	}
	out := f.role
	out.Tags = maps.Clone(f.role.Tags)
	if f.lag > 0 && len(f.written) > 0 {
		f.lag--
		out.TrustPolicy = f.shown
	}
	return out, nil
}

func (f *fake) UpdateTrust(_ context.Context, _ role.Ref, document string) error {
	s := take(f.updates, f.nUpdates, f.always)
	f.nUpdates++
	if s.before != nil {
		s.before(f)
	}
	if s.err == nil || s.effect {
		f.shown, f.role.TrustPolicy = f.role.TrustPolicy, document
		f.written = append(f.written, document)
	}
	if s.after != nil {
		s.after(f)
	}
	return s.err
}

func (f *fake) Tag(_ context.Context, _ role.Ref, tags map[string]string) error {
	s := take(f.tags, f.nTags, step{})
	f.nTags++
	if s.err == nil || s.effect {
		maps.Copy(f.role.Tags, tags)
	}
	return s.err
}

func (f *fake) Untag(_ context.Context, _ role.Ref, keys []string) error {
	s := take(f.tags, f.nTags, step{})
	f.nTags++
	if s.err == nil || s.effect {
		for _, k := range keys {
			delete(f.role.Tags, k)
		}
	}
	return s.err
}

func (f *fake) remediator(t *testing.T) *remediate.Remediator {
	t.Helper()
	r, err := remediate.New(remediate.Config{
		Now: func() time.Time { return f.clock },
		Wait: func(_ context.Context, d time.Duration) error {
			f.waits = append(f.waits, d)
			f.clock = f.clock.Add(d)
			return f.ended
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (f *fake) apply(t *testing.T, task remediate.Task) (decision.Outcome, error) {
	t.Helper()
	out, err := f.remediator(t).Apply(t.Context(), f, task)
	var waited time.Duration
	for _, d := range f.waits {
		waited += d
	}
	if waited > remediate.MaxPatience {
		t.Errorf("waited %s, more than %s", waited, remediate.MaxPatience)
	}
	return out, err
}

func revert() remediate.Task {
	d := decision.Decision{ID: "d1", Action: decision.Revert, Rules: []string{"public-principal"}, At: time.Date(2026, 8, 11, 12, 0, 0, 0, time.UTC)}
	return remediate.Task{Decision: d, Role: judged(), Document: goodPolicy, Tags: remediate.Tags(d)}
}

func quarantine() remediate.Task {
	t := revert()
	t.Decision.Action = decision.Quarantine
	t.Document, t.Tags = remediate.Quarantine("d1"), remediate.Tags(t.Decision)
	return t
}

func tag() remediate.Task {
	t := revert()
	t.Decision.Action = decision.Tag
	t.Document, t.Tags = "", remediate.Tags(t.Decision)
	return t
}

func untag() remediate.Task {
	t := revert()
	t.Decision.Action = decision.Clear
	t.Document, t.Tags, t.Untag = "", nil, remediate.TagKeys()
	return t
}
