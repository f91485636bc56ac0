package matrix

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/rolewarden/rolewarden/pkg/awsapi/actions"
	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/lab"
)

// inject lets the lab make calls go wrong until all is well again.
func (w *world) inject(f lab.Fault) { w.cures = append(w.cures, w.lab.Inject(f)) }

// calls counts rolewarden's calls of an action, whatever came of them.
func (w *world) calls(action string) int {
	n := 0
	for _, c := range w.lab.Calls() {
		if c.Action == action && strings.Contains(c.CallerARN, ":assumed-role/"+"rolewarden-") {
			n++
		}
	}
	return n
}

// wroteTo counts what rolewarden changed of a role, by the call.
func (w *world) wroteTo(action string) int {
	n := 0
	for _, c := range w.changes() {
		if c.Action == action {
			n++
		}
	}
	return n
}

// alarmed says whether an alarm's word is in the log.
func (w *world) alarmed(word string) bool {
	return strings.Contains(w.log.String(), `"alarm":"`+word+`"`)
}

// twice gives the alerts that were told more than once.
func (w *world) twice() (out []string) {
	seen := map[string]bool{}
	for _, p := range w.told {
		key := p.id + p.alert.Decision.ID + p.alert.Fingerprint
		if seen[key] {
			out = append(out, p.id)
		}
		seen[key] = true
	}
	return out
}

var (
	readRole = Call{actions.Guard, "iam:GetRole", actions.Reader}
	write    = Call{actions.Guard, "iam:UpdateAssumeRolePolicy", actions.Writer}
	publish  = Call{actions.Guard, "sns:Publish", actions.Own}
)

// named is one cell that matters most.
type named struct {
	name, story string
	cell        Cell
	// hurts makes more go wrong than the cell.
	hurts func(w *world)
	// during and after are how the event stands before and after AWS is well again.
	during, after string
	// saw gives what is not as it must be.
	saw func(w *world) string
}

func expect(ok bool, format string, a ...any) string {
	if ok {
		return ""
	}
	return fmt.Sprintf(format, a...)
}

