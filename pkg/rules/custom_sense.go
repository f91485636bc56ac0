package rules

import (
	"errors"
	"fmt"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/org"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/proof"
)

// meetable tells of demands of a rule of the organization's own that no request
// of its callers can meet: a value that the key never has, a key that such
// callers never carry, two demands that exclude each other. Such a rule would
// flag every role that lets them in, which never says and a slip does not mean.
// It tells of those too whose meaning is not settled, such as a number asked of a
// text: every role would be Undecided. Proof is asked about a document that lets
// in all of them.
func (c custom) meetable(o *org.Rules) error {
	var errs []error
	for _, callers := range c.Callers {
		in := c.open(o, callers)
		s := newSaid(in)
		var all [][]proof.Requirement
		told := false
		for _, d := range c.demands() {
			met := d.met()
			all = append(all, met...)
			problem := ""
			switch c.possible(in, s, callers, met) {
			case proof.None:
				problem = "no request of %s can be one%s: mend the condition, or write never: true where none of them may come in"
			case proof.Unknown:
				problem = "whether a request of %s is one%s cannot be decided: write a condition whose operator fits the key, and variables that every request has"
			case proof.Found:
				continue
			}
			told = true
			errs = append(errs, fmt.Errorf("%d:%d: %q: "+problem, callers.Line, callers.Column, c.ID, described(callers), d.demand()))
		}
		if !told && len(all) > 1 && c.possible(in, s, callers, all) == proof.None {
			errs = append(errs, fmt.Errorf("%d:%d: %q: no request of %s can meet all of its conditions at once: mend them, or write never: true where none of them may come in",
				callers.Line, callers.Column, c.ID, described(callers)))
		}
	}
	return errors.Join(errs...)
}

// met is the region of the requests that meet a demand; empty for never.
func (d demanded) met() [][]proof.Requirement {
	sense := proof.Holds
	if d.forbidden {
		sense = proof.Fails
	}
	var anyOf []proof.Requirement
	for _, one := range d.conditions {
		anyOf = append(anyOf, proof.Requirement{Condition: one, Sense: sense})
	}
	if anyOf == nil {
		return nil
	}
	return [][]proof.Requirement{anyOf}
}

// demand says what a request does that meets the demand.
func (d demanded) demand() string {
	var list []string
	for _, c := range d.conditions {
		list = append(list, asked(c))
	}
	if d.forbidden {
		return " without " + list[0]
	}
	return " with " + strings.Join(list, "; or ")
}

// possible says whether a class has a request in a region; of a rule that demands
// nothing but that nobody comes in it has.
func (c custom) possible(in Input, s said, callers org.CustomCallers, region [][]proof.Requirement) proof.Outcome {
	if len(region) == 0 {
		return proof.Found
	}
	out := proof.None
	for _, q := range c.queries(in, s, callers, region) {
		switch in.find(q).Outcome {
		case proof.Found:
			return proof.Found
		case proof.Unknown:
			out = proof.Unknown
		case proof.None:
		}
	}
	return out
}

// open gives a role of the organization that lets in a whole class of callers.
func (c custom) open(o *org.Rules, callers org.CustomCallers) Input {
	in := Input{Org: o}.settled()
	in.Role.Account = "111122223333"
	if listed := o.MemberIDs(); len(listed) > 0 {
		in.Role.Account = listed[0]
	}
	in.stand = o.MemberIDs()
	// What a session brings along needs its action too: aws:SourceIdentity sts:SetSourceIdentity.
	st := policy.Statement{Effect: policy.Allow, Actions: []string{org.AssumeAction(callers.Kind), "sts:TagSession", "sts:SetSourceIdentity", "sts:SetContext"}}
	for _, p := range c.principals(in, callers) {
		if one, err := policy.ParsePrincipal(p[0], p[1]); err == nil {
			st.Principal.List = append(st.Principal.List, one)
		}
	}
	in.Document = policy.Document{Version: "2012-10-17", Statements: []policy.Statement{st}}
	return in
}

// principals gives the principals, by type and value, that stand for a class.
func (c custom) principals(in Input, callers org.CustomCallers) [][2]string {
	named := func(kind string, others ...string) [][2]string {
		names := callers.Names
		if len(names) == 0 {
			names = without(others, callers.Except)
		}
		var out [][2]string
		for _, n := range names {
			if kind == "Federated" && !strings.HasPrefix(n, "arn:") {
				n = "arn:" + in.Role.Partition + ":iam::" + in.Role.Account + ":oidc-provider/" + n
			}
			out = append(out, [2]string{kind, n})
		}
		return out
	}
	switch callers.Kind {
	case "services":
		return named("Service", "ec2.amazonaws.com", "lambda.amazonaws.com", "scheduler.amazonaws.com", "cloudtrail.amazonaws.com")
	case "saml":
		return named("Federated", "arn:"+in.Role.Partition+":iam::"+in.Role.Account+":saml-provider/any")
	case "oidc":
		return named("Federated", append(c.issuers(), "any.example.com")...)
	default:
		return [][2]string{{"AWS", "*"}}
	}
}

// issuers gives those whose claims the rule speaks of.
func (c custom) issuers() []string {
	var out []string
	for _, d := range c.demands() {
		for _, one := range d.conditions {
			if issuer, _, ok := strings.Cut(one.Key, ":"); ok && strings.Contains(issuer, ".") {
				out = appendMissing(out, []string{issuer})
			}
		}
	}
	return out
}
