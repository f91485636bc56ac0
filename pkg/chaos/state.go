package chaos

import (
	"slices"
	"time"

	"github.com/rolewarden/rolewarden/pkg/invariant"
	"github.com/rolewarden/rolewarden/pkg/ledger"
)

// state is everything at one moment of the model: the clock, IAM, the ledger,
// the queues, where each worker stands, and what others have still to do. A
// state is never changed once it is made; states share what they have in common.
type state struct {
	now     time.Time
	iam     *iam
	iamSum  uint64
	ledger  *remembered
	ended   map[ledger.Key]bool
	queue   []queued
	workers []post
	// foreign is how many of their writes others have made.
	foreign int
	// crashes and stales are how many there may still be.
	crashes, stales int
	runs, own       int
	// ghost is what the checks look at and nobody else: whom was told what, how
	// often, and which writes were lost.
	ghost uint64
	past  *past
	depth int
}

// queued is a message and when it may be taken.
type queued struct {
	message *message
	sum     uint64
	at      time.Time
}

// post is a worker: idle without a position. Until is when a wait is over.
type post struct {
	at    *position
	run   int
	until time.Time
	item  queued
	read  uint64
}

// past is the history of a state, newest first.
type past struct {
	before *past
	entry  invariant.Entry
}

// remembered is a ledger as the calls that made it. The memory itself is made
// anew where a call changes it, since it cannot be copied.
type remembered struct {
	before *remembered
	do     func(*site)
	memory *ledger.Memory
	sum    uint64
	length int
}

// replay makes the memory.
func (r *remembered) replay() *ledger.Memory {
	calls := make([]func(*site), r.length)
	for p := r; p.before != nil; p = p.before {
		calls[p.length-1] = p.do
	}
	m := ledger.NewMemory()
	s := &site{ledger: m, record: func(int, invariant.Fact) {}}
	for _, c := range calls {
		c(s)
	}
	return m
}

// sum names the state. Workers are alike, so their order does not count.
func (s *state) sum(d digests) uint64 {
	h := mix(d.moment(s.now), s.iamSum)
	h = mix(h, s.ledger.sum)
	var queue uint64
	for _, q := range s.queue {
		queue += mix(q.sum, d.moment(maxTime(q.at, s.now)))
	}
	h = mix(h, queue)
	var posts uint64
	for _, p := range s.workers {
		if p.at != nil {
			posts += mix(mix(p.at.id, d.moment(p.until)), p.item.sum)
		}
	}
	h = mix(h, posts)
	return mix(mix(h, uint64(s.foreign)<<16|uint64(s.crashes)<<8|uint64(s.stales)), s.ghost)
}

func maxTime(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// sumIAM names what can still be read of IAM.
func sumIAM(d digests, a *iam) uint64 {
	var h uint64
	for k, rec := range a.roles {
		one := d.text(k)
		for _, v := range rec.versions {
			one = mix(one, d.moment(v.from))
			if v.role != nil {
				one = mix(mix(one, d.text(v.role.ID+v.role.Boundary)), mix(d.of(v.role.Tags), d.text(v.trust.text)))
			}
		}
		h += one
	}
	return mix(h, d.of(a.people))
}

// child is a state that is to become the next one.
func (s *state) child() *state {
	c := *s
	c.workers = slices.Clone(s.workers)
	c.depth++
	return &c
}

// without is the queue without one message.
func (s *state) without(i int) []queued {
	return append(slices.Clone(s.queue[:i]), s.queue[i+1:]...)
}

// entries is the history in order.
func (p *past) entries() []invariant.Entry {
	var out []invariant.Entry
	for ; p != nil; p = p.before {
		out = append(out, p.entry)
	}
	slices.Reverse(out)
	return out
}
