package remediate_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/remediate"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// cell is one cell of the fault matrix: what IAM does, and what must come of it.
type cell struct {
	name  string
	task  func() remediate.Task
	setup func(*fake)
	// err is what the error must wrap; nil means none.
	err error
	// done, verified and problem are the outcome's.
	done     decision.Action
	verified bool
	problem  string
	// updates is how often a document was sent, written how often one took effect.
	updates, written int
	// stands is the policy that the role has in the end; empty means as judged.
	stands string
}

// manyFaults gives the same fault for every call that a test could make.
func manyFaults(err error) []step {
	var steps []step
	for range 20 {
		steps = append(steps, step{err: err})
	}
	return steps
}

func cells() []cell {
	invalid := fmt.Errorf("MalformedPolicyDocument: %w", role.ErrInvalidPrincipal)
	q, fallback := remediate.Quarantine("d1"), remediate.QuarantineFallback("111122223333", "d1")
	otherRole := func(f *fake) { f.role.ID = "AROAANOTHER" }
	foreignWrite := func(f *fake) { f.role.TrustPolicy = foreign }
	return []cell{
		{name: "all well", task: revert, done: decision.Revert, verified: true, updates: 1, written: 1, stands: goodPolicy},
		{name: "quarantine, all well", task: quarantine, done: decision.Quarantine, verified: true, updates: 1, written: 1, stands: q},

		// GetRole
		{name: "read: access denied", task: revert, setup: func(f *fake) { f.reads = manyFaults(role.ErrAccessDenied) }, err: role.ErrAccessDenied},
		{name: "read: throttled", task: revert, setup: func(f *fake) { f.reads = manyFaults(role.ErrThrottled) }, err: role.ErrThrottled},
		{name: "read: gone", task: revert, setup: func(f *fake) { f.reads = manyFaults(role.ErrNotFound) }, err: role.ErrNotFound},
		{name: "T53 read: deleted and made again under the same name", task: revert, setup: otherRole, err: remediate.ErrStale},
		{name: "T64 a foreign write between judging and writing", task: revert, setup: foreignWrite, err: remediate.ErrStale, stands: foreign},
		{name: "a policy that cannot be read any more", task: revert, setup: func(f *fake) { f.role.TrustPolicy = `{"Statement":` }, err: remediate.ErrStale, stands: `{"Statement":`},
		{name: "it shows what is to be written, and nobody here wrote it", task: revert, setup: func(f *fake) { f.role.TrustPolicy = reordered }, err: remediate.ErrStale, stands: reordered},

		// UpdateAssumeRolePolicy
		{name: "update: timeout after effect is reverted once", task: revert, setup: func(f *fake) { f.updates = []step{{err: role.ErrUncertain, effect: true}} }, done: decision.Revert, verified: true, updates: 1, written: 1, stands: goodPolicy},
		{name: "update: timeout before effect is tried again by the queue", task: revert, setup: func(f *fake) { f.updates = []step{{err: role.ErrUncertain}} }, err: role.ErrUncertain, updates: 1},
		{name: "update: timeout, then nothing can be read", task: revert, setup: func(f *fake) {
			f.updates = []step{{err: role.ErrUncertain, effect: true}}
			f.reads = append([]step{{}}, manyFaults(role.ErrThrottled)...)
		}, err: role.ErrUncertain, updates: 1, written: 1, stands: goodPolicy},
		{name: "update: throttled", task: revert, setup: func(f *fake) { f.always.err = role.ErrThrottled }, err: role.ErrThrottled, updates: 1},
		{name: "update: access denied", task: revert, setup: func(f *fake) { f.always.err = role.ErrAccessDenied }, err: role.ErrAccessDenied, updates: 1},
		{name: "update: gone", task: revert, setup: func(f *fake) { f.always.err = role.ErrNotFound }, err: role.ErrNotFound, updates: 1},
		{name: "update: an error nobody knows", task: revert, setup: func(f *fake) { f.always.err = errors.ErrUnsupported }, err: errors.ErrUnsupported, updates: 1},
		{name: "update: unmodifiable ends in an alert", task: revert, setup: func(f *fake) { f.always.err = role.ErrUnmodifiable }, problem: "cannot be modified", updates: 1},
		{name: "T46 update: over the quota ends in an alert", task: revert, setup: func(f *fake) { f.always.err = role.ErrLimit }, problem: "limit exceeded", updates: 1},
		{name: "update: malformed ends in an alert", task: revert, setup: func(f *fake) { f.always.err = role.ErrMalformed }, problem: "malformed", updates: 1},
		{name: "quarantine: a lone Deny is refused, the other form is not", task: quarantine, setup: func(f *fake) { f.updates = []step{{err: role.ErrMalformed}} }, done: decision.Quarantine, verified: true, updates: 2, written: 1, stands: fallback},
		{name: "quarantine: both forms are refused", task: quarantine, setup: func(f *fake) { f.always.err = role.ErrMalformed }, problem: "malformed", updates: 2},
		{name: "quarantine: the other form stands from an earlier try", task: quarantine, setup: func(f *fake) { f.role.TrustPolicy = fallback }, err: remediate.ErrStale, stands: fallback},
		{name: "T49 revert to a baseline of which nobody is left, refused in its first form", task: func() remediate.Task {
			t := revert()
			t.Document = remediate.Quarantine("")
			return t
		}, setup: func(f *fake) { f.updates = []step{{err: role.ErrMalformed}} }, done: decision.Revert, verified: true, updates: 2, written: 1, stands: fallback},
		{name: "T67 update: a principal that was just made exists at the second try", task: revert, setup: func(f *fake) { f.updates = []step{{err: invalid}} }, done: decision.Revert, verified: true, updates: 2, written: 1, stands: goodPolicy},
		{name: "T67 update: a principal that does not exist goes to the later queue", task: revert, setup: func(f *fake) { f.always.err = invalid }, err: role.ErrInvalidPrincipal, updates: 6},
		{name: "T64 a foreign write while waiting for a principal", task: revert, setup: func(f *fake) {
			f.updates = []step{{err: invalid, after: foreignWrite}}
		}, err: remediate.ErrStale, updates: 1, stands: foreign},

		// reading until it shows
		{name: "T63 reads that lag behind the write", task: revert, setup: func(f *fake) { f.lag = 3 }, done: decision.Revert, verified: true, updates: 1, written: 1, stands: goodPolicy},
		{name: "T63 reads that lag for longer than there is patience", task: revert, setup: func(f *fake) { f.lag = 99 }, done: decision.Revert, problem: "still showed the old one", updates: 1, written: 1, stands: goodPolicy},
		{name: "reads fail after the write, then recover", task: revert, setup: func(f *fake) { f.reads = []step{{}, {err: role.ErrThrottled}} }, done: decision.Revert, verified: true, updates: 1, written: 1, stands: goodPolicy},
		{name: "reads fail after the write for good", task: revert, setup: func(f *fake) { f.reads = append([]step{{}}, manyFaults(role.ErrAccessDenied)...) }, done: decision.Revert, problem: "could not be read back", updates: 1, written: 1, stands: goodPolicy},
		{name: "T64 lost update after the write", task: revert, setup: func(f *fake) { f.updates = []step{{after: foreignWrite}} }, done: decision.Revert, problem: "LOST UPDATE", updates: 1, written: 1, stands: foreign},
		{name: "T64 lost update after a write without answer", task: revert, setup: func(f *fake) { f.updates = []step{{err: role.ErrUncertain, effect: true, after: foreignWrite}} }, problem: "LOST UPDATE", updates: 1, written: 1, stands: foreign},
		{name: "T53 the role is made again after the write", task: revert, setup: func(f *fake) { f.updates = []step{{after: otherRole}} }, done: decision.Revert, problem: "LOST UPDATE: the role is not what was judged any more: its id was", updates: 1, written: 1, stands: goodPolicy},

		// TagRole after a revert: what was done to the policy stays done
		{name: "T58 revert: no room for a tag", task: revert, setup: func(f *fake) { f.tags = manyFaults(role.ErrLimit) }, done: decision.Revert, verified: true, problem: "tags were not changed", updates: 1, written: 1, stands: goodPolicy},
		{name: "revert: tags throttled", task: revert, setup: func(f *fake) { f.tags = manyFaults(role.ErrThrottled) }, done: decision.Revert, verified: true, problem: "tags were not changed", updates: 1, written: 1, stands: goodPolicy},
		{name: "revert: tags in conflict once", task: revert, setup: func(f *fake) { f.tags = []step{{err: role.ErrConflict}} }, done: decision.Revert, verified: true, updates: 1, written: 1, stands: goodPolicy},

		// TagRole alone
		{name: "tag, all well", task: tag, done: decision.Tag, verified: true},
		{name: "tag: conflict, again and well", task: tag, setup: func(f *fake) { f.tags = []step{{err: role.ErrConflict}, {err: role.ErrConflict}} }, done: decision.Tag, verified: true},
		{name: "tag: conflict without end", task: tag, setup: func(f *fake) { f.tags = manyFaults(role.ErrConflict) }, err: role.ErrConflict},
		{name: "tag: timeout after effect", task: tag, setup: func(f *fake) { f.tags = []step{{err: role.ErrUncertain, effect: true}} }, done: decision.Tag, verified: true},
		{name: "T58 tag: 50 tags used up", task: tag, setup: func(f *fake) { f.tags = manyFaults(role.ErrLimit) }, problem: "limit exceeded"},
		{name: "tag: unmodifiable", task: tag, setup: func(f *fake) { f.tags = manyFaults(role.ErrUnmodifiable) }, problem: "cannot be modified"},
		{name: "tag: throttled", task: tag, setup: func(f *fake) { f.tags = manyFaults(role.ErrThrottled) }, err: role.ErrThrottled},
		{name: "tag: access denied", task: tag, setup: func(f *fake) { f.tags = manyFaults(role.ErrAccessDenied) }, err: role.ErrAccessDenied},
		{name: "tag: the policy changed meanwhile", task: tag, setup: foreignWrite, err: remediate.ErrStale, stands: foreign},
		{name: "tag: the role is another one", task: tag, setup: otherRole, err: remediate.ErrStale},
		{name: "tag: cannot be read back", task: tag, setup: func(f *fake) { f.reads = append([]step{{}}, manyFaults(role.ErrThrottled)...) }, done: decision.Tag, problem: "could not be read back"},
		{name: "clear without tags", task: untag, done: decision.Clear, verified: true},
	}
}

