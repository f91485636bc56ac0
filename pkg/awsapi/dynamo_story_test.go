package awsapi_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/rolewarden/rolewarden/pkg/awsapi"
	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// The story below leaves an item of every kind in the table.

const (
	aliceARN = "arn:aws:iam::" + prod + ":user/alice"
	roleID   = "AROA1"
)

func aliceKey() ledger.PrincipalKey {
	return ledger.PrincipalKey{Account: prod, Kind: "user", Name: "alice"}
}

func storyEvent() ledger.Key { return ledger.Key{Account: prod, EventID: "e1"} }

func storyLetter() ledger.Letter {
	return ledger.Letter{ID: "a1", Event: storyEvent(), After: ledger.Key{Account: prod, EventID: "e0"}, Body: []byte(`{"version":1}`), At: now()}
}

func storyIntent() ledger.Intent {
	return ledger.Intent{
		Event: storyEvent(), Role: role.Ref{Account: prod, Name: "App"}, RoleID: roleID,
		Decision: decision.Decision{ID: "dec1", Action: decision.Revert, At: now()}, Before: "{}", After: "[]", BeforeDigest: "sha256:a", AfterDigest: "sha256:b",
		ReadAt: now(), At: now(), WrittenAt: now(),
	}
}

func storyBaseline() role.Baseline {
	return role.Baseline{
		Account: prod, RoleID: roleID, Document: `{"Version":"2012-10-17","Statement":[]}`, Digest: "sha256:a",
		Principals: map[string]string{aliceARN: "AIDA1"}, Provenance: role.Observed, Actor: aliceARN, EventID: "e0",
		RulesHash: "sha256:rules", Since: now(), Sealed: now(), Seal: []byte{1, 2, 3},
	}
}

// story fills a table.
func story(t *testing.T, d *awsapi.Dynamo) {
	t.Helper()
	ctx, when := t.Context(), now()
	event := func() error {
		_, err := d.Take(ctx, storyEvent(), when)
		return errors.Join(err, d.Intend(ctx, storyIntent()), d.Conclude(ctx, ledger.Conclusion{
			Event: storyEvent(), End: ledger.Reverted, Reason: "it was public", At: when, Letters: []ledger.Letter{storyLetter()},
			State: &ledger.RoleState{Account: prod, RoleID: roleID, Event: storyEvent(), EventTime: when, AlertID: "thread", Trusts: []ledger.PrincipalKey{aliceKey()}},
			Seen:  []ledger.Identity{{ID: "AIDA1", ARN: aliceARN, SeenAt: when}},
		}))
	}
	trip := func() error {
		c := []ledger.Counter{{Name: "organization", Window: time.Hour, Limit: 1, Full: ledger.Trip}}
		return errors.Join(d.Spend(ctx, "t1", when, c), d.Reset(ctx, "organization", "alice", "mended", when), d.Spend(ctx, "t2", when, c))
	}
	sweep := func() error {
		_, first := d.BeginSweep(ctx, ledger.Sweep{ID: "s1", At: when, Accounts: []string{prod}})
		return errors.Join(first, d.SaveSwept(ctx, ledger.SweptAccount{Sweep: "s1", Account: prod, Ended: when}))
	}
	rules := func() error {
		_, err := d.SeeRules(ctx, "sha256:rules", when)
		return errors.Join(err, d.ConfirmRules(ctx, "sha256:rules", "alice", "reviewed", when))
	}
	posted := func() error {
		_, err := d.Post(ctx, "coverage", ledger.Letter{ID: "p1", After: storyEvent(), Body: []byte(`{"version":1}`), At: when})
		return err
	}
	deleted := func() error {
		_, err := d.Deleted(ctx, ledger.Deletion{Principal: aliceKey(), By: aliceARN, At: when, Event: ledger.Key{Account: prod, EventID: "e9"}})
		return err
	}
	must(t, errors.Join(
		event(), trip(), sweep(), rules(), posted(), deleted(),
		d.AddBaseline(ctx, storyBaseline()), d.SetCandidate(ctx, storyBaseline()),
		d.GiveWord(ctx, ledger.Word{Account: prod, RoleID: roleID, Digest: "sha256:a", By: "alice", At: when, Until: when.Add(time.Hour)}),
		d.Lease(ctx, role.Ref{Account: prod, Name: "App"}, "worker", when, when.Add(time.Minute)),
		d.SetSwitch(ctx, decision.WritesAllowed, "alice", "a drill", when),
	))
}

