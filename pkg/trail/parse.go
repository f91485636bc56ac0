package trail

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// MaxBytes is the size of the largest envelope that is read. EventBridge
// delivers at most 256 KB; the rest is room for what may come.
const MaxBytes = 1 << 20

// The reasons for which an event asks for nothing.
const (
	// FailedCall: the call was refused, so nothing happened.
	FailedCall = "failed call"
	// UnknownEvent: no row of the table is about it.
	UnknownEvent = "unknown event"
	// CallersCopy: AssumeRole is also told to the caller's account.
	CallersCopy = "the caller's copy"
	// NothingChanged: the call succeeded and changed nothing that matters.
	NothingChanged = "nothing changed"
)

// Parse reads one EventBridge envelope. It gives a Change; one of the kind
// Ignored for a call that failed, an event that the table does not know, or a
// copy that somebody else acts on; or a *MalformedError for an event that
// matters and contradicts itself, or says too little to act on, and, without a
// key, for text that is no envelope.
//
// Fields that it does not know are passed over, since AWS adds some, and so is
// what is odd in them. A field that is read and is there twice with different
// values is an error.
func Parse(text []byte) (Change, error) {
	v := jsontext.Value(text)
	if len(text) > MaxBytes {
		return Change{}, malformed("the envelope", forged, "%d bytes, and EventBridge delivers at most 256 KB", len(text))
	}
	if !v.IsValid() && v.IsValid(lenient()) {
		return parseTwice(v)
	}
	r := parse(v)
	return r.change, r.err
}

// reading is what one reading of an envelope gives.
type reading struct {
	envelope envelope
	record   record
	change   Change
	err      error
}

// parse reads an envelope in which no name is there twice.
func parse(text jsontext.Value) reading {
	var r reading
	if err := json.Unmarshal(text, &r.envelope, lenient()); err != nil {
		r.err = unreadable(r.envelope, "the envelope", err)
		return r
	}
	if len(r.envelope.Detail) > 0 {
		if err := json.Unmarshal(r.envelope.Detail, &r.record, lenient()); err != nil {
			r.change, r.err = unreadDetail(r.envelope, err)
			return r
		}
	}
	row, known := lookup(r.envelope, r.record)
	switch {
	case !known:
		r.change, r.err = others(r.envelope, r.record)
	case r.record.ErrorCode != "" && !row.mayHaveHappened(r.record.ErrorCode):
		r.change = ignored(r.envelope, r.record, FailedCall)
	default:
		r.change, r.err = row.change(r.envelope, r.record)
		if r.err == nil {
			r.change.Unfinished = r.record.ErrorCode
		}
		var m *MalformedError
		if errors.As(r.err, &m) {
			r.err = r.named(m)
		}
	}
	return r
}

// named puts into an error what it is about.
func (r reading) named(m *MalformedError) error {
	m.Account, m.EventID, m.EventName = r.envelope.Account, r.record.EventID, r.record.EventName
	return m
}

// same says whether another reading comes to the same.
func (r reading) same(other reading) bool {
	switch {
	case r.err != nil || other.err != nil:
		return r.err != nil && other.err != nil
	case r.change.Kind == Ignored:
		return other.change.Kind == Ignored
	default:
		return reflect.DeepEqual(r.change, other.change)
	}
}

// others is for what is no event of the table. Text that is no envelope was not
// sent by EventBridge: it is something else that got onto the queue, perhaps
// rolewarden's own, and must not vanish. Its error has no key.
func others(e envelope, r record) (Change, error) {
	if e.Source == "" || e.DetailType == "" {
		return Change{}, malformed("the envelope", "find out what it is, who sent it, and on which queue it belongs", "it lacks a source or a detail-type, so EventBridge did not deliver it")
	}
	return ignored(e, r, UnknownEvent), nil
}

// unreadDetail says what becomes of an event whose detail has another shape
// than a CloudTrail record: with a source of the table it is malformed, else it
// is somebody else's event.
func unreadDetail(e envelope, err error) (Change, error) {
	for _, row := range Events() {
		if row.Source == e.Source {
			return Change{}, unreadable(e, "detail", err)
		}
	}
	return others(e, record{})
}

