package deployment

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// In the middle of an incident nobody has to mend a rules file first: an
// exemption that ended since the deployment refuses a new one, and stops nobody
// from looking at what is deployed or from stopping its writes.
func TestWhatIsDeployedCanBeLookedAtWithAnExemptionThatHasEnded(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"deployment.yaml": "version: 1\nway: single\naccount: \"111122223333\"\nrules: rules.yaml\n",
		"rules.yaml": `version: 1
exemptions:
  - rules: [external-id]
    role: arn:aws:iam::111122223333:role/app
    owner: alice@acme.example
    reason: the vendor is late
    ticket: SEC-1
    expires: 2026-10-01
`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	file, now := filepath.Join(dir, "deployment.yaml"), time.Date(2026, time.November, 1, 0, 0, 0, 0, time.UTC)
	if _, err := Load(file, Override{}, now); err == nil || !strings.Contains(err.Error(), "2026-10-01") {
		t.Errorf("it is deployed all the same: %v", err)
	}
	d, err := LoadDeployed(file, now)
	if err != nil || len(d.Rules.Expired) != 1 || d.Account != "111122223333" {
		t.Errorf("it cannot be looked at: %v", err)
	}
	if _, err := LoadDeployed(filepath.Join(dir, "absent.yaml"), now); err == nil {
		t.Error("a file that is not there is taken")
	}
}
