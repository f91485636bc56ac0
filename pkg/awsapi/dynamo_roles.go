package awsapi

import (
	"context"

	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/role"
)

func rolePart(account, roleID string) string { return "ROLE#" + account + "#" + roleID }

func stateKey(account, roleID string) item { return keyed(rolePart(account, roleID), "STATE") }

func stateItem(s ledger.RoleState) (item, error) {
	i, err := packed(stateKey(s.Account, s.RoleID), recordOfState(s))
	if err != nil {
		return nil, err
	}
	i["eventTime"], i["updatedAt"] = stamp(s.EventTime), stamp(s.UpdatedAt)
	if s.AlertID != "" {
		i["alertId"] = text(s.AlertID)
	}
	return i, nil
}

// State implements ledger.Ledger.
func (d *Dynamo) State(ctx context.Context, account, roleID string) (ledger.RoleState, bool, error) {
	stored, err := d.get(ctx, stateKey(account, roleID))
	if err != nil {
		return ledger.RoleState{}, false, doing(err, "reading the state of role %s/%s", account, roleID)
	}
	if stored == nil {
		return ledger.RoleState{}, false, nil
	}
	s, err := stateOf(stored)
	if err != nil {
		return ledger.RoleState{}, false, doing(err, "reading the state of role %s/%s", account, roleID)
	}
	return s, true, nil
}

// stateOf reads a state. One that lies under another role's key is none.
func stateOf(stored item) (ledger.RoleState, error) {
	record, err := unpack[stateRecord](stored, body)
	if err != nil {
		return ledger.RoleState{}, err
	}
	return record.state(), belongs(stored, record.Account, record.RoleID)
}

// belongs refuses what lies under another role's key: whoever can write the
// table cannot pass one role's past off as another's (T53, T61).
func belongs(stored item, account, roleID string) error {
	if textOf(stored, partKey) != rolePart(account, roleID) {
		return broken(stored, errMoved)
	}
	return nil
}

func baselineOf(stored item) (role.Baseline, error) {
	record, err := unpack[baselineRecord](stored, body)
	if err != nil {
		return role.Baseline{}, err
	}
	return role.Baseline(record), belongs(stored, record.Account, record.RoleID)
}

func wordOf(stored item) (ledger.Word, error) {
	record, err := unpack[wordRecord](stored, body)
	if err != nil {
		return ledger.Word{}, err
	}
	return ledger.Word(record), belongs(stored, record.Account, record.RoleID)
}

func writtenOf(stored item) (ledger.Written, error) {
	record, err := unpack[writtenRecord](stored, body)
	if err != nil {
		return ledger.Written{}, err
	}
	return record.written(), belongs(stored, record.Account, record.RoleID)
}

const baselineSort = "BASELINE#"

// Baselines implements ledger.Ledger.
func (d *Dynamo) Baselines(ctx context.Context, account, roleID string) ([]role.Baseline, error) {
	stored, err := d.query(ctx, rolePart(account, roleID), baselineSort)
	if err != nil {
		return nil, doing(err, "reading the baselines of role %s/%s", account, roleID)
	}
	var out []role.Baseline
	for _, i := range stored {
		b, err := baselineOf(i)
		if err != nil {
			return nil, doing(err, "reading the baselines of role %s/%s", account, roleID)
		}
		out = append(out, b)
	}
	ledger.SortBaselines(out)
	return out, nil
}

// AddBaseline implements ledger.Ledger.
func (d *Dynamo) AddBaseline(ctx context.Context, b role.Baseline) error {
	if err := ledger.CheckBaseline(b); err != nil {
		return err
	}
	i, err := packed(keyed(rolePart(b.Account, b.RoleID), baselineSort+b.Digest), baselineRecord(b))
	if err != nil {
		return doing(err, "adding a baseline of role %s/%s", b.Account, b.RoleID)
	}
	i["sealed"] = stamp(b.Sealed)
	if err := d.put(ctx, i, "", nil); err != nil {
		return doing(err, "adding a baseline of role %s/%s", b.Account, b.RoleID)
	}
	return nil
}
