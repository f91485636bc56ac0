package chaos

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/rolewarden/rolewarden/pkg/guard"
	"github.com/rolewarden/rolewarden/pkg/invariant"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/org"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// epoch is when every episode begins.
var epoch = time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)

// world is the site with all that happens around it, on one clock. What
// happens next is the first thing on the agenda.
type world struct {
	site
	rng     *rand.Rand
	sky     weather
	history *invariant.History
	agenda  agenda
	// sabotage answers a call in place of the site; nil for none.
	sabotage func(c call, do func() reply) (reply, bool)
	ordinal  int
	workers  []*worker
	waiting  []*message
	dead     []*message
	outages  []outage
	rules    *org.Rules
	variants []*org.Rules
	healed   bool
	events   int
	runs     int
	bodies   [][]byte
	// unseen are roles of whose present state no event tells.
	unseen map[string]bool
	// about are the roles that events are about.
	about map[ledger.Key]string
	// wars are documents that infrastructure code puts back.
	wars    map[string]war
	count   Count
	onTrace func(line string)
	err     error
}

// message is a message on the intake or the later queue.
type message struct {
	key      ledger.Key
	body     []byte
	kind     messageKind
	what     string
	receives int
	// command is what a person does.
	command command
}

// messageKind says for whom a message is.
type messageKind uint8

const (
	intake messageKind = iota
	later
	// sweeping is a message of the sweep's queue, ticking one of its schedule, and
	// delivering one of the schedule that sends alerts again.
	sweeping
	ticking
	delivering
	// personal is a person's command.
	personal
)

// item is something that happens at a time.
type item struct {
	at    time.Time
	order int
	do    func()
}

type agenda []item

func (a agenda) Len() int { return len(a) }
func (a agenda) Less(i, j int) bool {
	if a[i].at.Equal(a[j].at) {
		return a[i].order < a[j].order
	}
	return a[i].at.Before(a[j].at)
}
func (a agenda) Swap(i, j int) { a[i], a[j] = a[j], a[i] }

// Push implements heap.Interface.
func (a *agenda) Push(x any) { *a = append(*a, x.(item)) }

// Pop implements heap.Interface.
func (a *agenda) Pop() any {
	last := (*a)[len(*a)-1]
	(*a)[len(*a)-1] = item{}
	*a = (*a)[:len(*a)-1]
	return last
}

func (w *world) at(t time.Time, do func()) {
	w.ordinal++
	heap.Push(&w.agenda, item{at: t, order: w.ordinal, do: do})
}

func (w *world) in(d time.Duration, do func()) { w.at(w.now.Add(d), do) }

// step lets the next thing happen; false when there is nothing left.
func (w *world) step() bool {
	if len(w.agenda) == 0 {
		return false
	}
	next := heap.Pop(&w.agenda).(item)
	if next.at.After(w.now) {
		w.now = next.at
	}
	w.count.Steps++
	next.do()
	w.deliver()
	return true
}

func (w *world) trace(format string, args ...any) {
	if w.onTrace != nil {
		w.onTrace(fmt.Sprintf("%10s  %-8s ", w.now.Sub(epoch).Round(time.Millisecond), "chaos") + fmt.Sprintf(format, args...))
	}
}

// note tells the history a fact.
func (w *world) note(run int, f invariant.Fact) {
	w.history.Add(w.now, run, f)
	if w.onTrace != nil {
		w.onTrace(invariant.Entry{At: w.now, Run: run, Fact: f}.Line(epoch))
	}
	switch f := f.(type) {
	case invariant.Wrote:
		if run > 0 && f.Call == invariant.UpdateTrust {
			w.count.Writes++
			w.fights(f.Role.Ref())
		}
	case invariant.Told:
		w.count.Alerts++
		w.regret(f.Alert)
		w.history.Say(w.now, run, "an alert", string(f.Alert.JSON()))
	case invariant.Concluded:
		w.count.Ends[f.Conclusion.End]++
		if strings.HasPrefix(f.Conclusion.Event.EventID, "sweep/") {
			w.count.Found++
		}
		if c := f.Conclusion; c.State == nil && c.End != ledger.Rejected && w.about[c.Event] != "" {
			// Nobody could read the role, of which people were told.
			w.unseen[w.about[c.Event]] = true
		}
	}
}

