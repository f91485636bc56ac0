package awsapi_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rolewarden/rolewarden/pkg/awsapi"
	"github.com/rolewarden/rolewarden/pkg/lab"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// paceClock is a clock that waiting sets forward.
type paceClock struct {
	mu    sync.Mutex
	at    time.Time
	waits []time.Duration
	ended error
}

func (c *paceClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *paceClock) wait(_ context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waits = append(c.waits, d)
	c.at = c.at.Add(d)
	return c.ended
}

func paceOf(t testing.TB, c *paceClock, perSecond int) *awsapi.Pace {
	t.Helper()
	p, err := awsapi.NewPace(awsapi.PaceConfig{Now: c.now, Wait: c.wait, PerSecond: perSecond})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Where nothing else is said an account gets five calls a second: that is what
// people are told a sweep takes of it.
func TestAnAccountGetsFiveCallsASecondUnlessMoreIsSaid(t *testing.T) {
	c := &paceClock{at: now()}
	p := paceOf(t, c, 0)
	began := c.now()
	for range 51 {
		if err := p.Turn(t.Context(), prod); err != nil {
			t.Fatal(err)
		}
	}
	if took := c.now().Sub(began); took != 10*time.Second {
		t.Errorf("51 calls took %s, want 10s", took)
	}
}

// However calls come, an account gets no more of them in any second than was
// said, and nobody waits longer than it takes to keep that.
func TestAnAccountGetsNoMoreCallsThanWasSaid(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := &paceClock{at: now()}
		most := rapid.SampledFrom([]int{1, 2, 5, 10, 1000}).Draw(t, "per second")
		p, err := awsapi.NewPace(awsapi.PaceConfig{Now: c.now, Wait: c.wait, PerSecond: most})
		if err != nil {
			t.Fatal(err)
		}
		calls := map[string][]time.Time{}
		for range rapid.IntRange(1, 60).Draw(t, "calls") {
			c.at = c.at.Add(time.Duration(rapid.IntRange(0, 400).Draw(t, "pause in ms")) * time.Millisecond)
			account := rapid.SampledFrom([]string{prod, hub}).Draw(t, "account")
			before := c.at
			if err := p.Turn(context.Background(), account); err != nil {
				t.Fatal(err)
			}
			if waited := c.at.Sub(before); waited > time.Second {
				t.Fatalf("waited %s", waited)
			}
			calls[account] = append(calls[account], c.at)
		}
		for account, times := range calls {
			for i := range times {
				if i >= most && times[i].Sub(times[i-most]) < time.Second {
					t.Fatalf("%s: %d calls between %s and %s", account, most+1, times[i-most], times[i])
				}
			}
		}
	})
}

// Who is alone does not wait, and no account waits for another.
func TestNoAccountWaitsForAnother(t *testing.T) {
	c := &paceClock{at: now()}
	p := paceOf(t, c, 0)
	for i := range 100 {
		must(t, p.Turn(t.Context(), fmt.Sprintf("%012d", i)))
	}
	if len(c.waits) != 0 {
		t.Errorf("waited %v", c.waits)
	}
	must(t, p.Turn(t.Context(), "000000000000"))
	if d := cmp.Diff([]time.Duration{time.Second / awsapi.DefaultPerSecond}, c.waits); d != "" {
		t.Errorf("the second turn waits (-want +got):\n%s", d)
	}
}

// Turns that are asked for at the same time come one after the other.
func TestTurnsAskedForAtOnceAreSpaced(t *testing.T) {
	c := &paceClock{at: now()}
	still := func(_ context.Context, d time.Duration) error {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.waits = append(c.waits, d)
		return nil
	}
	p, err := awsapi.NewPace(awsapi.PaceConfig{Now: c.now, Wait: still, PerSecond: 10})
	must(t, err)
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if err := p.Turn(context.Background(), prod); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	seen := map[time.Duration]int{}
	for _, d := range c.waits {
		seen[d]++
	}
	for i := 1; i < 20; i++ {
		if d := time.Duration(i) * 100 * time.Millisecond; seen[d] != 1 {
			t.Errorf("%d calls waited %s", seen[d], d)
		}
	}
}

// Who stops waiting makes no call.
func TestWaitingEndsWithItsContext(t *testing.T) {
	c := &paceClock{at: now(), ended: context.Canceled}
	w := labWorld(t)
	a := pacedAccounts(t, w, paceOf(t, c, 1))
	makeRole(t, w, "App", "/")
	_, err := a.Role(t.Context(), ref("App"))
	must(t, err)
	w.wire.take()
	if _, err := a.Role(t.Context(), ref("App")); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if calls := w.wire.calls(); len(calls) != 0 {
		t.Errorf("calls were made: %v", calls)
	}
}

func pacedAccounts(t *testing.T, w *world, p *awsapi.Pace) *awsapi.Accounts {
	t.Helper()
	a, err := awsapi.NewAccounts(awsapi.Config{
		AWS: w.hub, Now: now, ExternalID: awsapi.NewSecret(externalID), Pace: p,
		ReaderRole: "rolewarden/rolewarden-reader", WriterRole: "rolewarden/rolewarden-remediator",
	})
	must(t, err)
	return a
}

// Every reading call in an account takes a turn, and so does each time that the
// SDK sends one again: what IAM throttled is not hammered.
func TestEachAttemptTakesATurn(t *testing.T) {
	reads := map[string]struct {
		call string
		read func(*testing.T, *awsapi.Accounts) error
	}{
		"a role": {"GetRole", func(t *testing.T, a *awsapi.Accounts) error { _, err := a.Role(t.Context(), ref("App")); return err }},
		"a user": {"GetUser", func(t *testing.T, a *awsapi.Accounts) error {
			_, err := a.PrincipalID(t.Context(), "arn:aws:iam::"+prod+":user/bob")
			return err
		}},
		"an account": {"GetAccountAuthorizationDetails", func(t *testing.T, a *awsapi.Accounts) error {
			_, _, _, err := a.Details(t.Context(), prod, "")
			return err
		}},
	}
	for what, r := range reads {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			w, c := labWorld(t), &paceClock{at: now()}
			makeRole(t, w, "App", "/")
			must(t, w.lab.SeedUser(prod, "bob", "/"))
			a := pacedAccounts(t, w, paceOf(t, c, 4))
			must(t, r.read(t, a))
			if len(c.waits) != 0 {
				t.Errorf("the first call waited %v", c.waits)
			}
			w.lab.Inject(lab.Fault{Service: "iam", Action: r.call, Kind: lab.Throttle})
			if err := r.read(t, a); !errors.Is(err, role.ErrThrottled) {
				t.Errorf("got %v, want ErrThrottled", err)
			}
			const every = 250 * time.Millisecond
			if d := cmp.Diff([]time.Duration{every, every, every}, c.waits); d != "" {
				t.Errorf("the attempts waited (-want +got):\n%s", d)
			}
		})
	}
}

func TestAPaceIsChecked(t *testing.T) {
	c := &paceClock{}
	for name, cfg := range map[string]awsapi.PaceConfig{
		"no clock": {Wait: c.wait}, "no wait": {Now: c.now}, "below nothing": {Now: c.now, Wait: c.wait, PerSecond: -1}, "no pace at all": {Now: c.now, Wait: c.wait, PerSecond: 1001},
	} {
		if _, err := awsapi.NewPace(cfg); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}
