package awsapi

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/rolewarden/rolewarden/pkg/ledger"
)

func eventKey(k ledger.Key) item { return keyed("EVENT#"+k.Account+"#"+k.EventID, "EVENT") }

// Take implements ledger.Ledger, in one call.
func (d *Dynamo) Take(ctx context.Context, k ledger.Key, at time.Time) (ledger.Taken, error) {
	if err := k.Check(); err != nil {
		return ledger.Taken{}, err
	}
	out, err := d.client().UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: aws.String(d.table), Key: eventKey(k), ReturnValues: types.ReturnValueAllNew,
		UpdateExpression:          aws.String("ADD attempts :one SET takenAt = if_not_exists(takenAt, :at), expires = if_not_exists(expires, :expires)"),
		ExpressionAttributeValues: item{":one": number(1), ":at": stamp(at), ":expires": expiry(at, kept)},
	})
	if err != nil {
		return ledger.Taken{}, doing(sorted(err), "taking event %s", k)
	}
	taken, err := takenOf(out.Attributes)
	if err != nil {
		return ledger.Taken{}, doing(err, "taking event %s", k)
	}
	if taken.Letters, err = d.lettersOf(ctx, k, out.Attributes); err != nil {
		return ledger.Taken{}, doing(err, "taking event %s", k)
	}
	return taken, nil
}

func takenOf(i item) (ledger.Taken, error) {
	t := ledger.Taken{Attempts: numberOf(i, "attempts")}
	if t.Attempts == 1 {
		t.First = ledger.First
	}
	if i["ended"] != nil {
		end, err := ledger.ParseEnd(textOf(i, "ended"))
		if err != nil || end == ledger.InFlight {
			return ledger.Taken{}, broken(i, fmt.Errorf("%q is no end of an event", textOf(i, "ended")))
		}
		t.End = end
		return t, nil
	}
	if _, ok := i["intent"]; !ok {
		return t, nil
	}
	record, err := unpack[intentRecord](i, "intent")
	if err != nil {
		return ledger.Taken{}, err
	}
	intent := record.intent()
	t.Intent = &intent
	return t, nil
}

// errEnded stops a conclusion of an event that is concluded.
var errEnded = errors.New("the event has ended")

// Conclude implements ledger.Ledger: one call, unless something newer is stored
// already or the role names more principals than fit one transaction.
func (d *Dynamo) Conclude(ctx context.Context, c ledger.Conclusion) error {
	if err := c.Check(); err != nil {
		return err
	}
	err := d.conclude(ctx, c)
	if err != nil && !errors.Is(err, errEnded) {
		return doing(err, "concluding event %s", c.Event)
	}
	return nil
}

func (d *Dynamo) conclude(ctx context.Context, c ledger.Conclusion) error {
	last := []step{endStep(c)}
	letters, err := letterSteps(c.Letters)
	if err != nil {
		return err
	}
	last = append(last, letters...)
	var rest []step
	if c.State != nil {
		state, err := stateStep(*c.State, c.Expect)
		if err != nil {
			return err
		}
		last = append(last, state)
		if !c.ReadAt.IsZero() {
			last = append(last, unwrittenStep(c.State.Account, c.State.RoleID, c.State.Digest, c.ReadAt))
		}
		rest = append(rest, trustSteps(*c.State)...)
	}
	rest = append(rest, seenSteps(c.Seen)...)
	if len(last)+len(rest) <= maxSteps {
		return d.transact(ctx, append(last, rest...))
	}
	return d.concludeInParts(ctx, c, last, rest)
}

// concludeInParts records whom ids stand for and who is trusted first, and the
// end last. Stopped half way it leaves sightings, which are true, and index
// entries, which reading checks against the role's state.
func (d *Dynamo) concludeInParts(ctx context.Context, c ledger.Conclusion, last, rest []step) error {
	stored, err := d.get(ctx, eventKey(c.Event))
	if err != nil {
		return err
	}
	if textOf(stored, "ended") != "" {
		return errEnded
	}
	for len(rest) > 0 {
		n := min(maxSteps, len(rest))
		if err := d.transact(ctx, rest[:n:n]); err != nil {
			return err
		}
		rest = rest[n:]
	}
	return d.transact(ctx, last)
}

func endStep(c ledger.Conclusion) step {
	s := step{
		key:       eventKey(c.Event),
		update:    "SET ended = :end, reason = :reason, endedAt = :at, expires = if_not_exists(expires, :expires)",
		condition: "attribute_not_exists(ended)",
		values:    item{":end": text(c.End.String()), ":reason": text(c.Reason), ":at": stamp(c.At), ":expires": expiry(c.At, kept)},
		again:     func(item) (*step, error) { return nil, errEnded },
	}
	if c.Expect == ledger.NoOpenAlert {
		s.condition += " AND attribute_not_exists(intent)"
		s.again = func(stored item) (*step, error) {
			if textOf(stored, "ended") != "" {
				return nil, errEnded
			}
			return nil, ledger.ErrOpenAlert
		}
	}
	if len(c.Letters) > 0 {
		s.update += ", letters = :letters"
		s.values[":letters"] = listed(c.Letters)
	}
	return s
}

// theState names the steps that are left out when a newer state is stored.
const theState = "state"

func stateStep(s ledger.RoleState, expect ledger.Expectation) (step, error) {
	stored, err := stateItem(s)
	if err != nil {
		return step{}, err
	}
	out := step{
		key: stateKey(s.Account, s.RoleID), put: stored, with: theState,
		condition: "(attribute_not_exists(eventTime) OR eventTime <= :event)",
		values:    item{":event": stamp(s.EventTime)},
		again:     func(item) (*step, error) { return nil, nil },
	}
	if expect == ledger.NoOpenAlert {
		out.condition += " AND attribute_not_exists(alertId)"
		out.again = func(stored item) (*step, error) {
			if textOf(stored, "alertId") != "" {
				return nil, ledger.ErrOpenAlert
			}
			return nil, nil
		}
	}
	return out, nil
}

func trustSteps(s ledger.RoleState) []step {
	var out []step
	had := map[ledger.PrincipalKey]bool{}
	for _, p := range s.Trusts {
		if p = p.Fold(); !had[p] {
			had[p] = true
			out = append(out, trustStep(s, p))
		}
	}
	return out
}

// trustStep lets a role be found by a principal that it names.
func trustStep(s ledger.RoleState, p ledger.PrincipalKey) step {
	entry := keyed(principalPart(p), "TRUSTED#"+s.Account+"#"+s.RoleID)
	entry["account"], entry["roleId"] = text(s.Account), text(s.RoleID)
	return step{key: keyed(textOf(entry, partKey), textOf(entry, sortKey)), put: entry, with: theState}
}
