package remediate_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/remediate"
	"github.com/rolewarden/rolewarden/pkg/role"
)

const (
	denyAll = "arn:aws:iam::aws:policy/AWSDenyAll"
	// oldBoundary is what the role had before, otherBoundary what somebody else sets.
	oldBoundary   = "arn:aws:iam::111122223333:policy/developers"
	otherBoundary = "arn:aws:iam::111122223333:policy/mallory"
)

// bounds is IAM for one role's boundary: a fake whose writes go by a list of steps.
type bounds struct {
	*fake
	puts    []step
	nPuts   int
	written []string
	// lag is the number of reads that still show the boundary of before a write.
	lag   int
	shown string
}

func (b *bounds) Role(ctx context.Context, r role.Ref) (role.Role, error) {
	out, err := b.fake.Role(ctx, r)
	if err == nil && b.lag > 0 && len(b.written) > 0 {
		b.lag--
		out.Boundary = b.shown
	}
	return out, err
}

func (b *bounds) PutBoundary(_ context.Context, _ role.Ref, policyARN string) error {
	s := take(b.puts, b.nPuts, b.always)
	b.nPuts++
	if s.before != nil {
		s.before(b.fake)
	}
	if s.err == nil || s.effect {
		b.shown, b.role.Boundary = b.role.Boundary, policyARN
		b.written = append(b.written, policyARN)
	}
	if s.after != nil {
		s.after(b.fake)
	}
	return s.err
}

// contained is a role that was reverted a moment ago.
func contained() *bounds {
	f := newFake()
	f.role.TrustPolicy, f.role.Boundary = goodPolicy, oldBoundary
	return &bounds{fake: f}
}

func containing() remediate.Task {
	t := revert()
	t.Role.Boundary = oldBoundary
	return t
}

func (b *bounds) contain(t *testing.T, task remediate.Task) (remediate.Contained, error) {
	t.Helper()
	out, err := b.remediator(t).Contain(t.Context(), b, task)
	var waited time.Duration
	for _, d := range b.waits {
		waited += d
	}
	if waited > remediate.MaxPatience {
		t.Errorf("waited %s, more than %s", waited, remediate.MaxPatience)
	}
	return out, err
}

// boundaryCell is one cell of the fault matrix of PutRolePermissionsBoundary.
type boundaryCell struct {
	name  string
	setup func(*bounds)
	err   error
	// want is the outcome where there is no error; its Problem is a part.
	want          remediate.Contained
	puts, written int
	// stands is the boundary in the end; "same" means the old one.
	stands string
}

