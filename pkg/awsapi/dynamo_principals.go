package awsapi

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/ledger"
)

// principalPart is the partition of all that is known under a name.
func principalPart(p ledger.PrincipalKey) string { return "PRINCIPAL#" + p.Fold().String() }

// partOf is the partition of an ARN: that of its user's or role's name, or one
// of its own.
func partOf(arn string) string {
	if p, ok := ledger.PrincipalOf(arn); ok {
		return principalPart(p)
	}
	return "PRINCIPAL#" + arn
}

func idKey(id string) item { return keyed("ID#"+id, "ID") }

const sightingSort = "ID#"

func sightingKey(id, arn string) item { return keyed(partOf(arn), sightingSort+id+"#"+arn) }

// span is when an id was first and last seen under one ARN.
type span struct {
	id, arn     string
	first, last time.Time
}

// spans joins sightings by id and ARN: a transaction writes an item once.
func spans(ids []ledger.Identity) []span {
	var out []span
	for _, i := range ids {
		at := slices.IndexFunc(out, func(s span) bool { return s.id == i.ID && s.arn == i.ARN })
		if at < 0 {
			out = append(out, span{i.ID, i.ARN, i.SeenAt, i.SeenAt})
			continue
		}
		if i.SeenAt.Before(out[at].first) {
			out[at].first = i.SeenAt
		}
		if i.SeenAt.After(out[at].last) {
			out[at].last = i.SeenAt
		}
	}
	return out
}

// seenSteps records sightings: two writes for each id and ARN. Of two sightings
// at one time the later in the list counts.
func seenSteps(ids []ledger.Identity) []step {
	var out []step
	for _, s := range spans(ids) {
		out = append(out, sightingStep(s))
	}
	newest := map[string]ledger.Identity{}
	var order []string
	for _, i := range ids {
		known, ok := newest[i.ID]
		if !ok {
			order = append(order, i.ID)
		}
		if !ok || !i.SeenAt.Before(known.SeenAt) {
			newest[i.ID] = i
		}
	}
	for _, id := range order {
		i := newest[id]
		out = append(out, bearingStep(span{id: id, arn: i.ARN, first: i.SeenAt, last: i.SeenAt}))
	}
	return out
}

// sightingStep widens the time over which an id was seen under an ARN.
func sightingStep(s span) step {
	return step{
		key:       sightingKey(s.id, s.arn),
		update:    "SET id = :id, arn = :arn, firstSeen = if_not_exists(firstSeen, :first), lastSeen = :last",
		condition: "attribute_not_exists(lastSeen) OR (lastSeen <= :last AND firstSeen <= :first)",
		values:    item{":id": text(s.id), ":arn": text(s.arn), ":first": stamp(s.first), ":last": stamp(s.last)},
		again: func(stored item) (*step, error) {
			wider := s
			if first := stampOf(stored, "firstSeen"); first.Before(wider.first) {
				wider.first = first
			}
			if last := stampOf(stored, "lastSeen"); last.After(wider.last) {
				wider.last = last
			}
			next := sightingStep(wider)
			next.update = "SET id = :id, arn = :arn, firstSeen = :first, lastSeen = :last"
			next.condition = "firstSeen = :wasFirst AND lastSeen = :wasLast"
			next.values[":wasFirst"], next.values[":wasLast"] = stored["firstSeen"], stored["lastSeen"]
			next.again = sightingStep(s).again
			return &next, nil
		},
	}
}

// bearingStep records which ARN an id has now, unless it is known from later.
func bearingStep(s span) step {
	return step{
		key:       idKey(s.id),
		update:    "SET id = :id, arn = :arn, arnSeen = :last",
		condition: "attribute_not_exists(arnSeen) OR arnSeen <= :last",
		values:    item{":id": text(s.id), ":arn": text(s.arn), ":last": stamp(s.last)},
		again:     func(item) (*step, error) { return nil, nil },
	}
}

// Record implements ledger.Ledger.
func (d *Dynamo) Record(ctx context.Context, ids []ledger.Identity) error {
	if err := ledger.CheckIdentities(ids); err != nil {
		return err
	}
	steps := seenSteps(ids)
	for len(steps) > 0 {
		n := min(maxSteps, len(steps))
		if err := d.transact(ctx, steps[:n:n]); err != nil {
			return doing(err, "recording identities")
		}
		steps = steps[n:]
	}
	return nil
}

