package awsapi

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// placeKey is the item that knows when a letter was written: its event's, or
// for a letter without event one of its own.
func placeKey(l ledger.Letter) item {
	if l.Event != (ledger.Key{}) {
		return eventKey(l.Event)
	}
	return keyed("LETTER#"+l.ID, "LETTER")
}

// placeStep takes a letter off its place.
func placeStep(l ledger.Letter, at time.Time) step {
	if l.Event != (ledger.Key{}) {
		return step{
			key: placeKey(l), update: "REMOVE letters.#id", condition: "letters.#id = :at",
			names: map[string]string{"#id": l.ID}, values: item{":at": stamp(at)},
		}
	}
	return step{deed: removes, key: placeKey(l), condition: "writtenAt = :at", values: item{":at": stamp(at)}}
}

// writtenAt gives when a letter was written, as its place knows; ok is false
// when it does not wait.
func writtenAt(l ledger.Letter, place item) (at time.Time, ok bool, err error) {
	if l.Event == (ledger.Key{}) {
		f := fields{of: place}
		at := f.moment("writtenAt")
		return at, place != nil, f.err
	}
	waiting, err := waitingOf(l.Event, place)
	if err != nil {
		return time.Time{}, false, err
	}
	for _, w := range waiting {
		if w.ID == l.ID {
			return w.At, true, nil
		}
	}
	return time.Time{}, false, nil
}

// Delivered implements ledger.Ledger, in one call for a letter as it was given.
func (d *Dynamo) Delivered(ctx context.Context, l ledger.Letter) error {
	if err := l.CheckName(); err != nil {
		return err
	}
	if err := d.delivered(ctx, l); err != nil {
		return doing(err, "recording that letter %s was delivered", l.Name())
	}
	return nil
}

func (d *Dynamo) delivered(ctx context.Context, l ledger.Letter) error {
	at := l.At
	for range rounds {
		place := placeStep(l, at)
		reasons, err := d.send(ctx, []step{place, {deed: removes, key: letterKey(l, at)}})
		if err != nil || reasons == nil {
			return err
		}
		stored, err := d.storedOf(ctx, place, reasons[0])
		if err != nil {
			return err
		}
		var ok bool
		if at, ok, err = writtenAt(l, stored); err != nil {
			return err
		}
		if !ok {
			return d.discard(ctx, l)
		}
	}
	return fmt.Errorf("writing what others write too, %d times: %w", rounds, role.ErrConflict)
}

// discard removes a letter that its place does not know any more, so that it
// is not given out for ever.
func (d *Dynamo) discard(ctx context.Context, l ledger.Letter) error {
	if l.At.IsZero() {
		return nil
	}
	_, err := d.client().DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: aws.String(d.table), Key: letterKey(l, l.At)})
	return refusal(err)
}

// Post implements ledger.Ledger, in one call.
func (d *Dynamo) Post(ctx context.Context, token string, l ledger.Letter) (ledger.Firstness, error) {
	if err := ledger.CheckPost(token, l); err != nil {
		return ledger.Again, err
	}
	letter, err := letterItem(l)
	if err != nil {
		return ledger.Again, doing(err, "posting letter %s", l.ID)
	}
	spent := keyed("POSTED#"+token, "POSTED")
	spent[ttl] = expiry(l.At, kept)
	place := placeKey(l)
	place["writtenAt"] = stamp(l.At)
	steps := []step{
		{key: keyed("POSTED#"+token, "POSTED"), put: spent, condition: "attribute_not_exists(pk)"},
		{key: placeKey(l), put: place, condition: "attribute_not_exists(pk)"},
		{key: letterKey(l, l.At), put: letter},
	}
	reasons, err := d.send(ctx, steps)
	switch {
	case err != nil:
		return ledger.Again, doing(err, "posting letter %s", l.ID)
	case reasons == nil:
		return ledger.First, nil
	case unmet(reasons[0]):
		return ledger.Again, nil
	}
	return ledger.Again, doing(ledger.ErrLetterWaits, "posting letter %s", l.ID)
}