func boundaryCells() []boundaryCell {
	const same = "same"
	done := remediate.Contained{Before: oldBoundary, After: denyAll, Done: true, Verified: true}
	nothing := func(problem string) remediate.Contained {
		return remediate.Contained{Before: oldBoundary, After: oldBoundary, Problem: problem}
	}
	half := func(after, problem string) remediate.Contained {
		return remediate.Contained{Before: oldBoundary, After: after, Done: true, Problem: problem}
	}
	unread := func(b *bounds, err error) { b.reads = append([]step{{}}, manyFaults(err)...) }
	return []boundaryCell{
		{name: "T69 all well", want: done, puts: 1, written: 1, stands: denyAll},
		{name: "the trust policy is still the one that was judged", setup: func(b *bounds) { b.role.TrustPolicy = badPolicy }, want: done, puts: 1, written: 1, stands: denyAll},
		{name: "a crash after the effect: the next try finds it done", setup: func(b *bounds) { b.role.Boundary = denyAll }, want: done, stands: denyAll},

		{name: "read: access denied", setup: func(b *bounds) { b.reads = manyFaults(role.ErrAccessDenied) }, err: role.ErrAccessDenied, stands: same},
		{name: "read: throttled", setup: func(b *bounds) { b.reads = manyFaults(role.ErrThrottled) }, err: role.ErrThrottled, stands: same},
		{name: "read: gone", setup: func(b *bounds) { b.reads = manyFaults(role.ErrNotFound) }, err: role.ErrNotFound, stands: same},
		{name: "T53 deleted and made again under the same name", setup: func(b *bounds) { b.role.ID = "AROAANOTHER" }, err: remediate.ErrStale, stands: same},
		{name: "T64 somebody has mended the trust policy", setup: func(b *bounds) { b.role.TrustPolicy = foreign }, err: remediate.ErrStale, stands: same},
		{name: "T64 somebody has set another boundary, which must not be lost", setup: func(b *bounds) { b.role.Boundary = otherBoundary }, err: remediate.ErrStale, stands: otherBoundary},
		{name: "T64 somebody has taken the boundary off", setup: func(b *bounds) { b.role.Boundary = "" }, err: remediate.ErrStale, stands: ""},

		{name: "put: throttled", setup: func(b *bounds) { b.always.err = role.ErrThrottled }, err: role.ErrThrottled, puts: 1, stands: same},
		{name: "put: access denied", setup: func(b *bounds) { b.always.err = role.ErrAccessDenied }, err: role.ErrAccessDenied, puts: 1, stands: same},
		{name: "put: an error nobody knows", setup: func(b *bounds) { b.always.err = errors.ErrUnsupported }, err: errors.ErrUnsupported, puts: 1, stands: same},
		{name: "put: unmodifiable ends in an alert", setup: func(b *bounds) { b.always.err = role.ErrUnmodifiable }, want: nothing("cannot be modified"), puts: 1, stands: same},
		{name: "put: over a quota ends in an alert", setup: func(b *bounds) { b.always.err = role.ErrLimit }, want: nothing("limit exceeded"), puts: 1, stands: same},
		{name: "put: malformed ends in an alert", setup: func(b *bounds) { b.always.err = role.ErrMalformed }, want: nothing("malformed"), puts: 1, stands: same},
		{name: "put: AWS has no such policy", setup: func(b *bounds) { b.always.err = role.ErrNotFound }, want: nothing("not set, and the role exists"), puts: 1, stands: same},
		{name: "put: the role is gone", setup: func(b *bounds) {
			b.always.err = role.ErrNotFound
			unread(b, role.ErrNotFound)
		}, err: role.ErrNotFound, puts: 1, stands: same},
		{name: "put: timeout after effect", setup: func(b *bounds) { b.puts = []step{{err: role.ErrUncertain, effect: true}} }, want: done, puts: 1, written: 1, stands: denyAll},
		{name: "put: timeout before effect is tried again by the queue", setup: func(b *bounds) { b.puts = []step{{err: role.ErrUncertain}} }, err: role.ErrUncertain, puts: 1, stands: same},
		{name: "put: timeout, then nothing can be read", setup: func(b *bounds) {
			b.puts = []step{{err: role.ErrUncertain, effect: true}}
			unread(b, role.ErrThrottled)
		}, err: role.ErrUncertain, puts: 1, written: 1, stands: denyAll},

		{name: "T63 reads that lag behind the write", setup: func(b *bounds) { b.lag = 3 }, want: done, puts: 1, written: 1, stands: denyAll},
		{name: "T63 reads that lag for longer than there is patience", setup: func(b *bounds) { b.lag = 99 }, want: half(denyAll, "still showed "+oldBoundary), puts: 1, written: 1, stands: denyAll},
		{name: "reads fail after the write, then recover", setup: func(b *bounds) { b.reads = []step{{}, {err: role.ErrThrottled}} }, want: done, puts: 1, written: 1, stands: denyAll},
		{name: "reads fail after the write for good", setup: func(b *bounds) { unread(b, role.ErrAccessDenied) }, want: half(denyAll, "could not be read back"), puts: 1, written: 1, stands: denyAll},
		{name: "T53 made again after the write", setup: func(b *bounds) {
			b.puts = []step{{after: func(f *fake) { f.role.ID = "AROAANOTHER" }}}
		}, want: half(denyAll, "deleted and made again"), puts: 1, written: 1, stands: denyAll},
		{name: "T64 a lost update", setup: func(b *bounds) {
			b.puts = []step{{after: func(f *fake) { f.role.Boundary = otherBoundary }}}
		}, want: half(otherBoundary, "LOST UPDATE"), puts: 1, written: 1, stands: otherBoundary},
		{name: "T64 a lost update after a write without answer", setup: func(b *bounds) {
			b.puts = []step{{err: role.ErrUncertain, effect: true, after: func(f *fake) { f.role.Boundary = otherBoundary }}}
		}, want: remediate.Contained{Before: oldBoundary, After: otherBoundary, Problem: "LOST UPDATE"}, puts: 1, written: 1, stands: otherBoundary},
	}
}