// soundSighting and soundID refuse what cannot be read.
func soundSighting(i item) error {
	return sound(i, []string{"id", "arn", "firstSeen", "lastSeen"}, []string{"firstSeen", "lastSeen"})
}

func soundID(i item) error {
	if err := sound(i, []string{"id", "arn", "arnSeen"}, []string{"arnSeen", "deletedAt"}); err != nil {
		return err
	}
	if i["deletedAt"] == nil && i["deletedEvent"] == nil {
		return nil
	}
	return sound(i, []string{"deletedAt", "deletedEvent", "deletedIn"}, nil)
}

// Identities implements ledger.Ledger.
func (d *Dynamo) Identities(ctx context.Context, arn string) ([]ledger.Identity, error) {
	stored, err := d.query(ctx, partOf(arn), sightingSort)
	if err != nil {
		return nil, doing(err, "reading the identities of %s", arn)
	}
	var out []ledger.Identity
	for _, i := range stored {
		if err := soundSighting(i); err != nil {
			return nil, doing(err, "reading the identities of %s", arn)
		}
		if textOf(i, "arn") == arn {
			out = append(out, ledger.Identity{ID: textOf(i, "id"), ARN: arn, SeenAt: stampOf(i, "lastSeen")})
		}
	}
	ledger.SortIdentities(out)
	return out, nil
}

// Identify implements ledger.Ledger.
func (d *Dynamo) Identify(ctx context.Context, id string) (finding.Principal, bool, error) {
	stored, err := d.get(ctx, idKey(id))
	if err != nil {
		return finding.Principal{}, false, doing(err, "identifying %s", id)
	}
	if stored == nil {
		return finding.Principal{}, false, nil
	}
	if err := soundID(stored); err != nil {
		return finding.Principal{}, false, doing(err, "identifying %s", id)
	}
	b, err := d.bearers(ctx, partOf(textOf(stored, "arn")))
	if err != nil {
		return finding.Principal{}, false, doing(err, "identifying %s", id)
	}
	return b.principal(id), true, nil
}

// bearer is an id with what is stored of it.
type bearer struct {
	stored item
	// since is when it was first seen under the ARN it has now.
	since time.Time
}

// bearers are those who have a name now, by id.
type bearers map[string]bearer

// bearers reads who has a name now, or had it until the end.
func (d *Dynamo) bearers(ctx context.Context, part string) (bearers, error) {
	sightings, err := d.query(ctx, part, sightingSort)
	if err != nil {
		return nil, err
	}
	var keys []item
	since := map[[2]string]time.Time{}
	asked := map[string]bool{}
	for _, s := range sightings {
		if err := soundSighting(s); err != nil {
			return nil, err
		}
		id := textOf(s, "id")
		since[[2]string{id, textOf(s, "arn")}] = stampOf(s, "firstSeen")
		if !asked[id] {
			asked[id] = true
			keys = append(keys, idKey(id))
		}
	}
	stored, err := d.getAll(ctx, keys)
	if err != nil {
		return nil, err
	}
	out := bearers{}
	for _, i := range stored {
		if err := soundID(i); err != nil {
			return nil, err
		}
		id, arn := textOf(i, "id"), textOf(i, "arn")
		if first, ok := since[[2]string{id, arn}]; ok && partOf(arn) == part {
			out[id] = bearer{stored: i, since: first}
		}
	}
	return out, nil
}

func (b bearer) ended() bool { return textOf(b.stored, "deletedEvent") != "" }

// principal tells an id's history from all who have its name.
func (all bearers) principal(id string) finding.Principal {
	b := all[id]
	p := finding.Principal{
		ID: id, ARN: textOf(b.stored, "arn"),
		DeletedBy: textOf(b.stored, "deletedBy"), DeletedAt: stampOf(b.stored, "deletedAt"), DeletedEvent: textOf(b.stored, "deletedEvent"),
	}
	var others []ledger.Bearer
	for other, o := range all {
		if other != id && textOf(o.stored, "arn") == p.ARN {
			others = append(others, ledger.Bearer{ID: other, Since: o.since, Ended: o.ended()})
		}
	}
	p.LivesAgainAs = ledger.LivesAgain(ledger.Bearer{ID: id, Since: b.since, Ended: b.ended()}, others)
	return p
}

// before gives the ids, in order, that had the name at a time.
func (all bearers) before(at time.Time) []string {
	var out []string
	for id, b := range all {
		if b.since.Before(ledger.Until(at)) {
			out = append(out, id)
		}
	}
	slices.SortFunc(out, strings.Compare)
	return out
}
