package ledgertest

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rolewarden/rolewarden/pkg/ledger"
)

func letterPromises() []promise {
	return []promise{
		{"a letter is kept with the end and given back until it is delivered", letterKept},
		{"letters come oldest first, over all events and none, and no more than asked for", lettersInOrder},
		{"of a conclusion that records nothing no letter is kept", letterWithoutEnd},
		{"of fifty conclusions of one event the letters of exactly one are kept", letterRace},
		{"a letter delivered twice, or never kept, is no error", deliveredTwice},
		{"a letter is delivered by its event and ID alone", deliveredByName},
		{"takings and deliveries at once neither lose nor invent a letter", deliveredRace},
		{"letters whose names look alike are two", letterNames},
		{"a letter is posted once per token, also under concurrency", postOnce},
		{"a post under the ID of a letter that waits is refused, and both are kept safe", postWaits},
		{"the largest letters come back byte for byte", letterLarge},
		{"a letter that could not be kept or found again is refused", letterRefused},
	}
}

// letter is one of an event, written some seconds into the story.
func letter(event, id string, seconds int) ledger.Letter {
	return ledger.Letter{ID: id, Event: key(event), Body: []byte(`{"id":"` + id + `"}`), After: key("before-" + event), At: at(seconds)}
}

// posted is one that no event led to.
func posted(id string, seconds int) ledger.Letter {
	l := letter("", id, seconds)
	l.Event = ledger.Key{}
	return l
}

func tell(t *testing.T, l ledger.Ledger, event string, letters ...ledger.Letter) {
	t.Helper()
	conclude(t, l, ledger.Conclusion{Event: key(event), End: ledger.Told, At: at(1), Letters: letters})
}

func deliver(t *testing.T, l ledger.Ledger, x ledger.Letter) {
	t.Helper()
	if err := l.Delivered(t.Context(), x); err != nil {
		t.Fatal(err)
	}
}

func post(t *testing.T, l ledger.Ledger, token string, x ledger.Letter) ledger.Firstness {
	t.Helper()
	first, err := l.Post(t.Context(), token, x)
	if err != nil {
		t.Fatal(err)
	}
	return first
}

