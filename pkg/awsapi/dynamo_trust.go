package awsapi

import (
	"context"
	"time"

	"github.com/rolewarden/rolewarden/pkg/ledger"
)

// Trusting implements ledger.Ledger. The index may hold roles that named the
// principal once; the states decide.
func (d *Dynamo) Trusting(ctx context.Context, p ledger.PrincipalKey) ([]ledger.RoleState, error) {
	states, err := d.trusting(ctx, p)
	if err != nil {
		return nil, doing(err, "reading who trusts %s", p)
	}
	return states, nil
}

func (d *Dynamo) trusting(ctx context.Context, p ledger.PrincipalKey) ([]ledger.RoleState, error) {
	entries, err := d.query(ctx, principalPart(p), "TRUSTED#")
	if err != nil {
		return nil, err
	}
	var keys []item
	for _, e := range entries {
		if err := sound(e, []string{"account", "roleId"}, nil); err != nil {
			return nil, err
		}
		keys = append(keys, stateKey(textOf(e, "account"), textOf(e, "roleId")))
	}
	stored, err := d.getAll(ctx, keys)
	if err != nil {
		return nil, err
	}
	var out []ledger.RoleState
	for _, i := range stored {
		s, err := stateOf(i)
		if err != nil {
			return nil, err
		}
		if s.Names(p) {
			out = append(out, s)
		}
	}
	ledger.SortStates(out)
	return out, nil
}

// Renamed implements ledger.Ledger. It may be repeated after a stop half way:
// what was moved is found under the new name.
func (d *Dynamo) Renamed(ctx context.Context, from, to ledger.PrincipalKey, newARN string, at time.Time) error {
	if err := ledger.CheckRename(to, newARN); err != nil {
		return err
	}
	from, to = from.Fold(), to.Fold()
	if err := d.renameIDs(ctx, from, newARN, at); err != nil {
		return doing(err, "recording the new name of %s", from)
	}
	if err := d.renameTrust(ctx, from, to, at); err != nil {
		return doing(err, "recording the new name of %s", from)
	}
	return nil
}

func (d *Dynamo) renameIDs(ctx context.Context, from ledger.PrincipalKey, newARN string, at time.Time) error {
	known, err := d.bearers(ctx, principalPart(from))
	if err != nil {
		return err
	}
	for _, id := range known.before(at) {
		if known[id].ended() || textOf(known[id].stored, "arn") == newARN {
			continue
		}
		s := span{id: id, arn: newARN, first: at, last: at}
		bearing := bearingStep(s)
		// A rename is better knowledge than a sighting, which may lag behind.
		bearing.condition = "arn = :was AND attribute_not_exists(deletedEvent)"
		bearing.values[":was"] = known[id].stored["arn"]
		if err := d.transact(ctx, []step{sightingStep(s), bearing}); err != nil {
			return err
		}
	}
	return nil
}

func (d *Dynamo) renameTrust(ctx context.Context, from, to ledger.PrincipalKey, at time.Time) error {
	states, err := d.trusting(ctx, from)
	if err != nil {
		return err
	}
	for _, s := range states {
		moved, ok := s.Rename(from, to, at)
		if !ok {
			continue
		}
		stored, err := stateItem(moved)
		if err != nil {
			return err
		}
		unchanged := step{
			key: stateKey(s.Account, s.RoleID), put: stored, with: theState,
			condition: "eventTime = :event AND updatedAt = :updated",
			values:    item{":event": stamp(s.EventTime), ":updated": stamp(s.UpdatedAt)},
			// A conclusion came between; it read the role live, under the new name.
			again: func(item) (*step, error) { return nil, nil },
		}
		if err := d.transact(ctx, []step{unchanged, trustStep(moved, to)}); err != nil {
			return err
		}
	}
	return nil
}
