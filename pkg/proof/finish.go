package proof

import (
	"slices"

	"github.com/rolewarden/rolewarden/pkg/access"
)

// settleSource makes aws:SourceArn and aws:SourceAccount agree: an ARN with an
// account field names the account (IAM User Guide, reference_policies_condition-keys).
// The two cases, an ARN of the account and an ARN without one, are searched in turn.
func (s *solver) settleSource() tieOutcome {
	a, b := s.lookup("aws:sourcearn"), s.lookup("aws:sourceaccount")
	if a < 0 || b < 0 || !s.vars[a].has || !s.vars[b].has {
		return tiesHeld
	}
	if s.sourcesAgree() {
		return tiesHeld
	}
	arn, account := &s.vars[a], &s.vars[b]
	lits := append([]lit(nil), arn.lits...)
	for _, l := range account.lits {
		l.v, l.win = a, accountWindow
		lits = append(lits, l)
	}
	same := append(lits, lit{v: a, win: accountWindow, t: &test{within: accountLang}})
	value, v := s.value(arn, same, nil)
	if v == satisfiable {
		arn.value, account.value = value, arnAccount(value)
		return tiesMoved
	}
	bare := append(arn.lits[:len(arn.lits):len(arn.lits)], lit{v: a, win: accountWindow, t: (&test{exact: []string{""}}).seal()})
	other, w := s.value(arn, bare, nil)
	if w == satisfiable {
		arn.value = other
		return tiesMoved
	}
	if v == undecided || w == undecided {
		s.undecided = true
		s.unsure = appendNew(s.unsure, "aws:SourceArn with aws:SourceAccount")
	}
	return tiesRefused
}

// sourcesAgree reports whether aws:SourceArn is one of aws:SourceAccount.
func (s *solver) sourcesAgree() bool {
	a, b := s.lookup("aws:sourcearn"), s.lookup("aws:sourceaccount")
	if a < 0 || b < 0 || !s.vars[a].has || !s.vars[b].has {
		return true
	}
	in := arnAccount(s.vars[a].value)
	return in == "" || in == s.vars[b].value
}

// timesAgree reports whether the token was issued before the request.
func (s *solver) timesAgree() bool {
	a, b := s.lookup("aws:tokenissuetime"), s.lookup("aws:currenttime")
	return a < 0 || b < 0 || !s.vars[a].has || !later(s.vars[a].value, s.vars[b].value)
}

// settleTimes makes a token be issued before it is used. The earliest time at
// which it can have been issued and the latest at which the request can be made
// decide whether that can be.
func (s *solver) settleTimes() tieOutcome {
	a, b := s.lookup("aws:tokenissuetime"), s.lookup("aws:currenttime")
	if a < 0 || b < 0 || !s.vars[a].has {
		return tiesHeld
	}
	if s.timesAgree() {
		return tiesHeld
	}
	token, now := &s.vars[a], &s.vars[b]
	var room [64]string
	cands := append(room[:0], formatDate(token.lang.from), formatDate(now.lang.from))
	for _, lits := range [...][]lit{token.lits, now.lits} {
		for i := range lits {
			cands = lits[i].t.criticalPoints(cands, token.lang.from)
		}
		cands = midpoints(cands, lits, token.lang.from)
	}
	first, last := token.value, now.value
	for _, v := range cands {
		if later(first, v) && token.takes(v) {
			first = v
		}
		if later(v, last) && now.takes(v) {
			last = v
		}
		s.work -= 2 + len(token.lits) + len(now.lits)
	}
	switch {
	case !later(first, last):
		token.value, now.value = first, last
		return tiesMoved
	case slices.ContainsFunc(token.lits, looksAtText), slices.ContainsFunc(now.lits, looksAtText):
		s.undecided = true
		s.unsure = appendNew(s.unsure, "aws:TokenIssueTime with aws:CurrentTime")
	}
	return tiesRefused
}

func looksAtText(l lit) bool { return l.t != nil && l.t.family != dateFamily }

// takes reports whether a value is legal and meets all literals.
func (x *variable) takes(v string) bool {
	for i := range x.lits {
		if !x.lits[i].met(v) {
			return false
		}
	}
	return x.lang.has(v)
}

// later reports whether a date is later than another one.
func later(a, b string) bool {
	x, _ := access.ParseDate(a)
	y, _ := access.ParseDate(b)
	return x.After(y)
}

// finish checks what ties a model further: transitive tag keys are tag keys. A model that fails is no witness, and proves nothing.
func (s *solver) finish() bool {
	if !s.finishTags() {
		return s.unfinished("sts:TransitiveTagKeys with aws:TagKeys")
	}
	return true
}

// tagsAgree reports whether transitive tag keys are tag keys, where both are spoken of.
func (s *solver) tagsAgree() bool {
	trans, tags := s.lookup("sts:transitivetagkeys"), s.lookup("aws:tagkeys")
	return trans < 0 || tags < 0 || !slices.ContainsFunc(s.vars[trans].values, func(v string) bool { return !slices.Contains(s.vars[tags].values, v) })
}

// finishTags makes transitive tag keys tag keys, where both are spoken of.
func (s *solver) finishTags() bool {
	trans, tags := s.lookup("sts:transitivetagkeys"), s.lookup("aws:tagkeys")
	if trans < 0 || tags < 0 {
		return true
	}
	missing := func() (string, bool) {
		for _, v := range s.vars[trans].values {
			if !slices.Contains(s.vars[tags].values, v) {
				return v, true
			}
		}
		return "", false
	}
	for range 8 {
		v, left := missing()
		if !left {
			return true
		}
		if !s.assertLit(lit{v: tags, quant: some, t: (&test{exact: []string{v}}).seal()}) || !s.solve() {
			return false
		}
	}
	return false
}

func (s *solver) unfinished(what string) bool {
	s.undecided = true
	s.unsure = appendNew(s.unsure, what)
	return false
}
