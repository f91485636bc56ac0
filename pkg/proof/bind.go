package proof

import (
	"slices"
	"strings"
	"time"
)

// The caller's own variables, in every solver of an AWS caller.
const (
	callerVar int16 = iota
	useridVar
	firstFreeVar
)

// bindCaller makes the caller's variables and says what is known of them.
func (s *solver) bindCaller() {
	v := &s.variant
	if !v.aws() {
		return
	}
	lang, id := s.callerLanguages()
	s.newVariable(variable{presence: always, lang: lang, caller: true, natural: v.names(), has: true})
	s.newVariable(variable{key: "aws:userid", presence: always, lang: id, has: true, natural: naturalIDs(v.kind)})
	s.vars[callerVar].value = s.callerARN(s.accountsToTry(1)[0], v.names()[0])
	s.vars[useridVar].value = naturalIDs(v.kind)[0]
}

func naturalIDs(kind CallerKind) []string {
	if kind == Users {
		return []string{"AIDAEXAMPLEMALLORY000", "AIDAEXAMPLEEVE0000000"}
	}
	return []string{"AROAEXAMPLEVISITOR000:bob", "AROAEXAMPLEINTRUDER00:eve"}
}

var (
	// Unique ids have 16 to 128 characters (IAM API Reference, API_User and
	// API_Role); those seen so far have 20 or 21, which nothing promises.
	userIDLang    = shaped(fixed("AIDA"), run(upperClass, 12, 124))
	sessionIDLang = shaped(fixed("AROA"), run(upperClass, 12, 124), fixed(":"), run(sessionClass, 2, 64))
	awsUserLang   = callerLanguage("aws", ":user")
	awsRoleLang   = callerLanguage("aws", ":role")
)

// callerLanguage is the language of users' or roles' ARNs (IAM User Guide,
// reference_iam-quotas: names of 64 characters, paths of 512).
func callerLanguage(partition, kind string) *language {
	head := []segment{fixed("arn:" + partition + ":iam::"), {set: digitClass, min: 12, max: 12, field: accountWindow}, fixed(kind + "/")}
	name := segment{set: sessionClass, min: 1, max: 64, field: nameWindow}
	return &language{shapes: [][]segment{
		append(head[:3:3], name),
		append(head[:3:3], run(pathClass, 1, 510), fixed("/"), name),
	}}
}

func (s *solver) callerLanguages() (arn, id *language) {
	switch {
	case s.variant.kind == Users && s.partition == "aws":
		return awsUserLang, userIDLang
	case s.variant.kind == Users:
		return callerLanguage(s.partition, ":user"), userIDLang
	case s.partition == "aws":
		return awsRoleLang, sessionIDLang
	default:
		return callerLanguage(s.partition, ":role"), sessionIDLang
	}
}

func (s *solver) callerARN(account, name string) string {
	kind := ":user"
	if s.variant.kind == RoleSessions {
		kind = ":role"
	}
	return "arn:" + s.partition + ":iam::" + account + kind + "/" + name
}

// accountsToTry gives up to most natural accounts of the variant's membership.
func (s *solver) accountsToTry(most int) []string {
	c := s.variant.callers
	out := s.accountRoom[:0]
	own := [1]string{s.world.Own}
	for _, list := range [...][]string{c.Accounts.Only, naturalAccounts, own[:], s.world.Members} {
		for _, a := range list {
			if len(out) == most {
				return out
			}
			if a != "" && s.rosters.in(c.Accounts, a) && s.belongs(a) && !slices.Contains(out, a) {
				out = append(out, a)
			}
		}
	}
	if len(out) == 0 {
		out = append(out, naturalAccounts[0])
	}
	return out
}

// belongs reports whether an account is in the variant's membership.
func (s *solver) belongs(account string) bool {
	member := account == s.world.Own || s.rosters.has(s.world.Members, account)
	return s.variant.members == anyAccount || member == (s.variant.members == listed)
}

// callerNode says which callers the variant's class and membership hold.
func (s *solver) callerNode() nodeID {
	if !s.variant.aws() {
		return trueNode
	}
	base := len(s.stack)
	c := s.variant.callers
	push := func(win window, neg bool, exact []string) {
		s.stack = append(s.stack, s.literal(lit{v: callerVar, win: win, neg: neg, t: s.rosters.of(exact)}))
	}
	if c.Accounts.Only != nil {
		push(accountWindow, false, c.Accounts.Only)
	}
	if len(c.Accounts.Except) > 0 {
		push(accountWindow, true, c.Accounts.Except)
	}
	if len(c.Except) > 0 {
		push(wholeWindow, true, c.Except)
	}
	if s.variant.members != anyAccount {
		s.stack = append(s.stack, s.knownNode(s.variant.members == listed))
	}
	return s.join(opAnd, base)
}

