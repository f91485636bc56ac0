package rules

import (
	"slices"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/proof"
)

// sourceGuard is the condition that holds a service to the role's own account.
type sourceGuard policy.Condition

// ownSource gives it for what the service sends.
func ownSource(in Input, sends sourceKeys) sourceGuard {
	if sends.account() {
		return sourceGuard{Operator: "StringEquals", Key: sourceAccountKey, Values: []string{in.Role.Account}}
	}
	return sourceGuard{Operator: "ArnLike", Key: sourceARNKey, Values: []string{"arn:" + in.Role.Partition + ":*:*:" + in.Role.Account + ":*"}}
}

func (g sourceGuard) print() []byte {
	return []byte(`{"` + g.Operator + `": {"` + g.Key + `": "` + g.Values[0] + `"}}`)
}

// mendServiceConfusedDeputy holds the service of a finding to the role's own
// account in every statement that lets it in without. Where others stand beside
// it, it moves to a statement of its own: they may send nothing, and would be
// locked out.
func mendServiceConfusedDeputy(in Input, f finding.Finding) []policy.Document {
	if f.Severity == finding.Advice || in.Role.ARN == "" || f.Evidence.Request == nil {
		return nil
	}
	service, d := f.Evidence.Request.Caller.Service, in.Document
	s := newSaid(in)
	for range 2 * len(in.Document.Statements) {
		at := in
		at.Document, at.compiled, at.budget = d, nil, nil
		a := askService(at, s, service)
		if a.Outcome != proof.Found {
			break
		}
		mended, ok := held(d, first(a.Statements), service, policy.Condition(ownSource(in, assumerOf(service).sends)))
		if !ok {
			return nil
		}
		d = mended
	}
	if d.Equal(in.Document, in.Role.Partition) {
		return nil
	}
	return []policy.Document{d}
}

// held adds a condition to a service in one statement.
func held(d policy.Document, i int, service string, c policy.Condition) (policy.Document, bool) {
	st := d.Statements[i]
	if slices.ContainsFunc(st.Conditions, func(o policy.Condition) bool {
		return strings.EqualFold(o.Operator, c.Operator) && strings.EqualFold(o.Key, c.Key)
	}) {
		return d, false
	}
	own, rest := st, st
	own.Principal.List, rest.Principal.List = nil, nil
	for _, p := range st.Principal.List {
		if p.Type == "Service" && p.Value == service {
			own.Principal.List = []policy.Principal{p}
		} else {
			rest.Principal.List = append(rest.Principal.List, p)
		}
	}
	if own.Principal.List == nil {
		return d, false
	}
	own.Conditions = append(slices.Clone(st.Conditions), c)
	d.Statements = slices.Clone(d.Statements)
	if len(rest.Principal.List) == 0 {
		d.Statements[i] = own
		return d, true
	}
	// A Sid stands once in a document (IAM User Guide,
	// reference_policies_elements_sid).
	own.Sid = ""
	d.Statements[i] = rest
	d.Statements = slices.Insert(d.Statements, i+1, own)
	return d, true
}
