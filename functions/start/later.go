package start

import (
	"context"
	"fmt"
	"time"

	"github.com/rolewarden/rolewarden/pkg/awsapi"
	"github.com/rolewarden/rolewarden/pkg/guard"
)

// Later sends what the guard is to do later to its queue. Each account is a
// tenant of it, so that one of which a sweep or a burst brings much does not keep
// the others waiting.
type Later struct {
	Queue *awsapi.Queue
	Now   func() time.Time
}

// Send implements guard.Later.
func (l Later) Send(ctx context.Context, s guard.Step) error {
	body, err := s.Body()
	if err != nil {
		return fmt.Errorf("writing step %s: %w", s.Step, err)
	}
	return l.Queue.SendFor(ctx, s.Account, string(body), s.Delay(l.Now()))
}