// knownNode says that the caller's account is the role's own or a known member,
// or is neither.
func (s *solver) knownNode(want bool) nodeID {
	is := func(accounts []string) nodeID {
		return s.literal(lit{v: callerVar, win: accountWindow, neg: !want, t: s.rosters.of(accounts)})
	}
	known, own := s.world.Members, s.world.Own
	switch {
	case own == "" || s.rosters.has(known, own):
		return is(known)
	case len(known) <= indexAbove:
		return is(append(known[:len(known):len(known)], own))
	case want:
		return s.or(is(known), is([]string{own}))
	default:
		return s.and(is(known), is([]string{own}))
	}
}

// bind gives the variable and window of a condition key.
func (s *solver) bind(key string) (int16, window) {
	// Short of steps the formula goes on being built, and is not looked at.
	s.pay(len(s.bound) / 16)
	for i := range s.bound {
		if s.bound[i].key == key {
			return s.bound[i].v, s.bound[i].win
		}
	}
	v, win := s.newBinding(key)
	s.bound = append(s.bound, boundKey{key, v, win})
	return v, win
}

func (s *solver) newBinding(key string) (int16, window) {
	row := s.rowOf(key)
	x := variable{key: key, lang: row.lang, natural: row.natural, many: row.many, presence: row.presence.of(s.variant.kind)}
	if x.presence == derived {
		return s.bindDerived(x)
	}
	switch key {
	case "sts:sourceidentity":
		if s.variant.chained {
			x.presence = always
		}
	case "aws:tokenissuetime":
		x.lang = timesFrom(s.world.Now.Add(-longestToken))
		x.natural = []string{s.world.Now.UTC().Format(time.RFC3339)}
	}
	return s.addKey(x), wholeWindow
}

// addKey makes the variable of a key with its first model: the key's absence,
// where that may be.
func (s *solver) addKey(x variable) int16 {
	if x.presence == unsettled && s.optimistic {
		x.presence = free
		s.doubts = appendNew(s.doubts, "whether "+x.label()+" is in the request")
	}
	if x.presence == fixedUnknown && s.optimistic {
		x.presence = free
		s.doubts = appendNew(s.doubts, "the value of "+x.label())
	}
	if x.presence == doubtful {
		s.doubts = appendNew(s.doubts, "whether "+x.label()+" is ever in the request")
		if x.presence = never; s.optimistic {
			x.presence = free
		}
	}
	if x.presence == always && !x.many {
		v, ok := s.value(&x, nil, nil)
		x.has, x.value = ok == satisfiable, v
	}
	return s.newVariable(x)
}

// rowOf gives the table's row for a key as this variant sees it: claims belong
// to one provider only.
func (s *solver) rowOf(key string) keyRow {
	if s.variant.kind != OIDCIdentities {
		return lookupKey(key)
	}
	claim, ok := strings.CutPrefix(key, s.variant.issuer+":")
	row := lookupKey(key)
	switch {
	case ok && (claim == "aud" || claim == "sub"):
		row.presence.oidc = always
		row.natural = claimNaturals(s.variant.issuer, claim)
	case ok:
		row.presence.oidc = free
	case strings.LastIndexByte(key, ':') > 0 && strings.IndexByte(key[:strings.LastIndexByte(key, ':')], '.') > 0:
		row.presence.oidc = never
	}
	return row
}

func claimNaturals(issuer, claim string) []string {
	switch {
	case claim == "aud":
		return []string{"mallory-client", "sts.amazonaws.com", "other-client"}
	case issuer == "token.actions.githubusercontent.com":
		return []string{"repo:mallory/app:ref:refs/heads/main", "repo:eve/tool:ref:refs/heads/main"}
	case strings.Contains(issuer, "oidc.eks."):
		return []string{"system:serviceaccount:mallory:app", "system:serviceaccount:default:other"}
	default:
		return []string{"mallory", "bob", "eve"}
	}
}

// longestToken is how long a session's token lives at most: that of
// GetSessionToken does 36 hours (STS API Reference, API_GetSessionToken).
const longestToken = 36 * time.Hour

// timesFrom makes the language of times from one on.
func timesFrom(t time.Time) *language {
	return &language{family: dateFamily, from: instant(t.Truncate(time.Second))}
}

// constant makes a variable that has one value.
func (s *solver) constant(key, value string) (int16, window) {
	return s.newVariable(variable{key: key, presence: always, lang: &language{finite: []string{value}}, has: true, value: value}), wholeWindow
}

func (s *solver) missing(key string) (int16, window) {
	return s.newVariable(variable{key: key, presence: never}), wholeWindow
}
