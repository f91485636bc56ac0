// Package notify brings alerts to where people and programs see them: SNS and
// Slack.
//
// It takes an alert.Alert and a place to send it to, and gives back whether
// and when sending should be tried again. It never decides what is told, never
// waits, and never lets a webhook's URL into an error.
package notify

import (
	"context"
	"fmt"
	"time"

	"github.com/rolewarden/rolewarden/pkg/alert"
)

// Channel is a place where alerts are told. Its conformance tests are in
// notifytest.
type Channel interface {
	// Name names the kind of place, such as "slack"; it holds no secret.
	Name() string
	// Notify tells one alert. Without an error it has been told, and Retry is
	// zero. With one, Retry says whether the same alert should be tried again.
	Notify(ctx context.Context, a alert.Alert) (Retry, error)
}

// Retry says whether sending should be tried again. The zero value says never:
// who cannot say better does not knock for ever.
type Retry struct {
	When When
	// After is the time to leave before the next try, with When Later.
	After time.Duration
}

// When says when sending should be tried again.
type When uint8

// When to try again.
const (
	// Never: the same alert would be refused again.
	Never When = iota
	// Now: at the next occasion, the queue's own pace will do.
	Now
	// Later: not before After has passed.
	Later
)

// String gives "Never", "Now" or "Later".
func (w When) String() string {
	switch w {
	case Never:
		return "Never"
	case Now:
		return "Now"
	case Later:
		return "Later"
	default:
		return "When?"
	}
}

// String gives "Never", "Now" or "Later (30s)".
func (r Retry) String() string {
	if r.When == Later {
		return fmt.Sprintf("%s (%s)", r.When, r.After)
	}
	return r.When.String()
}
