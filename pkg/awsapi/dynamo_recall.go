package awsapi

import (
	"context"
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// What lies in a role's partition beside its baselines.
const (
	stateSort     = "STATE"
	candidateSort = "CANDIDATE"
	wordSort      = "WORD"
	writtenSort   = "WRITTEN"
	writeSort     = "WRITE#"
)

// SetCandidate implements ledger.Ledger.
func (d *Dynamo) SetCandidate(ctx context.Context, b role.Baseline) error {
	if err := ledger.CheckBaseline(b); err != nil {
		return err
	}
	i, err := packed(keyed(rolePart(b.Account, b.RoleID), candidateSort), baselineRecord(b))
	if err != nil {
		return doing(err, "recording a candidate of role %s/%s", b.Account, b.RoleID)
	}
	i["since"] = stamp(b.Since)
	err = d.put(ctx, i, "attribute_not_exists(since) OR since <= :since", item{":since": stamp(b.Since)})
	if err != nil && !errors.Is(err, errCondition) {
		return doing(err, "recording a candidate of role %s/%s", b.Account, b.RoleID)
	}
	return nil
}

// GiveWord implements ledger.Ledger.
func (d *Dynamo) GiveWord(ctx context.Context, w ledger.Word) error {
	if err := w.Check(); err != nil {
		return err
	}
	i, err := packed(keyed(rolePart(w.Account, w.RoleID), wordSort), wordRecord(w))
	if err != nil {
		return doing(err, "recording a word on role %s/%s", w.Account, w.RoleID)
	}
	i["givenAt"], i[ttl] = stamp(w.At), expiry(w.Until, kept)
	err = d.put(ctx, i, "attribute_not_exists(givenAt) OR givenAt <= :at", item{":at": stamp(w.At)})
	if err != nil && !errors.Is(err, errCondition) {
		return doing(err, "recording a word on role %s/%s", w.Account, w.RoleID)
	}
	return nil
}

// Recall implements ledger.Ledger: one call per megabyte, and no role has one.
func (d *Dynamo) Recall(ctx context.Context, account, roleID string) (ledger.Recalled, error) {
	stored, err := d.partition(ctx, rolePart(account, roleID))
	if err != nil {
		return ledger.Recalled{}, doing(err, "recalling role %s/%s", account, roleID)
	}
	var r ledger.Recalled
	for _, i := range stored {
		if err := recallItem(&r, i); err != nil {
			return ledger.Recalled{}, doing(err, "recalling role %s/%s", account, roleID)
		}
	}
	ledger.SortBaselines(r.Baselines)
	r.Writes = ledger.Standing(r.Writes)
	return r, nil
}

// recallItem adds what one item says.
func recallItem(r *ledger.Recalled, i item) error {
	var err error
	switch kind := textOf(i, sortKey); {
	case kind == stateSort:
		r.State, err = pointer(stateOf(i))
	case kind == candidateSort:
		r.Candidate, err = pointer(baselineOf(i))
	case kind == wordSort:
		r.Word, err = pointer(wordOf(i))
	case kind == writtenSort:
		r.Written, err = pointer(writtenOf(i))
	case strings.HasPrefix(kind, writeSort):
		var w ledger.Written
		if w, err = writtenOf(i); err == nil && kind != writeSort+w.At.UTC().Format(stampForm)+"#"+w.Decision {
			err = broken(i, errMoved)
		}
		r.Writes = append(r.Writes, w)
	case strings.HasPrefix(kind, baselineSort):
		var b role.Baseline
		if b, err = baselineOf(i); err == nil && kind != baselineSort+b.Digest {
			err = broken(i, errMoved)
		}
		r.Baselines = append(r.Baselines, b)
	}
	return err
}

func pointer[T any](v T, err error) (*T, error) { return &v, err }

// States implements ledger.Ledger. It is the only call that scans.
func (d *Dynamo) States(ctx context.Context, account string, visit func(ledger.RoleState) error) error {
	in := &dynamodb.ScanInput{
		TableName: aws.String(d.table), ConsistentRead: aws.Bool(true),
		FilterExpression:          aws.String("sk = :sk AND begins_with(pk, :pk)"),
		ExpressionAttributeValues: item{":sk": text(stateSort), ":pk": text(statesPart(account))},
	}
	var bad []error
	for {
		page, err := d.client().Scan(ctx, in)
		if err != nil {
			return doing(errors.Join(append(bad, sorted(err))...), "reading the states of roles")
		}
		for _, i := range page.Items {
			s, err := stateOf(i)
			if err != nil {
				bad = append(bad, err)
				continue
			}
			if err := visit(s); err != nil {
				return err
			}
		}
		if len(page.LastEvaluatedKey) == 0 {
			break
		}
		in.ExclusiveStartKey = page.LastEvaluatedKey
	}
	if err := errors.Join(bad...); err != nil {
		return doing(err, "reading the states of roles")
	}
	return nil
}

// statesPart is how the partitions of an account's roles begin, or of all roles.
func statesPart(account string) string {
	if account == "" {
		return "ROLE#"
	}
	return rolePart(account, "")
}