func undelivered(t *testing.T, l ledger.Ledger, limit int) []ledger.Letter {
	t.Helper()
	got, err := l.Undelivered(t.Context(), limit)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// I7: whatever stops after the end, the next taking brings what people have to be told.
func letterKept(t *testing.T, l ledger.Ledger) {
	first, second := letter("e1", "a", 2), letter("e1", "b", 1)
	equal(t, "before the end", take(t, l, key("e1")).Letters, nil)
	tell(t, l, "e1", first, second)
	equal(t, "after the end", take(t, l, key("e1")), ledger.Taken{End: ledger.Told, Attempts: 2, Letters: []ledger.Letter{second, first}})
	deliver(t, l, second)
	equal(t, "after one was delivered", take(t, l, key("e1")).Letters, []ledger.Letter{first})
	equal(t, "those that wait", undelivered(t, l, 9), []ledger.Letter{first})
	deliver(t, l, first)
	equal(t, "after both were", take(t, l, key("e1")), ledger.Taken{End: ledger.Told, Attempts: 4})
	equal(t, "those that wait", undelivered(t, l, 9), nil)
}

func lettersInOrder(t *testing.T, l ledger.Ledger) {
	equal(t, "of none", undelivered(t, l, 1), nil)
	want := make([]ledger.Letter, 20)
	for _, i := range rand.New(rand.NewPCG(1, 2)).Perm(len(want)) {
		if i%3 == 0 {
			want[i] = posted(fmt.Sprint("p", i), i)
			post(t, l, fmt.Sprint("t", i), want[i])
			continue
		}
		event := fmt.Sprint("e", i)
		want[i] = letter(event, fmt.Sprint("a", i), i)
		tell(t, l, event, want[i])
	}
	for _, limit := range []int{1, 7, 19, 20, 21, 5000} {
		equal(t, fmt.Sprint("at most ", limit), undelivered(t, l, limit), want[:min(limit, len(want))])
	}
	deliver(t, l, want[0])
	deliver(t, l, want[1])
	equal(t, "after the two oldest", undelivered(t, l, 3), want[2:5])
}

func letterWithoutEnd(t *testing.T, l ledger.Ledger) {
	alerted := state("AROA1", "e1", 10)
	remember(t, l, alerted)
	clean := state("AROA1", "e2", 20)
	wants(t, l.Conclude(t.Context(), ledger.Conclusion{
		Event: key("e2"), End: ledger.Compliant, At: at(21), State: &clean, Expect: ledger.NoOpenAlert,
		Letters: []ledger.Letter{letter("e2", "a", 21)},
	}), ledger.ErrOpenAlert)
	tell(t, l, "e1", letter("e1", "late", 30))
	refused(t, "an end that is none", l.Conclude(t.Context(), ledger.Conclusion{Event: key("e3"), Letters: []ledger.Letter{letter("e3", "a", 1)}}))
	equal(t, "those that wait", undelivered(t, l, 9), nil)
	equal(t, "the ended event's", take(t, l, key("e1")).Letters, nil)
	// The state may be too old to be kept; what is to be told is kept all the same.
	older := state("AROA1", "e0", 5)
	conclude(t, l, ledger.Conclusion{Event: key("e0"), End: ledger.Told, At: at(40), State: &older, Letters: []ledger.Letter{letter("e0", "a", 40)}})
	equal(t, "the older event's", undelivered(t, l, 9), []ledger.Letter{letter("e0", "a", 40)})
}

func letterRace(t *testing.T, l ledger.Ledger) {
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			s := state("AROA1", "e1", 5)
			s.Decision = fmt.Sprint("d", i)
			c := ledger.Conclusion{Event: key("e1"), End: ledger.Told, At: at(9), State: &s, Letters: []ledger.Letter{letter("e1", s.Decision, i)}}
			if err := l.Conclude(t.Context(), c); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	got, _ := readState(t, l, account, "AROA1")
	letters := undelivered(t, l, 99)
	if len(letters) != 1 || letters[0].ID != got.Decision {
		t.Errorf("the state is of the conclusion %s and the letters are %v", got.Decision, letters)
	}
	equal(t, "the event's", take(t, l, key("e1")).Letters, letters)
}

func deliveredTwice(t *testing.T, l ledger.Ledger) {
	deliver(t, l, letter("e1", "never kept", 1))
	deliver(t, l, posted("never kept", 1))
	keep := letter("e1", "b", 1)
	tell(t, l, "e1", letter("e1", "a", 1), keep)
	post(t, l, "t", posted("a", 1))
	for range 2 {
		deliver(t, l, letter("e1", "a", 1))
		deliver(t, l, posted("a", 1))
	}
	deliver(t, l, letter("e2", "b", 1))
	equal(t, "those that wait", undelivered(t, l, 9), []ledger.Letter{keep})
	equal(t, "the event's", take(t, l, key("e1")).Letters, []ledger.Letter{keep})
}

func deliveredByName(t *testing.T, l ledger.Ledger) {
	tell(t, l, "e1", letter("e1", "a", 5), letter("e1", "b", 6))
	post(t, l, "t", posted("c", 7))
	deliver(t, l, ledger.Letter{Event: key("e1"), ID: "a"})
	deliver(t, l, letter("e1", "b", 99))
	deliver(t, l, ledger.Letter{ID: "c"})
	equal(t, "those that wait", undelivered(t, l, 9), nil)
	equal(t, "the event's", take(t, l, key("e1")).Letters, nil)
}

func deliveredRace(t *testing.T, l ledger.Ledger) {
	var letters []ledger.Letter
	for i := range 10 {
		letters = append(letters, letter("e1", fmt.Sprint("a", i), i))
	}
	tell(t, l, "e1", letters...)
	var wg sync.WaitGroup
	for i := range 24 {
		wg.Go(func() {
			if i%3 == 0 {
				taken, err := l.Take(t.Context(), key("e1"), at(50))
				for _, x := range taken.Letters {
					if !slices.ContainsFunc(letters, func(y ledger.Letter) bool { return x.ID == y.ID && bytes.Equal(x.Body, y.Body) }) {
						t.Errorf("the letter %q was never written", x.ID)
					}
				}
				if err != nil || len(taken.Letters) < 2 {
					t.Errorf("a taking gives %d letters, %v", len(taken.Letters), err)
				}
				return
			}
			if err := l.Delivered(t.Context(), letters[i%8]); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	equal(t, "those that wait", undelivered(t, l, 99), letters[8:])
}

func letterNames(t *testing.T, l ledger.Ledger) {
	alike := []ledger.Letter{letter("e1", "x#y", 1), letter("e1#x", "y", 1), letter("e1", "x", 1), letter("e1", "X", 1), posted("x", 1), posted("e1#x", 1)}
	far := letter("e1", "x", 1)
	far.Event.Account = other
	for i, x := range alike {
		switch {
		case x.Event == (ledger.Key{}):
			post(t, l, fmt.Sprint(i), x)
		case x.ID == "y":
			tell(t, l, "e1#x", x)
		}
	}
	tell(t, l, "e1", alike[0], alike[2], alike[3])
	conclude(t, l, ledger.Conclusion{Event: far.Event, End: ledger.Told, At: at(1), Letters: []ledger.Letter{far}})
	want := append(slices.Clone(alike), far)
	ledger.SortLetters(want)
	equal(t, "those that wait", undelivered(t, l, 99), want)
	for len(want) > 0 {
		deliver(t, l, want[0])
		want = want[1:]
		equal(t, "those that still wait", undelivered(t, l, 99), want)
	}
}

func postOnce(t *testing.T, l ledger.Ledger) {
	var firsts atomic.Int32
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			first, err := l.Post(t.Context(), "t1", posted("a", 1))
			if err != nil {
				t.Error(err)
			}
			if first == ledger.First {
				firsts.Add(1)
			}
		})
	}
	wg.Wait()
	equal(t, "how many were First", firsts.Load(), 1)
	equal(t, "another letter under the token", post(t, l, "t1", posted("b", 2)), ledger.Again)
	equal(t, "those that wait", undelivered(t, l, 9), []ledger.Letter{posted("a", 1)})
	deliver(t, l, posted("a", 1))
	equal(t, "after the delivery", post(t, l, "t1", posted("a", 1)), ledger.Again)
	equal(t, "those that wait", undelivered(t, l, 9), nil)
}

func postWaits(t *testing.T, l ledger.Ledger) {
	equal(t, "the first", post(t, l, "t1", posted("a", 1)), ledger.First)
	_, err := l.Post(t.Context(), "t2", posted("a", 2))
	wants(t, err, ledger.ErrLetterWaits)
	equal(t, "those that wait", undelivered(t, l, 9), []ledger.Letter{posted("a", 1)})
	equal(t, "the first again", post(t, l, "t1", posted("a", 1)), ledger.Again)
	deliver(t, l, posted("a", 1))
	equal(t, "once it is delivered", post(t, l, "t2", posted("a", 2)), ledger.First)
	equal(t, "those that wait", undelivered(t, l, 9), []ledger.Letter{posted("a", 2)})
}

func letterLarge(t *testing.T, l ledger.Ledger) {
	large, odd := letter("e1", "large", 1), letter("e1", "odd", 2)
	large.Body = make([]byte, 350_000)
	random := rand.NewChaCha8([32]byte{1})
	_, _ = random.Read(large.Body)
	odd.Body = []byte{0x1f, 0x8b, 0xff, 0}
	tell(t, l, "e1", large, odd)
	p := posted("p", 3)
	p.Body = bytes.Repeat([]byte("\xff\x00{} "), 60_000)
	post(t, l, "t", p)
	for i, got := range undelivered(t, l, 3) {
		if want := []ledger.Letter{large, odd, p}[i]; !bytes.Equal(got.Body, want.Body) {
			t.Errorf("the letter %s of %d bytes came back with %d", want.ID, len(want.Body), len(got.Body))
		}
	}
	equal(t, "the event's", len(take(t, l, key("e1")).Letters), 2)
}

func letterRefused(t *testing.T, l ledger.Ledger) {
	change := func(f func(*ledger.Letter)) ledger.Letter {
		x := letter("e1", "a", 1)
		f(&x)
		return x
	}
	bad := map[string][]ledger.Letter{
		"without ID":     {change(func(x *ledger.Letter) { x.ID = "" })},
		"of a long ID":   {change(func(x *ledger.Letter) { x.ID = string(make([]byte, 300)) })},
		"of no text":     {change(func(x *ledger.Letter) { x.ID = "\xff" })},
		"without body":   {change(func(x *ledger.Letter) { x.Body = nil })},
		"too large":      {change(func(x *ledger.Letter) { x.Body = make([]byte, 350_001) })},
		"without time":   {change(func(x *ledger.Letter) { x.At = time.Time{} })},
		"of another":     {letter("e2", "a", 1)},
		"of none":        {posted("a", 1)},
		"of one ID":      {letter("e1", "a", 1), letter("e1", "a", 2)},
		"too many":       slices.Repeat([]ledger.Letter{letter("e1", "a", 1)}, 26),
		"large together": nil,
	}
	for i := range 10 {
		x := letter("e1", fmt.Sprint(i), 1)
		x.Body = make([]byte, 340_000)
		bad["large together"] = append(bad["large together"], x)
	}
	for name, letters := range bad {
		refused(t, "letters "+name, l.Conclude(t.Context(), ledger.Conclusion{Event: key("e1"), End: ledger.Told, At: at(1), Letters: letters}))
	}
	equal(t, "the event", take(t, l, key("e1")), ledger.Taken{First: ledger.First, Attempts: 1})
	for name, x := range map[string]ledger.Letter{"of an event": letter("e1", "a", 1), "without body": {ID: "a", At: at(1)}, "without ID": {Body: []byte("x"), At: at(1)}} {
		_, err := l.Post(t.Context(), "t", x)
		refused(t, "a post "+name, err)
	}
	_, err := l.Post(t.Context(), "", posted("a", 1))
	refused(t, "a post without token", err)
	for _, x := range []ledger.Letter{{}, {Event: key("e1")}, {ID: "a", Event: ledger.Key{Account: account}}} {
		refused(t, "the delivery of what is not named", l.Delivered(t.Context(), x))
	}
	for _, limit := range []int{0, -1} {
		_, err := l.Undelivered(t.Context(), limit)
		refused(t, "a reading of nothing", err)
	}
	equal(t, "those that wait", undelivered(t, l, 9), nil)
}
