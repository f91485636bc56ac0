package sweep

import (
	"context"
	"sync"
	"time"

	"github.com/rolewarden/rolewarden/pkg/org"
)

// Members asks whether an account belongs to the organization now. It is guard's.
type Members interface {
	Confirm(ctx context.Context, account string) (org.Membership, error)
}

// Remembering are Members whose answers are good for a while: the same foreign
// account stands in thousands of roles, and Organizations is asked once for it.
// Failures are not remembered.
type Remembering struct {
	// Members is who is asked.
	Members Members
	Now     func() time.Time

	mu      sync.Mutex
	answers map[string]answer
}

type answer struct {
	membership org.Membership
	until      time.Time
}

// goodFor is how long an answer is good. A sweep concludes nothing that cannot
// be mended by the next: guard, who writes, asks for itself.
const goodFor = 10 * time.Minute

// Confirm implements Members.
func (r *Remembering) Confirm(ctx context.Context, account string) (org.Membership, error) {
	r.mu.Lock()
	a, ok := r.answers[account]
	r.mu.Unlock()
	if ok && r.Now().Before(a.until) {
		return a.membership, nil
	}
	m, err := r.Members.Confirm(ctx, account)
	if err != nil || m == org.UnknownMembership {
		return m, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.answers == nil {
		r.answers = map[string]answer{}
	}
	r.answers[account] = answer{m, r.Now().Add(goodFor)}
	return m, nil
}
