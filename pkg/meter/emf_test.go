package meter_test

import (
	"bytes"
	"errors"
	"io"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rolewarden/rolewarden/pkg/meter"
	"github.com/rolewarden/rolewarden/pkg/meter/metertest"
)

var noon = time.Date(2026, 8, 11, 12, 0, 0, 123456789, time.UTC)

func clock() time.Time { return noon }

// desk is a meter and what it wrote.
type desk struct {
	*meter.Meter
	out bytes.Buffer
}

func newDesk(function string) *desk {
	d := &desk{}
	d.Meter = meter.New(meter.Config{Function: function, Out: &d.out, Now: clock})
	return d
}

// One Put is one line, which CloudWatch understands: namespace, the one
// dimension, milliseconds of the clock that was given.
func TestOnePutIsOneLineThatCloudWatchUnderstands(t *testing.T) {
	d := newDesk(meter.Guard)
	d.Put(
		meter.Count(meter.EventsReceived, 7), meter.Seconds(meter.DecisionSeconds, 1500*time.Millisecond),
		meter.Seconds(meter.DecisionSeconds, 2*time.Second), meter.Count(meter.EventsReceived, 1),
		meter.Value(meter.RulesFingerprint, 4294967295),
	)
	d.Put()
	want := `{"DecisionSeconds":[1.5,2],"EventsReceived":8,"Function":"guard","RulesFingerprint":4294967295,"_aws":{"Timestamp":1786449600123,"CloudWatchMetrics":[{"Namespace":"Rolewarden","Dimensions":[["Function"]],"Metrics":[{"Name":"EventsReceived","Unit":"Count"},{"Name":"DecisionSeconds","Unit":"Seconds"},{"Name":"RulesFingerprint","Unit":"None"}]}]}}` + "\n"
	if diff := cmp.Diff(want, d.out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	got := metertest.Lines(t, d.out.String())
	if len(got) != 1 || !got[0].Time.Equal(noon.Truncate(time.Millisecond)) || got[0].Function != "guard" {
		t.Errorf("%+v", got)
	}
}

// Nothing that is put is lost, however much it is: counts keep their sum and
// other values keep their number, within CloudWatch's limits for a line.
func TestNoValueIsLostToTheLimitsOfTheFormat(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		var samples []meter.Sample
		counts := rapid.SliceOf(rapid.IntRange(0, 1000)).Draw(r, "counts")
		// Slices are short as a rule: the limit is met on purpose.
		n := rapid.SampledFrom([]int{0, 1, 2, 99, 100, 101, 200, 201, 1000}).Draw(r, "values")
		seconds := rapid.SliceOfN(rapid.Float64Range(0, 1e6), n, n).Draw(r, "seconds")
		sum := 0
		for _, n := range counts {
			sum += n
			samples = append(samples, meter.Count(meter.CanaryAccounts, n))
		}
		for _, v := range seconds {
			samples = append(samples, meter.Value(meter.CanarySeconds, v))
		}
		d := newDesk(meter.Canary)
		d.Put(samples...)
		lines := metertest.Lines(t, d.out.String())
		var got []float64
		for _, l := range lines {
			got = append(got, l.Values[meter.CanarySeconds]...)
		}
		if metertest.Sum(lines, meter.CanaryAccounts) != float64(sum) || !cmp.Equal(seconds, got) && len(seconds)+len(got) > 0 {
			r.Errorf("%d counts and %d values became %v", len(counts), len(seconds), lines)
		}
		if want := max(min(len(samples), 1), (len(seconds)+99)/100); len(lines) != want {
			r.Errorf("%d lines, want %d", len(lines), want)
		}
	})
}

