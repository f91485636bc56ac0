package meter_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"log/slog"
	"strconv"
	"strings"
	"testing"
	"testing/slogtest"
	"time"

	"pgregory.net/rapid"

	"github.com/rolewarden/rolewarden/pkg/meter"
	"github.com/rolewarden/rolewarden/pkg/meter/metertest"
)

// pair is a counting handler beside one that does not count, and their texts.
type pair struct {
	*desk
	counting, plain         slog.Handler
	countingText, plainText bytes.Buffer
}

func newPair(function string) *pair {
	p := &pair{desk: newDesk(function)}
	o := &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}
	p.counting = meter.Handler(slog.NewJSONHandler(&p.countingText, o), p.Meter)
	p.plain = slog.NewJSONHandler(&p.plainText, o)
	return p
}

func (p *pair) count(t testing.TB, name string) float64 {
	return metertest.Sum(metertest.Lines(t, p.out.String()), name)
}

// A handler behind which counting stands keeps every rule of slog.
func TestTheHandlerKeepsSlogsRules(t *testing.T) {
	var text bytes.Buffer
	h := meter.Handler(slog.NewJSONHandler(&text, nil), newDesk(meter.Guard).Meter)
	err := slogtest.TestHandler(h, func() []map[string]any {
		var out []map[string]any
		for line := range strings.Lines(text.String()) {
			m := map[string]any{}
			if err := json.Unmarshal([]byte(line), &m); err != nil {
				t.Fatal(err)
			}
			out = append(out, m)
		}
		return out
	})
	if err != nil {
		t.Error(err)
	}
}

// loud is a value that says its word only when it is asked, as slog does.
type loud string

func (l loud) LogValue() slog.Value { return slog.StringValue(string(l)) }

// Whoever logs an alarm has it counted, wherever the word stands.
func TestNothingIsLoggedAsAnAlarmWithoutBeingCounted(t *testing.T) {
	for name, log := range map[string]func(*slog.Logger){
		"in the record":             func(l *slog.Logger) { l.Error("x", "alarm", "held") },
		"at any level":              func(l *slog.Logger) { l.Info("x", "alarm", "held") },
		"in the logger":             func(l *slog.Logger) { l.With("alarm", "held").Error("x") },
		"in a group":                func(l *slog.Logger) { l.WithGroup("g").Error("x", "alarm", "held") },
		"in a logger within groups": func(l *slog.Logger) { l.WithGroup("g").With("alarm", "held").WithGroup("h").Error("x", "a", 1) },
		"in a member of a group":    func(l *slog.Logger) { l.Error("x", slog.Group("g", slog.Group("h", "alarm", "held"))) },
		"as a value that is asked":  func(l *slog.Logger) { l.Error("x", "alarm", loud("held")) },
	} {
		p := newPair(meter.Guard)
		log(slog.New(p.counting))
		log(slog.New(p.plain))
		if n := p.count(t, meter.WritesHeld); n != 1 {
			t.Errorf("%s: counted %v times:\n%s", name, n, p.out.String())
		}
		if p.countingText.String() != p.plainText.String() || p.plainText.Len() == 0 {
			t.Errorf("%s: the record is another one: %s, %s", name, p.countingText.String(), p.plainText.String())
		}
	}
}

// A word that nobody knows, or that another function counts, is an alarm all the same.
func TestAnUnknownWordCountsAsAlarm(t *testing.T) {
	for _, word := range []any{"no-such-word", "", "Panic", 7, errors.New("panic?"), nil, "alert-refused"} {
		p := newPair(meter.Guard)
		slog.New(p.counting).Error("x", "alarm", word)
		if p.count(t, meter.Alarm) != 1 || len(metertest.Names(metertest.Lines(t, p.out.String()))) != 1 {
			t.Errorf("%v: %s", word, p.out.String())
		}
	}
	if got := meter.MetricOf(meter.Guard, "no-such-word"); got != meter.Alarm {
		t.Errorf("an unknown word is said to count %q", got)
	}
}

// Two loggers made of one never count each other's alarms.
func TestSiblingsCountTheirOwn(t *testing.T) {
	p := newPair(meter.Guard)
	parent := slog.New(p.counting).With("alarm", "trouble").With("alarm", "trouble").With("alarm", "trouble")
	one := parent.With("alarm", "held")
	parent.With("alarm", "panic")
	one.Error("x")
	if p.count(t, meter.WritesHeld) != 1 || p.count(t, meter.Panic) != 0 || p.count(t, meter.Trouble) != 3 {
		t.Errorf("counted %s", p.out.String())
	}
}

