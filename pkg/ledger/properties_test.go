package ledger_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/rolewarden/rolewarden/pkg/ledger"
)

func moment(seconds int) time.Time {
	return time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC).Add(time.Duration(seconds) * time.Second)
}

// outbox says by itself which letters must wait: all that were kept with an end
// or posted, less those that were delivered.
type outbox struct {
	l       *ledger.Memory
	waiting []ledger.Letter
	ended   map[string]bool
	posted  map[string]bool
}

func (o *outbox) waits(name string) bool {
	return slices.ContainsFunc(o.waiting, func(l ledger.Letter) bool { return l.Name() == name })
}

func (o *outbox) letter(t *rapid.T, k ledger.Key) ledger.Letter {
	return ledger.Letter{
		ID: rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "letter"), Event: k,
		At: moment(rapid.IntRange(0, 9).Draw(t, "written")), Body: []byte(rapid.StringN(1, 9, -1).Draw(t, "body")),
	}
}

func (o *outbox) conclude(t *rapid.T) {
	k := ledger.Key{Account: "111122223333", EventID: rapid.StringMatching(`e[1-9]`).Draw(t, "event")}
	c := ledger.Conclusion{Event: k, End: ledger.Told, At: moment(9)}
	for range rapid.IntRange(0, 3).Draw(t, "letters") {
		if l := o.letter(t, k); !slices.ContainsFunc(c.Letters, func(x ledger.Letter) bool { return x.ID == l.ID }) {
			c.Letters = append(c.Letters, l)
		}
	}
	if err := o.l.Conclude(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if !o.ended[k.EventID] {
		o.waiting, o.ended[k.EventID] = append(o.waiting, c.Letters...), true
	}
}

func (o *outbox) post(t *rapid.T) {
	token, l := rapid.StringMatching(`t[1-9]`).Draw(t, "token"), o.letter(t, ledger.Key{})
	first, err := o.l.Post(t.Context(), token, l)
	switch {
	case o.posted[token]:
		if first != ledger.Again || err != nil {
			t.Fatalf("a spent token answers %s, %v", first, err)
		}
	case o.waits(l.Name()):
		if !errors.Is(err, ledger.ErrLetterWaits) {
			t.Fatalf("a post over a letter that waits answers %s, %v", first, err)
		}
	case first != ledger.First || err != nil:
		t.Fatalf("a new post answers %s, %v", first, err)
	default:
		o.waiting, o.posted[token] = append(o.waiting, l), true
	}
}

func (o *outbox) deliver(t *rapid.T) {
	if len(o.waiting) == 0 {
		t.Skip("nothing waits")
	}
	at := rapid.IntRange(0, len(o.waiting)-1).Draw(t, "which")
	if err := o.l.Delivered(t.Context(), o.waiting[at]); err != nil {
		t.Fatal(err)
	}
	o.waiting = slices.Delete(o.waiting, at, at+1)
}

// holds wants the letters that must wait and no others, the oldest first.
func (o *outbox) holds(t *rapid.T) {
	got, err := o.l.Undelivered(t.Context(), 1000)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.IsSortedFunc(got, func(a, b ledger.Letter) int { return a.At.Compare(b.At) }) {
		t.Fatalf("the letters are not in order: %v", got)
	}
	if len(got) != len(o.waiting) {
		t.Fatalf("%d letters wait, want %d", len(got), len(o.waiting))
	}
	for _, l := range got {
		at := slices.IndexFunc(o.waiting, func(x ledger.Letter) bool { return x.Name() == l.Name() })
		if at < 0 || string(o.waiting[at].Body) != string(l.Body) {
			t.Fatalf("the letter %s is not as it was written", l.Name())
		}
	}
}

// I7: no letter is lost and none is invented, whatever is concluded, posted and
// delivered in whatever order.
func TestNoLetterIsLost(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		o := &outbox{l: ledger.NewMemory(), ended: map[string]bool{}, posted: map[string]bool{}}
		t.Repeat(map[string]func(*rapid.T){"conclude": o.conclude, "post": o.post, "deliver": o.deliver, "": o.holds})
	})
}

// I10: between two resets no more is let through under a breaker's name in one
// window than its limit, and from its limit on nothing at all; what was refused
// left no trace.
func TestNoBreakerLetsMoreThroughThanItsLimit(t *testing.T) {
	t.Parallel()
	const limit = 3
	rapid.Check(t, func(t *rapid.T) {
		l, passed, tripped, n := ledger.NewMemory(), map[int64]int{}, false, 0
		c := ledger.Counter{Name: "organization", Window: time.Hour, Limit: limit, Full: ledger.Trip}
		t.Repeat(map[string]func(*rapid.T){
			"spend": func(t *rapid.T) {
				now := moment(3600 * rapid.IntRange(0, 2).Draw(t, "hour"))
				window := c.Start(now).Unix()
				n++
				err := l.Spend(t.Context(), fmt.Sprint("t", n), now, []ledger.Counter{{Name: "wide", Window: time.Hour, Limit: 1000}, c})
				var stop *ledger.TrippedError
				if tripped != errors.As(err, &stop) || (err != nil) != tripped {
					t.Fatalf("tripped is %v and the spending gives %v", tripped, err)
				}
				if err != nil {
					return
				}
				if passed[window]++; passed[window] == limit {
					tripped = true
				}
			},
			"reset": func(t *rapid.T) {
				err := l.Reset(t.Context(), c.Name, "alice", "a test", moment(0))
				if errors.Is(err, ledger.ErrNotTripped) == tripped {
					t.Fatalf("tripped is %v and the reset gives %v", tripped, err)
				}
				if tripped {
					tripped = false
					clear(passed)
				}
			},
			"": func(t *rapid.T) {
				list, err := l.Breakers(t.Context())
				if err != nil || (len(list) == 1) != tripped {
					t.Fatalf("tripped is %v and the breakers are %v, %v", tripped, list, err)
				}
			},
		})
	})
}

// No two letters have one name, whatever stands in their IDs.
func TestLettersHaveNamesOfTheirOwn(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		draw := func(what string) ledger.Letter {
			part := rapid.StringMatching(`[0-9e#]{0,6}`)
			return ledger.Letter{ID: part.Draw(t, what+" id"), Event: ledger.Key{Account: "111122223333", EventID: part.Draw(t, what+" event")}}
		}
		a, b := draw("one"), draw("other")
		if (a.Name() == b.Name()) != (a.ID == b.ID && a.Event == b.Event) {
			t.Fatalf("%+v and %+v are named %q and %q", a, b, a.Name(), b.Name())
		}
	})
}