// raw is the table as DynamoDB has it.
type raw struct {
	client *dynamodb.Client
	name   string
}

type stored = map[string]types.AttributeValue

// told fills a table of its own with the story.
func told(t *testing.T, number *atomic.Int64) (*awsapi.Dynamo, *wire, raw) {
	t.Helper()
	d, w, cfg := table(t, number)
	story(t, d)
	name := ""
	for _, s := range w.take() {
		if n, ok := s.json["TableName"].(string); ok {
			name = n
		}
	}
	return d, w, raw{client: dynamodb.NewFromConfig(cfg), name: name}
}

// items gives all, in the order of their keys.
func (r raw) items(t *testing.T) []stored {
	t.Helper()
	out, err := r.client.Scan(t.Context(), &dynamodb.ScanInput{TableName: &r.name})
	must(t, err)
	slices.SortFunc(out.Items, func(a, b stored) int { return strings.Compare(keysOf(a), keysOf(b)) })
	return out.Items
}

func (r raw) put(t *testing.T, i stored) {
	t.Helper()
	_, err := r.client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &r.name, Item: i})
	must(t, err)
}

func (r raw) remove(t *testing.T, i stored) {
	t.Helper()
	_, err := r.client.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: &r.name, Key: stored{"pk": i["pk"], "sk": i["sk"]}})
	must(t, err)
}

func textIn(i stored, name string) string {
	s, _ := i[name].(*types.AttributeValueMemberS)
	if s == nil {
		return ""
	}
	return s.Value
}

func keysOf(i stored) string { return textIn(i, "pk") + " / " + textIn(i, "sk") }

// readings are all calls that read, each about what the story left.
func readings(d *awsapi.Dynamo) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"Take":        func(ctx context.Context) error { _, err := d.Take(ctx, storyEvent(), now()); return err },
		"Decided":     func(ctx context.Context) error { _, _, _, err := d.Decided(ctx, "dec1"); return err },
		"Undelivered": func(ctx context.Context) error { _, err := d.Undelivered(ctx, 99); return err },
		"State":       func(ctx context.Context) error { _, _, err := d.State(ctx, prod, roleID); return err },
		"Recall":      func(ctx context.Context) error { _, err := d.Recall(ctx, prod, roleID); return err },
		"Baselines":   func(ctx context.Context) error { _, err := d.Baselines(ctx, prod, roleID); return err },
		"States": func(ctx context.Context) error {
			return d.States(ctx, "", func(ledger.RoleState) error { return nil })
		},
		"Identify":   func(ctx context.Context) error { _, _, err := d.Identify(ctx, "AIDA1"); return err },
		"Identities": func(ctx context.Context) error { _, err := d.Identities(ctx, aliceARN); return err },
		"Ends":       func(ctx context.Context) error { _, err := d.Ends(ctx, []ledger.PrincipalKey{aliceKey()}); return err },
		"Trusting":   func(ctx context.Context) error { _, err := d.Trusting(ctx, aliceKey()); return err },
		"Breakers":   func(ctx context.Context) error { _, err := d.Breakers(ctx); return err },
		"Spend": func(ctx context.Context) error {
			err := d.Spend(ctx, "t3", now(), []ledger.Counter{{Name: "organization", Window: time.Hour, Limit: 1, Full: ledger.Trip}})
			var stop *ledger.TrippedError
			if errors.As(err, &stop) {
				return nil
			}
			return err
		},
		"SeeRules": func(ctx context.Context) error { _, err := d.SeeRules(ctx, "sha256:rules", now()); return err },
		"Swept":    func(ctx context.Context) error { _, _, err := d.Swept(ctx, "s1", prod); return err },
		"Sweeping": func(ctx context.Context) error { _, _, _, err := d.Sweeping(ctx, "s1"); return err },
	}
}

func aText(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func aNumber(s string) types.AttributeValue { return &types.AttributeValueMemberN{Value: s} }
