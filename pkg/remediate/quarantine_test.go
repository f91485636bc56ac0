package remediate_test

import (
	"regexp"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/remediate"
)

// quarantines are both forms, for a decision's id and for ids of the wrong alphabet.
func quarantines() map[string]string {
	id := decision.ID("111122223333", "e1", "AROAEXAMPLEAPP")
	return map[string]string{
		"lone Deny":              remediate.Quarantine(id),
		"lone Deny without id":   remediate.Quarantine(""),
		"lone Deny with odd id":  remediate.Quarantine(`a"b-c`),
		"fallback":               remediate.QuarantineFallback("111122223333", id),
		"fallback with odd id":   remediate.QuarantineFallback("111122223333", "ä b"),
		"fallback of an account": remediate.QuarantineFallback("999999999999", ""),
	}
}

// Both forms are policies as IAM takes them: small, with a Sid of letters and
// digits that leads to the decision.
func TestQuarantineIsSavable(t *testing.T) {
	sid := regexp.MustCompile(`^RolewardenQuarantine[A-Za-z0-9]*$`)
	for name, text := range quarantines() {
		t.Run(name, func(t *testing.T) {
			d := read(t, text)
			if len(d.Statements) != 1 || !sid.MatchString(d.Statements[0].Sid) || d.Version != "2012-10-17" {
				t.Errorf("%s", text)
			}
			if len(text) > 2048 {
				t.Errorf("%d characters", len(text))
			}
			if string(d.Print()) != text {
				t.Errorf("not canonical: %s", text)
			}
		})
	}
}