// flush takes what calls left behind: events of writes, and steps to wait for.
func (w *world) flush() {
	for _, e := range w.emitted {
		w.publish(e)
	}
	w.emitted = w.emitted[:0]
	for _, s := range w.sent {
		if guard.Unwitnessed(s.Change.EventID) && s.Step == guard.Sighted {
			w.note(0, invariant.Arrived{Key: ledger.Key{Account: s.Change.Account, EventID: s.Change.EventID}})
		}
		body, err := s.Body()
		if err != nil {
			w.err = err
			continue
		}
		m := &message{key: ledger.Key{Account: s.Change.Account, EventID: s.Change.EventID}, body: body, kind: later, what: fmt.Sprintf("%s %d of %s", s.Step, s.Attempt, s.Change.EventID)}
		delay := min(s.Delay(w.now), 15*time.Minute)
		if w.chance(w.sky.again) {
			delay /= 2
		}
		w.in(delay, func() { w.waiting = append(w.waiting, m) })
	}
	w.sent = w.sent[:0]
	for _, e := range w.errands {
		w.errand(e)
	}
	w.errands = w.errands[:0]
}

// eventID gives the next event its id.
func (w *world) eventID(string) string {
	w.events++
	return fmt.Sprintf("ev-%d", w.events)
}

// publish lets CloudTrail and EventBridge tell of a change: never, once, or
// more than once, in whatever order.
func (w *world) publish(e emission) {
	w.count.Events++
	if e.id == "" {
		e.id = w.eventID("")
	}
	id, told := e.id, e.told()
	key := ledger.Key{Account: told.account, EventID: id}
	if w.chance(w.sky.lost) {
		w.count.Lost++
		w.note(0, invariant.Lost{Key: key})
		w.unsee(e)
		return
	}
	body := told.body()
	if len(w.bodies) < 200 {
		w.bodies = append(w.bodies, body)
	}
	if e.ref.Name != "" {
		delete(w.unseen, place(e.ref))
		w.about[key] = place(e.ref)
	}
	w.note(0, invariant.Arrived{Key: key, Document: told.document()})
	copies := 1
	if w.chance(w.sky.twice) {
		copies += 1 + w.rng.IntN(9)
	}
	w.count.Duplicates += copies - 1
	for range copies {
		delay := time.Duration(500+w.rng.IntN(5000)) * time.Millisecond
		if w.chance(w.sky.shuffled) {
			delay = time.Duration(w.rng.Int64N(int64(15 * time.Minute)))
		}
		if w.chance(w.sky.late) {
			delay += 24 * time.Hour
			w.count.Late++
		}
		m := &message{key: key, body: body, what: e.event + " " + id + " of " + e.ref.String()}
		w.in(delay, func() { w.waiting = append(w.waiting, m) })
	}
}

// unsee notes that no event tells of a role's present state.
func (w *world) unsee(e emission) {
	if e.ref.Name != "" {
		w.unseen[place(e.ref)] = true
	}
}

// deliver hands waiting messages to free workers, in no order.
func (w *world) deliver() {
	for len(w.waiting) > 0 {
		var free *worker
		for _, k := range w.workers {
			if k.fiber == nil {
				free = k
				break
			}
		}
		if free == nil {
			return
		}
		i := w.rng.IntN(len(w.waiting))
		m := w.waiting[i]
		w.waiting[i] = w.waiting[len(w.waiting)-1]
		w.waiting = w.waiting[:len(w.waiting)-1]
		free.begin(m)
	}
}

// truth gives every role as it really is, in a fixed order.
func (w *world) truth() []role.Role {
	var out []role.Role
	for _, k := range sortedKeys(w.iam.roles) {
		rec := w.iam.roles[k]
		if r, ok := w.iam.render(rec.versions[len(rec.versions)-1]); ok {
			out = append(out, r)
		}
	}
	return out
}