// The fault matrix of GetRole, UpdateAssumeRolePolicy and TagRole: each cell
// ends in one of revert once, nothing written, or an alert that says why.
func TestFaultMatrix(t *testing.T) {
	for _, c := range cells() {
		t.Run(c.name, func(t *testing.T) {
			f := newFake()
			if c.setup != nil {
				c.setup(f)
			}
			out, err := f.apply(t, c.task())
			if !errors.Is(err, c.err) {
				t.Fatalf("Apply: error %v, want %v", err, c.err)
			}
			if err != nil && !strings.Contains(err.Error(), "acting on role 111122223333/app: ") {
				t.Errorf("the error does not name the role: %v", err)
			}
			if c.err == nil && (out.Done != c.done || out.Verified != c.verified) {
				t.Errorf("Outcome %s, verified %t; want %s, %t", out.Done, out.Verified, c.done, c.verified)
			}
			if !strings.Contains(out.Problem, c.problem) || c.problem == "" && out.Problem != "" {
				t.Errorf("Problem = %q, want %q", out.Problem, c.problem)
			}
			if f.nUpdates != c.updates || len(f.written) != c.written {
				t.Errorf("%d documents sent, %d taken; want %d, %d", f.nUpdates, len(f.written), c.updates, c.written)
			}
			stands := c.stands
			if stands == "" {
				stands = badPolicy
			}
			if f.role.TrustPolicy != stands {
				t.Errorf("the role ends as %s\nwant %s", f.role.TrustPolicy, stands)
			}
			if out.Before != badPolicy {
				t.Errorf("Before = %s, want the policy as judged", out.Before)
			}
			if c.err == nil && len(f.written) == 0 && c.done == decision.Ignore && out.After != out.Before {
				t.Errorf("nothing was written and After differs from Before: %s", out.After)
			}
		})
	}
}