// The fault matrix of PutRolePermissionsBoundary: the old boundary is in every
// outcome, nothing but AWSDenyAll is ever asked for, and nothing is asked for
// twice.
func TestContainFaultMatrix(t *testing.T) {
	for _, c := range boundaryCells() {
		t.Run(c.name, func(t *testing.T) {
			b := contained()
			if c.setup != nil {
				c.setup(b)
			}
			out, err := b.contain(t, containing())
			if !errors.Is(err, c.err) {
				t.Fatalf("Contain: error %v, want %v", err, c.err)
			}
			if err != nil && !strings.Contains(err.Error(), "containing role 111122223333/app: ") {
				t.Errorf("the error does not name the role: %v", err)
			}
			if c.err == nil {
				if !strings.Contains(out.Problem, c.want.Problem) || c.want.Problem == "" && out.Problem != "" {
					t.Errorf("Problem = %q, want %q", out.Problem, c.want.Problem)
				}
				c.want.Problem = out.Problem
				if d := cmp.Diff(c.want, out); d != "" {
					t.Errorf("the outcome (-want +got):\n%s", d)
				}
			}
			if out.Before != oldBoundary {
				t.Errorf("Before = %q, want the old boundary", out.Before)
			}
			if b.nPuts != c.puts || len(b.written) != c.written {
				t.Errorf("%d boundaries sent, %d taken; want %d, %d", b.nPuts, len(b.written), c.puts, c.written)
			}
			if c.stands == "same" {
				c.stands = oldBoundary
			}
			if b.role.Boundary != c.stands {
				t.Errorf("the role ends with %q, want %q", b.role.Boundary, c.stands)
			}
			for _, w := range b.written {
				if w != denyAll {
					t.Errorf("%s was set", w)
				}
			}
			if b.nUpdates+b.nTags > 0 {
				t.Error("something else was written")
			}
		})
	}
}

// The same twice, as after a crash before the record, is one write, and the
// boundary to put back is still the old one.
func TestContainTwiceWritesOnce(t *testing.T) {
	for _, old := range []string{"", oldBoundary} {
		b, task := contained(), containing()
		b.role.Boundary, task.Role.Boundary = old, old
		first, err := b.contain(t, task)
		if err != nil {
			t.Fatal(err)
		}
		second, err := b.contain(t, task)
		if err != nil {
			t.Fatal(err)
		}
		if len(b.written) != 1 || first.Before != old {
			t.Errorf("%d writes, %q before", len(b.written), first.Before)
		}
		if d := cmp.Diff(first, second); d != "" {
			t.Errorf("outcomes differ (-first +second):\n%s", d)
		}
	}
}

// A role that was shut in before rolewarden came is left as it is.
func TestARoleWithTheBoundaryIsNotWritten(t *testing.T) {
	b, task := contained(), containing()
	b.role.Boundary, task.Role.Boundary = denyAll, denyAll
	out, err := b.contain(t, task)
	if err != nil || b.nPuts != 0 || !out.Verified || out.Before != denyAll {
		t.Errorf("%+v, %v, %d writes", out, err, b.nPuts)
	}
}

// A quarantine contains too, in either of its forms.
func TestAQuarantineContains(t *testing.T) {
	for _, form := range []string{remediate.Quarantine("d1"), remediate.QuarantineFallback("111122223333", "d1")} {
		b, task := contained(), quarantine()
		task.Role.Boundary = oldBoundary
		b.role.TrustPolicy = form
		if out, err := b.contain(t, task); err != nil || !out.Verified {
			t.Errorf("%+v, %v", out, err)
		}
	}
}