func theNamed() []named {
	return []named{
		{
			name: "GetRole AccessDenied ends in an alert on coverage, never in Compliant", story: "revert",
			cell: Cell{Call: readRole, Fault: AccessDenied, When: Always}, during: "Told", after: "Told",
			saw: func(w *world) string { return expect(w.alarmed("read-denied"), "no alarm on coverage") },
		},
		{
			name: "GetRole NoSuchEntity ends in Superseded, after a second reading", story: "revert",
			cell: Cell{Call: readRole, Fault: NotFound, When: Always}, during: "Superseded, untold", after: "Superseded",
			saw: func(w *world) string { return expect(w.calls("GetRole") >= 2, "one reading is not enough") },
		},
		{
			name: "GetRole stale and good, the event newer and bad: read again, then the true verdict", story: "revert",
			cell: Cell{Call: readRole, Fault: StaleRead, When: Once}, during: "Reverted", after: "Reverted",
		},
		{
			name: "GetRole stale and good for as long as it is looked at: never Compliant, and told", story: "revert",
			cell: Cell{Call: readRole, Fault: StaleRead, When: Always}, during: "Told", after: "Told",
		},
		{
			name: "Update times out after its effect: read, seen equal, Reverted once", story: "revert",
			cell: Cell{Call: write, Fault: TimeoutAfter, When: Once}, during: "Reverted", after: "Reverted",
			saw: func(w *world) string {
				return expect(w.calls("UpdateAssumeRolePolicy") == 1, "%d writes", w.calls("UpdateAssumeRolePolicy"))
			},
		},
		{
			name: "Update refuses a principal that IAM does not show: tried for a while, then without it, which lets in nobody", story: "new user",
			during: "Reverted", after: "Reverted",
		},
		{
			name: "Update UnmodifiableEntity: told, and not tried again", story: "revert",
			hurts:  func(w *world) { w.inject(lab.Fault{Action: "UpdateAssumeRolePolicy", Kind: lab.UnmodifiableEntity}) },
			during: "Held", after: "Held",
			saw: func(w *world) string {
				return expect(w.calls("UpdateAssumeRolePolicy") == 1, "%d tries", w.calls("UpdateAssumeRolePolicy"))
			},
		},
		{
			name: "Update LimitExceeded: told, and not tried again", story: "revert",
			hurts:  func(w *world) { w.inject(lab.Fault{Action: "UpdateAssumeRolePolicy", Kind: lab.LimitExceeded}) },
			during: "Held", after: "Held",
			saw: func(w *world) string {
				return expect(w.calls("UpdateAssumeRolePolicy") == 1, "%d tries", w.calls("UpdateAssumeRolePolicy"))
			},
		},
		{
			name: "TagRole ConcurrentModification: tried again", story: "tag",
			hurts:  func(w *world) { w.inject(lab.Fault{Action: "TagRole", Kind: lab.ConcurrentModification, Times: 3}) },
			during: "Tagged", after: "Tagged",
		},
		{
			name: "TagRole LimitExceeded: told", story: "tag",
			hurts:  func(w *world) { w.inject(lab.Fault{Action: "TagRole", Kind: lab.LimitExceeded}) },
			during: "Held", after: "Held",
		},
		{
			name: "Crash after Update and before the ledger: Reverted, by one write", story: "revert",
			cell: Cell{Call: write, Fault: CrashAfter, When: Once}, during: "Reverted", after: "Reverted",
			saw: func(w *world) string {
				return expect(w.calls("UpdateAssumeRolePolicy") == 1, "%d writes", w.calls("UpdateAssumeRolePolicy"))
			},
		},
		{
			name: "Crash after telling and before its record: one duplicate under the same id", story: "revert",
			cell: Cell{Call: publish, Fault: CrashAfter, When: Once}, during: "Reverted", after: "Reverted",
			saw: func(w *world) string { return expect(len(w.twice()) == 1, "told twice: %q", w.twice()) },
		},
		{
			name: "DynamoDB is down: nothing is written, and the message comes again", story: "revert",
			hurts:  func(w *world) { w.inject(lab.Fault{Service: "dynamodb", Kind: lab.ServerError}) },
			during: "DLQ", after: "Reverted",
		},
		{
			name: "KMS VerifyMac fails: no revert, and people are told", story: "revert",
			hurts:  func(w *world) { w.inject(lab.Fault{Service: "kms", Kind: lab.ServerError}) },
			during: "Held", after: "Held",
			saw: func(w *world) string {
				return expect(w.wroteTo("UpdateAssumeRolePolicy") == 0, "a write without a seal")
			},
		},
		{
			name: "STS AccessDenied in one account: an alarm on it, and the others are not affected", story: "two accounts",
			hurts: func(w *world) { w.update(trial, deployment.ReaderRole, closed) }, during: "Told", after: "Told",
			saw: func(w *world) string {
				return expect(w.alarmed("read-denied") && stands(prod, "app", closed)(w) == "" && w.hasTold(arn(prod, "app")), "the other account is affected, or nobody is told")
			},
		},
	}
}

// The cells that matter most end as they must, each by its name.
func TestTheCellsThatMatterMost(t *testing.T) {
	by := map[string]story{"two accounts": {
		name: "two accounts", tells: trial, setup: func(w *world) {
			past(prod, "app")(w)
			w.put(trial, "app", onlyEC2)
		},
		acts: func(w *world) { w.update(trial, "app", opened); w.update(prod, "app", opened) },
		good: stands(prod, "app", closed),
	}}
	for _, s := range stories() {
		by[s.name] = s
	}
	fresh := by["revert"]
	fresh.setup = func(w *world) {
		w.lab.SetPropagation(100 * time.Hour)
		w.lose(func() {
			_, err := w.admins[prod].DeleteUser(context.Background(), &iam.DeleteUserInput{UserName: ptr("alice")})
			w.must(err)
			_, err = w.admins[prod].CreateUser(context.Background(), &iam.CreateUserInput{UserName: ptr("alice")})
			w.must(err)
			w.lives("alice")
		})
		past(prod, "app")(w)
	}
	fresh.past, fresh.good = false, quarantined(prod, "app")
	by["new user"] = fresh
	for _, n := range theNamed() {
		t.Run(n.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w, s := newWorld(t), by[n.story]
				acts := s.acts
				s.acts = func(w *world) {
					acts(w)
					if n.hurts != nil {
						n.hurts(w)
					}
				}
				n.cell.Story = s.name
				got := w.tell(s, n.cell)
				seen := slices.Clone(got.breaches)
				if n.saw != nil {
					seen = append(seen, n.saw(w))
				}
				seen = slices.DeleteFunc(seen, func(s string) bool { return s == "" })
				if got.during != n.during || got.after != n.after || len(seen) > 0 {
					t.Errorf("%s -> %s, want %s -> %s; %q; errors %.600q", got.during, got.after, n.during, n.after, seen, w.errors)
				}
			})
		})
	}
}