// A lost update is told with what was judged, what was written and what stands
// there, so that a person can find all three.
func TestLostUpdateNamesTheDigests(t *testing.T) { // T64
	f := newFake()
	f.updates = []step{{after: func(f *fake) { f.role.TrustPolicy = foreign }}}
	out, err := f.apply(t, revert())
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(out.Problem, "sha256:"); n != 3 {
		t.Errorf("%d digests in %q", n, out.Problem)
	}
	if out.After != foreign {
		t.Errorf("After = %s, want what stands there", out.After)
	}
	if f.nTags != 0 {
		t.Error("a role that nobody judged was tagged")
	}
}

// The same task twice, as after a crash between the write and its record, is one
// write. The second time the role is not what was judged: that it shows what was
// to be written is no proof that it was written, since readings lag (T63).
func TestApplyTwiceWritesOnce(t *testing.T) {
	f := newFake()
	if _, err := f.apply(t, revert()); err != nil {
		t.Fatal(err)
	}
	out, err := f.apply(t, revert())
	if !errors.Is(err, remediate.ErrStale) || out.Done != decision.Ignore || out.Verified {
		t.Errorf("the second time: %+v, %v", out, err)
	}
	if len(f.written) != 1 || f.nTags != 1 {
		t.Errorf("%d policies and %d tags written", len(f.written), f.nTags)
	}
}

