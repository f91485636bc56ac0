package awsapi

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rolewarden/rolewarden/pkg/ledger"
)

func decisionKey(id string) item { return keyed("DECISION#"+id, "DECISION") }

func writtenKey(account, roleID string) item { return keyed(rolePart(account, roleID), "WRITTEN") }

// Intend implements ledger.Ledger, in one call. The intent stays after the
// event's end, as the original of what was overwritten.
func (d *Dynamo) Intend(ctx context.Context, i ledger.Intent) error {
	if err := i.Check(); err != nil {
		return err
	}
	steps, err := intentSteps(i)
	if err != nil {
		return doing(err, "recording the intent of event %s", i.Event)
	}
	if err := d.transact(ctx, steps); err != nil {
		return doing(err, "recording the intent of event %s", i.Event)
	}
	return nil
}

// keptWrites is how long a write is remembered by which somebody else's change
// may have been overwritten; CloudTrail's events come within a day.
const keptWrites = 30 * 24 * time.Hour

func intentSteps(i ledger.Intent) ([]step, error) {
	decided, err := packed(decisionKey(i.Decision.ID), recordOfIntent(i))
	if err != nil {
		return nil, err
	}
	decided[ttl] = expiry(i.At, kept)
	written, err := packed(writtenKey(i.Role.Account, i.RoleID), recordOfWritten(i))
	if err != nil {
		return nil, err
	}
	written["intendedAt"], written["writtenAt"], written["leaves"] = stamp(i.At), stamp(i.WrittenAt), text(i.Written().AfterDigest)
	steps := []step{{
		key:       eventKey(i.Event),
		update:    "SET intent = :intent, form = :form, expires = if_not_exists(expires, :expires)",
		condition: "attribute_not_exists(ended)",
		values:    item{":intent": decided[body], ":form": number(thisForm), ":expires": expiry(i.At, kept)},
		again:     func(item) (*step, error) { return nil, ledger.ErrConcluded },
	}, {
		key: decisionKey(i.Decision.ID), put: decided,
	}}
	if i.Replaces() {
		// The same write again, when it was made or nothing came of it, takes its place.
		one, err := packed(keyed(rolePart(i.Role.Account, i.RoleID), writeSort+i.At.UTC().Format(stampForm)+"#"+i.Decision.ID), recordOfWritten(i))
		if err != nil {
			return nil, err
		}
		one[ttl] = expiry(i.At, keptWrites)
		steps = append(steps, step{key: one, put: one}, step{
			key: writtenKey(i.Role.Account, i.RoleID), put: written,
			condition: "attribute_not_exists(intendedAt) OR intendedAt <= :at", values: item{":at": stamp(i.At)},
			again: func(item) (*step, error) { return nil, nil },
		})
	}
	return steps, nil
}

// unwrittenStep checks that no write was intended or made since a role was read,
// unless what was read is what it leaves.
func unwrittenStep(account, roleID, digest string, readAt time.Time) step {
	return step{
		deed: checks, key: writtenKey(account, roleID),
		condition: "attribute_not_exists(intendedAt) OR (intendedAt <= :read AND (attribute_not_exists(writtenAt) OR writtenAt <= :read)) OR leaves = :digest",
		values:    item{":read": stamp(readAt), ":digest": text(cmp.Or(digest, "none"))},
		again:     func(item) (*step, error) { return nil, ledger.ErrWritten },
	}
}

// Decided implements ledger.Ledger.
func (d *Dynamo) Decided(ctx context.Context, decisionID string) (ledger.Intent, ledger.End, bool, error) {
	i, end, ok, err := d.decided(ctx, decisionID)
	if err != nil {
		return ledger.Intent{}, ledger.InFlight, false, doing(err, "reading the decision %s", decisionID)
	}
	return i, end, ok, nil
}

func (d *Dynamo) decided(ctx context.Context, decisionID string) (ledger.Intent, ledger.End, bool, error) {
	stored, err := d.get(ctx, decisionKey(decisionID))
	if err != nil || stored == nil {
		return ledger.Intent{}, ledger.InFlight, false, err
	}
	record, err := unpack[intentRecord](stored, body)
	if err != nil {
		return ledger.Intent{}, ledger.InFlight, false, err
	}
	i := record.intent()
	if i.Decision.ID != decisionID {
		return ledger.Intent{}, ledger.InFlight, false, broken(stored, errMoved)
	}
	event, err := d.get(ctx, eventKey(i.Event))
	if err != nil {
		return ledger.Intent{}, ledger.InFlight, false, err
	}
	if event == nil {
		return ledger.Intent{}, ledger.InFlight, false, broken(eventKey(i.Event), errors.New("it is gone"))
	}
	taken, err := takenOf(event)
	if err != nil {
		return ledger.Intent{}, ledger.InFlight, false, fmt.Errorf("reading how its event ended: %w", err)
	}
	return i, taken.End, true, nil
}
