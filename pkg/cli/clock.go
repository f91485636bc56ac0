package cli

import (
	"context"
	"sync"
	"time"

	"github.com/rolewarden/rolewarden/pkg/guard"
)

// clock is the time in a house.
type clock interface {
	Now() time.Time
	// Wait lets a duration pass.
	Wait(ctx context.Context, d time.Duration) error
}

// story is a time that passes only when somebody waits.
type story struct {
	mu  sync.Mutex
	now time.Time
}

func (s *story) Now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (s *story) Wait(_ context.Context, d time.Duration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if d > 0 {
		s.now = s.now.Add(d)
	}
	return nil
}

// until lets the time come, if it has not passed yet.
func (s *story) until(t time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t.After(s.now) {
		s.now = t
	}
}

// quick is the real time, or one that passes faster.
type quick struct {
	start time.Time
	speed time.Duration
}

func (q quick) Now() time.Time { return q.start.Add(time.Since(q.start) * q.speed) }

func (q quick) Wait(ctx context.Context, d time.Duration) error { return guard.Wait(ctx, d/q.speed) }
