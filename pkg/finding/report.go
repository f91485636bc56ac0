package finding

import (
	"maps"
	"slices"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/access"
)

// Open gives the findings that no exemption covers, in order.
func (r Report) Open() []Finding {
	var open []Finding
	for _, f := range r.Findings {
		if f.Exemption == "" {
			open = append(open, f)
		}
	}
	return open
}

// Worst gives the highest severity among the findings; Advice when there are none.
func Worst(findings []Finding) Severity {
	worst := Advice
	for _, f := range findings {
		worst = max(worst, f.Severity)
	}
	return worst
}

// Masked gives a copy in which the secret values of every request are "***".
// It is what leaves the process unless a person asked to see secrets.
func (r Report) Masked() Report {
	r.Findings = slices.Clone(r.Findings)
	for i := range r.Findings {
		r.Findings[i].Evidence = r.Findings[i].Evidence.Masked()
	}
	return r
}

// Masked gives a copy in which the secret values of the request are "***".
func (e Evidence) Masked() Evidence {
	if e.Request != nil {
		masked := masked(*e.Request)
		e.Request = &masked
	}
	return e
}

// masked hides the one secret that a request can hold.
func masked(r access.Request) access.Request {
	r.Context = maps.Clone(r.Context)
	for key, v := range r.Context {
		if strings.EqualFold(key, "sts:ExternalId") {
			v.Values = slices.Clone(v.Values)
			for i := range v.Values {
				v.Values[i] = "***"
			}
			r.Context[key] = v
		}
	}
	return r
}