// The policy is AWS's own in the role's partition.
func TestTheBoundaryIsOfTheRolesPartition(t *testing.T) {
	for partition, want := range map[string]string{
		"": denyAll, "aws": denyAll, "aws-cn": "arn:aws-cn:iam::aws:policy/AWSDenyAll", "aws-us-gov": "arn:aws-us-gov:iam::aws:policy/AWSDenyAll",
	} {
		b, task := contained(), containing()
		b.role.Partition, task.Role.Partition = partition, partition
		if out, err := b.contain(t, task); err != nil || out.After != want || b.role.Boundary != want {
			t.Errorf("%q: %+v, %v", partition, out, err)
		}
	}
}

// Roles that are never written get no boundary either, and nothing is even read (T70).
func TestContainNeverWritesProtectedRoles(t *testing.T) {
	for path, name := range map[string]string{
		"/breakglass/": "app", "/rolewarden/": "rolewarden-reader", "/rolewarden-canary/": "rolewarden-canary-target",
		"/aws-reserved/sso.amazonaws.com/": "AWSReservedSSO_Admin_0123456789abcdef", "/aws-service-role/support.amazonaws.com/": "AWSServiceRoleForSupport",
		"/": "OrganizationAccountAccessRole", "/service-role/": "AWSControlTowerStackSetRole",
	} {
		b, task := contained(), containing()
		task.Role.Path, task.Role.Name, task.Role.ARN = path, name, "arn:aws:iam::111122223333:role"+path+name
		out, err := b.contain(t, task)
		if err != nil || out.Done || b.nReads+b.nPuts != 0 || !strings.Contains(out.Problem, "never written") {
			t.Errorf("%s%s: %+v, %v, %d calls", path, name, out, err, b.nReads+b.nPuts)
		}
	}
}

// Only a decision that replaces the trust policy contains, and a task that
// contradicts itself is refused before anything is read.
func TestContainRefusesTasks(t *testing.T) {
	for name, shape := range map[string]func(*remediate.Task){
		"a decision to tag":             func(t *remediate.Task) { t.Decision.Action, t.Document = decision.Tag, "" },
		"a decision to tell":            func(t *remediate.Task) { t.Decision.Action = decision.Tell },
		"a decision to hold":            func(t *remediate.Task) { t.Decision.Action = decision.Hold },
		"a decision to clear":           func(t *remediate.Task) { t.Decision.Action, t.Document = decision.Clear, "" },
		"no decision":                   func(t *remediate.Task) { t.Decision = decision.Decision{} },
		"an action that does not exist": func(t *remediate.Task) { t.Decision.Action = 99 },
		"no RoleId":                     func(t *remediate.Task) { t.Role.ID = "" },
		"no document":                   func(t *remediate.Task) { t.Document = "" },
		"a quarantine that lets in":     func(t *remediate.Task) { t.Decision.Action = decision.Quarantine },
	} {
		b, task := contained(), containing()
		shape(&task)
		out, err := b.contain(t, task)
		if !errors.Is(err, remediate.ErrTask) || out.Done || b.nReads+b.nPuts != 0 {
			t.Errorf("%s: %+v, %v, %d calls", name, out, err, b.nReads+b.nPuts)
		}
	}
}

// A context that ends while waiting ends the waiting, with an error.
func TestContainEndsWithItsContext(t *testing.T) {
	b := contained()
	b.lag, b.ended = 99, context.Canceled
	if _, err := b.contain(t, containing()); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
	b = contained()
	b.ended = context.Canceled
	b.puts = []step{{err: fmt.Errorf("no answer: %w", role.ErrUncertain)}}
	if _, err := b.contain(t, containing()); !errors.Is(err, context.Canceled) || !errors.Is(err, role.ErrUncertain) {
		t.Errorf("error %v, want that the outcome is not known", err)
	}
}
