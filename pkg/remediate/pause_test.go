package remediate_test

import (
	"testing"
	"time"

	"github.com/rolewarden/rolewarden/pkg/remediate"
)

// Nobody sleeps: what takes longer than five seconds goes through a queue.
func TestNobodyWaitsForLongerThanFiveSeconds(t *testing.T) {
	if remediate.MaxPatience != 5*time.Second {
		t.Errorf("one task waits up to %s", remediate.MaxPatience)
	}
}
