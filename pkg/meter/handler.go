package meter

import (
	"context"
	"log/slog"
)

// Key is the attribute that makes a log record an alarm; its value is one of
// the words below.
const Key = "alarm"

// The words of alarms.
const (
	// WordReadDenied: a role may not be read, so its account is not covered.
	WordReadDenied = "read-denied"
	// WordStoppedByLimit and WordStoppedBySwitch: a write that was due was
	// stopped, or weakened to a tag.
	WordStoppedByLimit  = "writes-stopped-by-limit"
	WordStoppedBySwitch = "writes-stopped-by-switch"
	// WordHeld: a write that was due was not made, for another reason.
	WordHeld = "held"
	// WordIncomplete: a write was made in part, was not seen afterwards, or met
	// somebody else's.
	WordIncomplete = "write-incomplete"
	// WordSwitchUnreadable: the kill switch cannot be read, so nothing is written.
	WordSwitchUnreadable = "kill-switch-unreadable"
	// WordExpired: an exemption has ended.
	WordExpired = "exemption-expired"
	// WordTrouble: rolewarden is kept from its work.
	WordTrouble = "trouble"
	// WordMessageFailed: a message is not done and comes again.
	WordMessageFailed = "message-failed"
	// WordPanic: the code is wrong.
	WordPanic = "panic"
	// WordNotStarted: the function cannot start.
	WordNotStarted = "not-started"
	// WordBreakerTripped: a scope's writes stopped until a person resets it.
	WordBreakerTripped = "breaker-tripped"
	// WordNoIntent: a role was written under rolewarden's own credentials, and no
	// intent in the ledger announced it.
	WordNoIntent = "write-without-intent"
	// WordSealBroken: a baseline's seal does not fit it.
	WordSealBroken = "seal-broken"
	// WordLostUpdate: a write met somebody else's, which only shows afterwards.
	WordLostUpdate = "lost-update"
	// WordContained: a role's sessions were cut off.
	WordContained = "contained"
	// WordCoverageGap: an account could not be read to its end.
	WordCoverageGap = "coverage-gap"
	// WordUndelivered: an alert waits to be delivered. In sweep it has waited for
	// more than ten minutes, in guard it was refused just now.
	WordUndelivered = "alert-undelivered"
	// WordMalformedAlert and WordAlertRefused: an alert cannot be told.
	WordMalformedAlert = "malformed-alert"
	WordAlertRefused   = "alert-refused"
	// WordDeadLetterFailed: nor can it be put on the dead-letter queue.
	WordDeadLetterFailed = "dead-letter-failed"
)

// MetricOf gives the metric that an alarm's word counts in a function: Alarm
// where the word, or the function's row for it, is unknown.
func MetricOf(function, word string) string {
	name := ""
	switch word {
	case WordReadDenied:
		name = ReadDenied
	case WordStoppedByLimit, WordStoppedBySwitch:
		name = WritesStopped
	case WordHeld:
		name = WritesHeld
	case WordIncomplete:
		name = WritesIncomplete
	case WordSwitchUnreadable:
		name = KillSwitchUnreadable
	case WordExpired:
		name = ExemptionExpired
	case WordTrouble:
		name = Trouble
	case WordMessageFailed, WordDeadLetterFailed:
		name = MessageFailed
	case WordPanic:
		name = Panic
	case WordNotStarted:
		name = NotStarted
	case WordBreakerTripped:
		name = BreakerTripped
	case WordNoIntent:
		name = WriteWithoutIntent
	case WordSealBroken:
		name = SealBroken
	case WordLostUpdate:
		name = LostUpdate
	case WordContained:
		name = Contained
	case WordCoverageGap:
		name = SweepCoverageGap
	case WordUndelivered:
		name = AlertsUndelivered
	case WordMalformedAlert, WordAlertRefused:
		name = AlertNotTold
	}
	if _, ok := Find(function, name); !ok {
		return Alarm
	}
	return name
}

// Handler gives a slog handler that counts, for every record with the attribute
// "alarm", the metric of its word, wherever in the record's groups it stands;
// so nothing is logged as an alarm without being counted. Every record goes on
// to next, as it came.
func Handler(next slog.Handler, m *Meter) slog.Handler { return handler{next: next, meter: m} }

type handler struct {
	next  slog.Handler
	meter *Meter
	// words are those of the attributes that every record gets.
	words []string
}

func (h handler) Enabled(ctx context.Context, l slog.Level) bool { return h.next.Enabled(ctx, l) }

func (h handler) Handle(ctx context.Context, r slog.Record) error {
	words := h.words[:len(h.words):len(h.words)]
	r.Attrs(func(a slog.Attr) bool {
		words = appendWords(words, a)
		return true
	})
	var samples []Sample
	for _, w := range words {
		samples = append(samples, Count(MetricOf(h.meter.cfg.Function, w), 1))
	}
	h.meter.Put(samples...)
	return h.next.Handle(ctx, r)
}

func (h handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	words := h.words[:len(h.words):len(h.words)]
	for _, a := range attrs {
		words = appendWords(words, a)
	}
	return handler{next: h.next.WithAttrs(attrs), meter: h.meter, words: words}
}

func (h handler) WithGroup(name string) slog.Handler {
	return handler{next: h.next.WithGroup(name), meter: h.meter, words: h.words}
}

// appendWords adds the words of an attribute and, in a group, of its members.
func appendWords(words []string, a slog.Attr) []string {
	v := a.Value.Resolve()
	if a.Key == Key {
		return append(words, v.String())
	}
	if v.Kind() == slog.KindGroup {
		for _, member := range v.Group() {
			words = appendWords(words, member)
		}
	}
	return words
}
