package alert

import "github.com/rolewarden/rolewarden/pkg/finding"

// Evidence is a finding's evidence, masked.
type Evidence = finding.Evidence
