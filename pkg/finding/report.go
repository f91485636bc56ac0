package finding

import "slices"

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
		masked := e.Request.Masked()
		e.Request = &masked
	}
	return e
}
