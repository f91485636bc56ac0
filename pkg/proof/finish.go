package proof

import "slices"

// settleSource makes aws:SourceArn and aws:SourceAccount agree: an ARN with an
// account field names the account (IAM User Guide, reference_policies_condition-keys).
// The two cases, an ARN of the account and an ARN without one, are searched in turn.
func (s *solver) settleSource() tieOutcome {
	a, b := s.lookup("aws:sourcearn"), s.lookup("aws:sourceaccount")
	if a < 0 || b < 0 || !s.vars[a].has || !s.vars[b].has {
		return tiesHeld
	}
	arn, account := &s.vars[a], &s.vars[b]
	if in := arnAccount(arn.value); in == "" || in == account.value {
		return tiesHeld
	}
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

// finish checks what ties a model further: transitive tag keys are tag keys,
// a token is issued before it is used, a path of the organization begins with
// the organization. A model that fails is no witness, and proves nothing.
func (s *solver) finish() bool {
	if !s.finishTags() {
		return s.unfinished("sts:TransitiveTagKeys with aws:TagKeys")
	}
	if token, now := s.lookup("aws:tokenissuetime"), s.lookup("aws:currenttime"); token >= 0 && now >= 0 && s.vars[token].has {
		issued, _ := parseDate(s.vars[token].value)
		if at, _ := parseDate(s.vars[now].value); issued > at {
			return s.unfinished("aws:TokenIssueTime with aws:CurrentTime")
		}
	}
	if id, paths := s.lookup("aws:principalorgid"), s.lookup("aws:principalorgpaths"); id >= 0 && paths >= 0 {
		for _, p := range s.vars[paths].values {
			if !s.vars[id].has || len(p) <= len(s.vars[id].value) || p[:len(s.vars[id].value)+1] != s.vars[id].value+"/" {
				return s.unfinished("aws:PrincipalOrgPaths with aws:PrincipalOrgID")
			}
		}
	}
	return true
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