// A record without the attribute is only a record.
func TestOtherRecordsAreNotCounted(t *testing.T) {
	p := newPair(meter.Guard)
	slog.New(p.counting).With("alarms", "x").WithGroup("alarm").Error("alarm", "reason", "alarm", "Alarm", 1)
	if p.out.Len() > 0 || p.countingText.Len() == 0 {
		t.Errorf("counted %s", p.out.String())
	}
}

// Every word counts its own metric in the function that logs it.
func TestEveryWordHasItsMetric(t *testing.T) {
	known := 0
	for _, word := range words(t) {
		for _, function := range []string{meter.Guard, meter.Notify, meter.Canary, meter.Sweep} {
			if meter.MetricOf(function, word) != meter.Alarm {
				known++
				break
			}
			if function == meter.Sweep {
				t.Errorf("the word %q counts as %s in every function: give it a metric", word, meter.Alarm)
			}
		}
	}
	if known < 20 {
		t.Errorf("only %d words are known", known)
	}
}

// words are the values of the constants whose names begin with Word.
func words(t *testing.T) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "handler.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || !strings.HasPrefix(spec.Names[0].Name, "Word") {
			return true
		}
		word, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, word)
		return true
	})
	return out
}

// A meter that cannot write holds no record back, and a log that cannot write
// is no reason not to count.
func TestNeitherLogNorMeterHoldsTheOtherBack(t *testing.T) {
	var text bytes.Buffer
	m := meter.New(meter.Config{Function: meter.Guard, Out: &sink{full: errors.New("full")}, Now: clock})
	slog.New(meter.Handler(slog.NewJSONHandler(&text, nil), m)).Error("x", "alarm", "panic")
	if !strings.Contains(text.String(), `"alarm":"panic"`) || m.Err() == nil {
		t.Errorf("log %q, %v", text.String(), m.Err())
	}
	d := newDesk(meter.Guard)
	broken := meter.Handler(slog.NewJSONHandler(&sink{full: errors.New("full")}, nil), d.Meter)
	r := slog.NewRecord(time.Time{}, slog.LevelError, "x", 0)
	r.Add("alarm", "panic")
	if err := broken.Handle(context.Background(), r); err == nil || metertest.Sum(metertest.Lines(t, d.out.String()), meter.Panic) != 1 {
		t.Errorf("the log's error is %v, counted %s", err, d.out.String())
	}
}

// Whatever loggers are made of each other, each record comes out as it went in,
// and as many alarms are counted as it shows; what one logger adds is not
// counted for another.
func TestLoggersMadeOfLoggersCountTheirOwn(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		p := newPair(meter.Guard)
		type both struct{ counting, plain *slog.Logger }
		all := []both{{slog.New(p.counting), slog.New(p.plain)}}
		key := rapid.SampledFrom([]string{"alarm", "role", "x"})
		for range rapid.IntRange(1, 12).Draw(r, "steps") {
			one := all[rapid.IntRange(0, len(all)-1).Draw(r, "logger")]
			k := key.Draw(r, "key")
			switch rapid.IntRange(0, 3).Draw(r, "step") {
			case 0:
				all = append(all, both{one.counting.With(k, "panic"), one.plain.With(k, "panic")})
			case 1:
				all = append(all, both{one.counting.WithGroup(k), one.plain.WithGroup(k)})
			case 2:
				one.counting.Info("m", k, "panic")
				one.plain.Info("m", k, "panic")
			case 3:
				one.counting.Info("m", slog.Group("g", k, "panic"))
				one.plain.Info("m", slog.Group("g", k, "panic"))
			}
		}
		if p.countingText.String() != p.plainText.String() {
			r.Fatalf("the records differ:\n%s\n%s", p.countingText.String(), p.plainText.String())
		}
		if want, got := strings.Count(p.plainText.String(), `"alarm":"panic"`), p.count(t, meter.Panic); got != float64(want) {
			r.Errorf("%v alarms counted, %d logged:\n%s", got, want, p.plainText.String())
		}
	})
}