// What the table does not hold, and what is no number, is a mistake that
// somebody hears of; it is never emitted under a name that no alarm looks at.
func TestWhatTheTableDoesNotHoldIsAnAlarm(t *testing.T) {
	for name, s := range map[string]meter.Sample{
		"an unknown metric":      meter.Count("Accounts/111122223333", 5),
		"no name":                meter.Count("", 1),
		"another function's":     meter.Count(meter.AlertTold, 1),
		"no number":              meter.Value(meter.DecisionSeconds, math.NaN()),
		"more than can be said":  meter.Value(meter.DecisionSeconds, math.Inf(1)),
		"the format's own place": meter.Count("_aws", 1),
	} {
		d := newDesk(meter.Guard)
		d.Put(s, meter.Count(meter.Decided, 2))
		lines := metertest.Lines(t, d.out.String())
		if metertest.Sum(lines, meter.Alarm) != 1 || metertest.Sum(lines, meter.Decided) != 2 || len(metertest.Names(lines)) != 2 {
			t.Errorf("%s: %v", name, lines)
		}
	}
}

// Clocks differ: an event from the future took no time, not less.
func TestNothingTakesLessThanNoTime(t *testing.T) {
	if s := meter.Seconds(meter.DecisionSeconds, -3*time.Second); s.Value != 0 {
		t.Errorf("%+v", s)
	}
}

// sink fails while it is full, having taken a part of what it was given.
type sink struct {
	bytes.Buffer
	full error
	part int
}

func (s *sink) Write(p []byte) (int, error) {
	if s.full == nil && s.part == 0 {
		return s.Buffer.Write(p)
	}
	n, _ := s.Buffer.Write(p[:s.part])
	return n, s.full
}

// A line that cannot be written is not forgotten: Err says why, and the next
// line that can be written tells how many are missing, whole and on its own.
func TestLinesThatCannotBeWrittenAreCounted(t *testing.T) {
	for name, fault := range map[string]struct {
		full error
		part int
	}{
		"it refuses": {full: errors.New("no space left")}, "it takes a part": {part: 20}, "it takes a part and says so": {full: io.ErrClosedPipe, part: 1},
	} {
		t.Run(name, func(t *testing.T) {
			s := &sink{}
			m := meter.New(meter.Config{Function: meter.Notify, Out: s, Now: clock})
			s.full, s.part = fault.full, fault.part
			m.Put(meter.Count(meter.AlertTold, 1))
			m.Put(meter.Count(meter.AlertTold, 1))
			want := fault.full
			if want == nil {
				want = io.ErrShortWrite
			}
			if err := m.Err(); !errors.Is(err, want) || !strings.Contains(err.Error(), "2 lines") {
				t.Errorf("Err is %v", err)
			}
			s.full, s.part = nil, 0
			m.Put(meter.Count(meter.AlertTold, 5))
			if m.Err() != nil {
				t.Errorf("Err is %v", m.Err())
			}
			all := slices.Collect(strings.Lines(s.String()))
			lines := metertest.Lines(t, strings.Join(all[len(all)-2:], ""))
			if metertest.Sum(lines, meter.AlertTold) != 5 || metertest.Sum(lines, meter.Unwritten) != 2 {
				t.Errorf("%v of\n%s", lines, s.String())
			}
		})
	}
}

// A meter that was not given its parts says so, and stops nobody.
func TestAMeterWithoutItsPartsSaysSo(t *testing.T) {
	for part, c := range map[string]meter.Config{"Out": {Now: clock}, "Now": {Out: io.Discard}} {
		m := meter.New(c)
		m.Put(meter.Count(meter.Decided, 1))
		if err := m.Err(); err == nil || !strings.Contains(err.Error(), "Config."+part+" is not set") {
			t.Errorf("%s: %v", part, err)
		}
	}
}

// narrow is a writer for one at a time.
type narrow struct {
	inside atomic.Int32
	mixed  atomic.Bool
}

func (n *narrow) Write(p []byte) (int, error) {
	n.mixed.Store(n.mixed.Load() || n.inside.Add(1) > 1)
	runtime.Gosched()
	n.inside.Add(-1)
	return len(p), nil
}

// Messages are handled side by side: their lines never mix.
func TestLinesOfManyDoNotMix(t *testing.T) {
	out := &narrow{}
	m := meter.New(meter.Config{Function: meter.Guard, Out: out, Now: clock})
	var wg sync.WaitGroup
	for range 200 {
		wg.Go(func() { m.Put(meter.Count(meter.EventsReceived, 1)) })
	}
	wg.Wait()
	if out.mixed.Load() || m.Err() != nil {
		t.Errorf("two lines were written at the same time, %v", m.Err())
	}
}