// Decisions that write nothing call nothing.
func TestApplyOfNothingCallsNothing(t *testing.T) {
	for _, a := range []decision.Action{decision.Ignore, decision.Tell, decision.Hold} {
		f := newFake()
		task := revert()
		task.Decision.Action = a
		out, err := f.apply(t, task)
		if err != nil || out.Done != decision.Ignore || f.nReads+f.nUpdates+f.nTags != 0 {
			t.Errorf("%s: %+v, %v, %d calls", a, out, err, f.nReads+f.nUpdates+f.nTags)
		}
	}
}

// Roles that are never written are not written, whoever asks (T70).
func TestApplyNeverWritesProtectedRoles(t *testing.T) {
	f := newFake()
	task := revert()
	task.Role.Path, task.Role.ARN = "/breakglass/", "arn:aws:iam::111122223333:role/breakglass/app"
	out, err := f.apply(t, task)
	if err != nil || f.nReads+f.nUpdates+f.nTags != 0 || !strings.Contains(out.Problem, "break-glass") {
		t.Errorf("%+v, %v", out, err)
	}
}

// Tasks that contradict themselves are refused before anything is read, and
// with an error by which one can tell that trying again is in vain.
func TestApplyRefusesTasks(t *testing.T) {
	rows := []struct {
		name  string
		shape func(*remediate.Task)
		want  string
	}{
		{"no document", func(t *remediate.Task) { t.Document = "" }, "reading the document"},
		{"a document that is none", func(t *remediate.Task) { t.Document = `{"statement":[]}` }, "reading the document"},
		{"the document that stands", func(t *remediate.Task) { t.Document = t.Role.TrustPolicy }, "replaced by itself"},
		{"a document for a tag", func(t *remediate.Task) { t.Decision.Action = decision.Tag }, "leave it empty"},
		{"a quarantine that lets in", func(t *remediate.Task) { t.Decision.Action = decision.Quarantine }, "no quarantine"},
		{"no RoleId", func(t *remediate.Task) { t.Role.ID = "" }, "RoleId"},
		{"an action that does not exist", func(t *remediate.Task) { t.Decision.Action = 99 }, ""},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			f := newFake()
			task := revert()
			row.shape(&task)
			out, err := f.apply(t, task)
			if !errors.Is(err, remediate.ErrTask) || !strings.Contains(err.Error(), row.want) {
				t.Errorf("error %v, want an ErrTask that says %q", err, row.want)
			}
			if f.nReads+f.nUpdates+f.nTags != 0 || out.Done != decision.Ignore {
				t.Errorf("something was done: %+v", out)
			}
		})
	}
}

// A context that ends while waiting ends the waiting, with an error.
func TestApplyEndsWithItsContext(t *testing.T) {
	f := newFake()
	f.lag, f.ended = 99, context.Canceled
	if _, err := f.apply(t, revert()); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
	if len(f.waits) != 1 {
		t.Errorf("waited %d times", len(f.waits))
	}
}

// Calls that take long use up the patience like waiting does.
func TestPatienceCountsSlowCalls(t *testing.T) {
	f := newFake()
	f.lag = 99
	f.reads = []step{{}, {before: func(f *fake) { f.clock = f.clock.Add(time.Minute) }}}
	out, err := f.apply(t, revert())
	if err != nil || out.Verified || len(f.waits) != 0 {
		t.Errorf("%+v, %v, %d waits", out, err, len(f.waits))
	}
}

// Patience is bounded: nobody sleeps in a Lambda.
func TestNewRefuses(t *testing.T) {
	now, wait := time.Now, func(context.Context, time.Duration) error { return nil }
	for _, c := range []remediate.Config{
		{}, {Now: now}, {Wait: wait}, {Now: now, Wait: wait, Patience: time.Minute}, {Now: now, Wait: wait, Patience: -1},
	} {
		if _, err := remediate.New(c); err == nil {
			t.Errorf("New took patience %s", c.Patience)
		}
	}
}