// unreadable is the error for text that is no JSON or has another shape.
func unreadable(e envelope, place string, err error) error {
	m := malformed(place, "read the message by hand: nothing in it can be relied on", "%s", shapeOf(err))
	m.Account, m.EventID = e.Account, e.ID
	return m
}

// shapeOf says in the reader's words what is wrong with a text.
func shapeOf(err error) string {
	var shape *json.SemanticError
	if errors.As(err, &shape) && shape.Err == nil {
		at := "the whole"
		if shape.JSONPointer != "" {
			at = string(shape.JSONPointer)
		}
		return fmt.Sprintf("%s begins with %q, and something else belongs there", at, shape.JSONKind.String())
	}
	return "it is no JSON that can be read: " + strings.TrimPrefix(err.Error(), "jsontext: ")
}

// ignored makes the Change of an event that asks for nothing. Nothing in it was
// checked, so it says no more than what the event claims.
func ignored(e envelope, r record, why string) Change {
	c := Change{
		Kind: Ignored, Ignored: why, EventID: r.EventID, EventName: r.EventName, Account: e.Account, Region: e.Region,
		Actor: r.UserIdentity.actor(), SourceIP: r.SourceIPAddress, UserAgent: r.UserAgent,
	}
	if c.EventID == "" {
		c.EventID = e.ID
	}
	if p, ok := partitionOf(e.Region); ok {
		c.Partition = p.name
	}
	for _, s := range []string{r.EventTime, e.Time} {
		if t, err := time.Parse(time.RFC3339, s); err == nil {
			c.Time = t
			break
		}
	}
	return c
}

// change checks what all events have in common and reads the rest.
func (row Event) change(e envelope, r record) (Change, error) {
	p, err := row.check(e, r)
	if err != nil {
		return Change{}, err
	}
	when, err := time.Parse(time.RFC3339, r.EventTime)
	if err != nil {
		return Change{}, malformed("detail.eventTime", forged, "%q is no time", r.EventTime)
	}
	c := Change{
		Kind: row.Kind, EventID: r.EventID, EventName: r.EventName, Account: e.Account,
		Partition: p.name, Region: r.AWSRegion, Time: when.UTC(), Actor: r.UserIdentity.actor(),
		SourceIP: r.SourceIPAddress, UserAgent: r.UserAgent,
	}
	if err := row.read(r, &c); err != nil {
		return Change{}, err
	}
	return c, nil
}

// check holds the envelope against the record: what says the same thing twice
// must agree, and be possible.
func (row Event) check(e envelope, r record) (partition, error) {
	switch {
	case e.Source != row.Source:
		return partition{}, malformed("source", forged, "%q, and the record is of %s", e.Source, r.EventSource)
	case r.EventSource != row.EventSource:
		return partition{}, malformed("detail.eventSource", forged, "%q, and the envelope is of %s", r.EventSource, e.Source)
	case !slices.Contains(row.DetailTypes, e.DetailType):
		return partition{}, malformed("detail-type", forged, "%q, and %s comes as %q", e.DetailType, row.Name, row.DetailTypes)
	case !eventIDForm.MatchString(r.EventID):
		return partition{}, malformed("detail.eventID", forged, "%q is no event id", r.EventID)
	case !accountForm.MatchString(e.Account):
		return partition{}, malformed("account", forged, "%q is no account id", e.Account)
	case r.RecipientAccountID != e.Account:
		return partition{}, malformed("detail.recipientAccountId", forged, "%q, and the envelope is of account %s", r.RecipientAccountID, e.Account)
	case r.AWSRegion != e.Region:
		return partition{}, malformed("detail.awsRegion", forged, "%q, and the envelope is of Region %q", r.AWSRegion, e.Region)
	}
	p, ok := partitionOf(r.AWSRegion)
	if !ok {
		return partition{}, malformed("detail.awsRegion", forged, "%q is no Region", r.AWSRegion)
	}
	if row.Where == HomeRegion && r.AWSRegion != p.home {
		return partition{}, malformed("detail.awsRegion", forged, "%q, and IAM's events of the partition %s appear in %s", r.AWSRegion, p.name, p.home)
	}
	return p, nil
}
