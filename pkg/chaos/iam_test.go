package chaos

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// The simulated IAM binds an ARN to whoever owns it when a policy is saved: it
// shows the id once that owner is gone, goes on to do so when somebody takes the
// name, and shows a new name of the same owner (IAM User Guide,
// reference_policies_elements_principal).
func TestIAMBindsToWhomeverANameMeant(t *testing.T) {
	a, at, app := newIAM(), epoch, role.Ref{Account: prod, Name: "app"}
	id := a.user(alice)
	if _, err := a.create(at, app, "/", goodDocuments()[0], nil); err != nil {
		t.Fatal(err)
	}
	shows := func() string { r, _ := a.is(app); return r.TrustPolicy }
	if !a.rename(alice, alice+"-b") || !strings.Contains(shows(), alice+`-b"`) {
		t.Errorf("renamed: %s", shows())
	}
	a.rename(alice+"-b", alice)
	a.forget(alice)
	again := a.user(alice)
	if got := shows(); !strings.Contains(got, `"`+id+`"`) || strings.Contains(got, again) || strings.Contains(got, alice+`"`) {
		t.Errorf("deleted and made again: %s", got)
	}
	if err := a.update(at, app, shows()); !errors.Is(err, role.ErrInvalidPrincipal) {
		t.Errorf("saving the id of somebody who is gone: %v", err)
	}
	a.forget(alice)
	if err := a.update(at, app, goodDocuments()[0]); !errors.Is(err, role.ErrInvalidPrincipal) {
		t.Errorf("naming nobody: %v", err)
	}
}

// Readings show what was, as long as they may lag, and names ignore case.
func TestIAMShowsWhatWas(t *testing.T) {
	a, app := newIAM(), role.Ref{Account: prod, Name: "app"}
	a.user(alice)
	made, err := a.create(epoch, app, "/", goodDocuments()[0], nil)
	if err != nil {
		t.Fatal(err)
	}
	later := epoch.Add(time.Minute)
	if err := a.update(later, app, goodDocuments()[5]); err != nil {
		t.Fatal(err)
	}
	upper := role.Ref{Account: prod, Name: "APP"}
	if r, ok := a.shows(upper, later.Add(-time.Second), 0); !ok || r.TrustPolicy != goodDocuments()[0] {
		t.Errorf("a second before: %t %s", ok, r.TrustPolicy)
	}
	if r, ok := a.shows(upper, later, 1); !ok || r.TrustPolicy != goodDocuments()[0] || a.older(app, later, time.Minute) != 1 || a.older(app, later.Add(time.Hour), time.Minute) != 0 {
		t.Errorf("a version before: %t %s", ok, r.TrustPolicy)
	}
	if _, ok := a.shows(app, epoch.Add(-time.Second), 0); ok {
		t.Error("a role that was not made yet is shown")
	}
	a.remove(later, app)
	if _, ok := a.is(app); ok {
		t.Error("a role that is gone is there")
	}
	if anew, err := a.create(later, upper, "/", goodDocuments()[5], nil); err != nil || anew.ID == made.ID {
		t.Errorf("made again: %v, %s", err, anew.ID)
	}
	b := a.copied()
	if err := b.update(later, app, goodDocuments()[7]); err != nil {
		t.Fatal(err)
	}
	if r, _ := a.is(app); r.TrustPolicy != goodDocuments()[5] {
		t.Error("a copy's write shows in what it was copied from")
	}
}

// Equal memories have equal digests however they came about, and others have not.
func TestDigestsTellMemoriesApart(t *testing.T) {
	d := newDigests()
	lease := func(m *ledger.Memory, name string) {
		if err := m.Lease(ctx, role.Ref{Account: prod, Name: name}, "holder of "+name, epoch, epoch.Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
	}
	one, other := ledger.NewMemory(), ledger.NewMemory()
	lease(one, "app")
	lease(one, "web")
	lease(other, "web")
	if d.of(one) == d.of(other) {
		t.Error("a lease more does not count")
	}
	lease(other, "app")
	if d.of(one) != d.of(other) {
		t.Error("the order counts")
	}
	if _, err := one.Take(ctx, ledger.Key{Account: prod, EventID: "ev"}, epoch); err != nil || d.of(one) == d.of(other) {
		t.Errorf("an event more does not count, %v", err)
	}
}
