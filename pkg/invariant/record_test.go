package invariant_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rolewarden/rolewarden/pkg/alert"
	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/invariant"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/notify"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// other side: one role, whose writes can be taken although they fail.
type far struct {
	live role.Role
	err  error
}

func (f *far) Role(context.Context, role.Ref) (role.Role, error) { return f.live, nil }

func (f *far) PrincipalID(context.Context, string) (string, error) { return "AIDAALICE", nil }

func (f *far) UpdateTrust(_ context.Context, _ role.Ref, document string) error {
	f.live.TrustPolicy = document
	return f.err
}

func (f *far) Tag(context.Context, role.Ref, map[string]string) error { return f.err }

func (f *far) Untag(context.Context, role.Ref, []string) error { return f.err }

func (f *far) Name() string { return topic }

func (f *far) Notify(context.Context, alert.Alert) (notify.Retry, error) {
	return notify.Retry{}, f.err
}

// What takes effect is recorded, also where its caller is told that it failed;
// what does not take effect is not.
func TestARecorderRecordsWhatTakesEffect(t *testing.T) {
	f := &far{live: role.Role{Account: "111122223333", Name: "app", ID: "AROAAPP", TrustPolicy: bad}}
	h := &invariant.History{}
	r := invariant.Recorder{History: h, Now: func() time.Time { return start }, Run: func() int { return 7 }}
	ref, ctx := f.live.Ref(), t.Context()
	read, iam := r.Reader(f), r.Session(f, func(role.Ref) role.Role { return f.live })
	book, tell := r.Ledger(ledger.NewMemory()), r.Channel(f)
	limit := []ledger.Counter{{Name: "role", Window: time.Hour, Limit: 1}}
	end := ledger.Conclusion{Event: event, End: ledger.Told, At: start}

	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	_, err := read.Role(ctx, ref)
	must(err)
	_, err = read.PrincipalID(ctx, alice)
	must(err)
	_, err = book.Take(ctx, event, start)
	must(err)
	must(book.Intend(ctx, ledger.Intent{Event: event, Role: ref, RoleID: "AROAAPP", Decision: decision.Decision{ID: "d1"}}))
	must(book.Spend(ctx, "one", start, limit))
	if err := book.Spend(ctx, "two", start, limit); err == nil {
		t.Fatal("the limit does not hold")
	}
	f.err = role.ErrUncertain
	if err := iam.UpdateTrust(ctx, ref, good); err == nil {
		t.Fatal("the write did not fail")
	}
	if err := iam.Tag(ctx, ref, nil); err == nil {
		t.Fatal("the tagging did not fail")
	}
	if _, err := tell.Notify(ctx, alert.Alert{}); err == nil {
		t.Fatal("the telling did not fail")
	}
	f.err = nil
	_, err = iam.Role(ctx, ref)
	must(err)
	must(iam.Tag(ctx, ref, nil))
	must(iam.Untag(ctx, ref, nil))
	_, err = tell.Notify(ctx, alert.Alert{ID: "a1"})
	must(err)
	must(book.AddBaseline(ctx, role.Baseline{Account: "111122223333", RoleID: "AROAAPP", Digest: "sha256:1"}))
	must(book.SetSwitch(ctx, decision.WritesStopped, "oncall", "a drill", start))
	must(book.Conclude(ctx, end))
	must(book.Conclude(ctx, end))
	must(book.Delivered(ctx, ledger.Letter{ID: "a1", Event: event}))

	var got []string
	for _, e := range h.Entries {
		got = append(got, strings.TrimPrefix(fmt.Sprintf("%T", e.Fact), "invariant."))
	}
	const want = "Read Looked Took Intended Spent Spent Wrote Read Wrote Wrote Told Baselined Turned Concluded Delivered"
	if strings.Join(got, " ") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, " "), want)
	}
	if w := h.Entries[6].Fact.(invariant.Wrote); w.Role.TrustPolicy != bad || w.Document != good {
		t.Errorf("the write is recorded as %+v", w)
	}
	if a, b := h.Entries[4].Fact.(invariant.Spent), h.Entries[5].Fact.(invariant.Spent); a.Answer != invariant.Yes || b.Answer != invariant.No {
		t.Errorf("the limits answered %s and %s", a.Answer, b.Answer)
	}
}
