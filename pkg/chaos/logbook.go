package chaos

import (
	"context"
	"log/slog"
	"maps"
	"slices"

	"github.com/rolewarden/rolewarden/pkg/invariant"
	"github.com/rolewarden/rolewarden/pkg/meter"
)

// logbook reads the log of a worker: for alarms, and for what must not be in it.
type logbook struct {
	worker *worker
}

// Enabled implements slog.Handler.
func (l *logbook) Enabled(context.Context, slog.Level) bool { return true }

// Handle implements slog.Handler.
func (l *logbook) Handle(_ context.Context, r slog.Record) error {
	k := l.worker
	if k.fiber == nil || k.fiber.dead {
		return nil
	}
	word, event := "", ""
	r.Attrs(func(a slog.Attr) bool {
		text := a.Value.String()
		switch a.Key {
		case meter.Key:
			word = text
		case "event_id":
			event = text
		}
		k.w.history.Say(k.w.now, k.run, "the log", text)
		return true
	})
	if word != "" {
		k.w.note(k.run, invariant.Alarmed{Word: word, Key: event})
	}
	return nil
}

// WithAttrs implements slog.Handler.
func (l *logbook) WithAttrs([]slog.Attr) slog.Handler { return l }

// WithGroup implements slog.Handler.
func (l *logbook) WithGroup(string) slog.Handler { return l }

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
