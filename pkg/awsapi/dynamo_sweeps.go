package awsapi

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/rolewarden/rolewarden/pkg/ledger"
)

func rulesKey(hash string) item { return keyed("RULES#"+hash, "RULES") }

// SeeRules implements ledger.Ledger, in one call.
func (d *Dynamo) SeeRules(ctx context.Context, hash string, at time.Time) (ledger.RulesSeen, error) {
	if err := ledger.CheckRules(hash); err != nil {
		return ledger.RulesSeen{}, err
	}
	out, err := d.client().UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: aws.String(d.table), Key: rulesKey(hash), ReturnValues: types.ReturnValueAllNew,
		UpdateExpression:          aws.String("SET firstSeen = if_not_exists(firstSeen, :at)"),
		ExpressionAttributeValues: item{":at": stamp(at)},
	})
	if err != nil {
		return ledger.RulesSeen{}, doing(sorted(err), "recording the rules %s", hash)
	}
	f := fields{of: out.Attributes}
	seen := ledger.RulesSeen{
		Hash: hash, First: f.moment("firstSeen"),
		ConfirmedBy: f.text("confirmedBy"), Reason: f.text("reason"), ConfirmedAt: f.moment("confirmedAt"),
	}
	if f.err != nil {
		return ledger.RulesSeen{}, doing(f.err, "recording the rules %s", hash)
	}
	return seen, nil
}

// ConfirmRules implements ledger.Ledger.
func (d *Dynamo) ConfirmRules(ctx context.Context, hash, by, reason string, at time.Time) error {
	if err := ledger.CheckConfirmation(hash, by); err != nil {
		return err
	}
	_, err := d.client().UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: aws.String(d.table), Key: rulesKey(hash),
		UpdateExpression:          aws.String("SET confirmedBy = :by, reason = :reason, confirmedAt = :at"),
		ExpressionAttributeValues: item{":by": text(by), ":reason": text(reason), ":at": stamp(at)},
	})
	if err != nil {
		return doing(sorted(err), "confirming the rules %s", hash)
	}
	return nil
}

// keptSweep is how long a sweep is remembered.
const keptSweep = 90 * 24 * time.Hour

const (
	sweepSort = "SWEEP"
	sweptSort = "SWEPT#"
)

func sweepPart(id string) string { return "SWEEP#" + id }

// BeginSweep implements ledger.Ledger. It is a transaction of one write since
// the SDK repeats those under one name: a lost answer does not make the first Again.
func (d *Dynamo) BeginSweep(ctx context.Context, s ledger.Sweep) (ledger.Firstness, error) {
	if err := s.Check(); err != nil {
		return ledger.Again, err
	}
	i, err := packed(keyed(sweepPart(s.ID), sweepSort), sweepRecord(s))
	if err != nil {
		return ledger.Again, doing(err, "beginning the sweep %s", s.ID)
	}
	i[ttl] = expiry(s.At, keptSweep)
	reasons, err := d.send(ctx, []step{{key: keyed(sweepPart(s.ID), sweepSort), put: i, condition: "attribute_not_exists(pk)"}})
	switch {
	case err != nil:
		return ledger.Again, doing(err, "beginning the sweep %s", s.ID)
	case reasons != nil:
		return ledger.Again, nil
	}
	return ledger.First, nil
}

// Sweeping implements ledger.Ledger.
func (d *Dynamo) Sweeping(ctx context.Context, id string) (ledger.Sweep, []ledger.SweptAccount, bool, error) {
	s, accounts, ok, err := d.sweeping(ctx, id)
	if err != nil {
		return ledger.Sweep{}, nil, false, doing(err, "reading the sweep %s", id)
	}
	if !ok {
		return ledger.Sweep{}, nil, false, nil
	}
	return s, accounts, true, nil
}

func (d *Dynamo) sweeping(ctx context.Context, id string) (s ledger.Sweep, accounts []ledger.SweptAccount, ok bool, err error) {
	stored, err := d.partition(ctx, sweepPart(id))
	if err != nil {
		return s, nil, false, err
	}
	for _, i := range stored {
		if textOf(i, sortKey) == sweepSort {
			record, err := unpack[sweepRecord](i, body)
			if err != nil {
				return s, nil, false, err
			}
			if record.ID != id {
				return s, nil, false, broken(i, errMoved)
			}
			s, ok = ledger.Sweep(record), true
			continue
		}
		if !strings.HasPrefix(textOf(i, sortKey), sweptSort) {
			continue
		}
		a, err := sweptOf(i, id)
		if err != nil {
			return s, nil, false, err
		}
		accounts = append(accounts, a)
	}
	ledger.SortSwept(accounts)
	return s, accounts, ok, nil
}

// sweptOf takes a SweptAccount out of its item, which must be in its place.
func sweptOf(i item, sweep string) (ledger.SweptAccount, error) {
	record, err := unpack[sweptRecord](i, body)
	if err != nil {
		return ledger.SweptAccount{}, err
	}
	if record.Sweep != sweep || textOf(i, sortKey) != sweptSort+record.Account {
		return ledger.SweptAccount{}, broken(i, errMoved)
	}
	return ledger.SweptAccount(record), nil
}

// Swept implements ledger.Ledger.
func (d *Dynamo) Swept(ctx context.Context, sweep, account string) (ledger.SweptAccount, bool, error) {
	stored, err := d.get(ctx, keyed(sweepPart(sweep), sweptSort+account))
	if err != nil || stored == nil {
		return ledger.SweptAccount{}, false, annotated(err, sweep, account)
	}
	a, err := sweptOf(stored, sweep)
	return a, err == nil, annotated(err, sweep, account)
}

func annotated(err error, sweep, account string) error {
	if err == nil {
		return nil
	}
	return doing(err, "reading the sweep %s of account %s", sweep, account)
}

// SaveSwept implements ledger.Ledger. What has not ended has no time after which
// it could be forgotten.
func (d *Dynamo) SaveSwept(ctx context.Context, a ledger.SweptAccount) error {
	if err := a.Check(); err != nil {
		return err
	}
	i, err := packed(keyed(sweepPart(a.Sweep), sweptSort+a.Account), sweptRecord(a))
	if err != nil {
		return doing(err, "saving the sweep %s of account %s", a.Sweep, a.Account)
	}
	condition := "attribute_not_exists(ended)"
	if !a.Ended.IsZero() {
		condition = ""
		i["ended"], i[ttl] = stamp(a.Ended), expiry(a.Ended, keptSweep)
	}
	if err := d.put(ctx, i, condition, nil); err != nil && !errors.Is(err, errCondition) {
		return doing(err, "saving the sweep %s of account %s", a.Sweep, a.Account)
	}
	return nil
}
