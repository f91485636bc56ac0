package rules

import (
	"strings"
	"testing"
)

// Containment is asked for where it can happen: a rule that never leads to a
// write is refused there with its place, so that nobody relies on it (T69).
func TestContainmentIsForRulesThatWrite(t *testing.T) {
	t.Parallel()
	err := Check(rulesFile(t, "version: 1\ncontainment:\n  rules: [no-effect]\n"))
	if err == nil || !strings.HasPrefix(err.Error(), "3:11: containment for \"no-effect\"") {
		t.Errorf("containment for a rule that only tells: %v", err)
	}
	if err := Check(rulesFile(t, "version: 1\ncontainment:\n  rules: [public-principal]\n")); err != nil {
		t.Error(err)
	}
}
