package proof

import (
	"slices"
	"strconv"
	"strings"
)

// naturalNames and naturalAccounts are what a witness shows where the choice is free.
var (
	naturalUsers    = []string{"mallory", "eve", "trudy", "oscar"}
	naturalRoles    = []string{"visitor", "app", "intruder", "worker"}
	naturalAccounts = []string{"999999999999", "888888888888", "666666666666", "555555555555", "123456789012"}
)

// accountsOf gives the accounts a literal confines the caller to; nil when it
// confines it to none in particular.
func accountsOf(dst []string, l *lit) ([]string, bool) {
	if l.neg || l.t == nil || l.t.family != textFamily || l.t.within != nil {
		return dst, false
	}
	switch l.win {
	case accountWindow:
		if len(l.t.patterns) > 0 {
			return dst, false
		}
		return append(dst, l.t.exact...), true
	case wholeWindow:
		return append(dst, l.t.owners...), l.t.owners != nil
	default:
		return dst, false
	}
}

// callerValue tries natural callers. It says empty when the literals leave no
// account, and undecided when it found none but there may be one.
func (s *solver) callerValue(x *variable, lits []lit, try func(string) bool) verdict {
	var room [16]string
	accounts, confined := s.candidateAccounts(room[:0], lits)
	if confined && len(accounts) == 0 || s.misfits(lits) {
		return empty
	}
	for i := range lits {
		l := &lits[i]
		if l.neg || l.t == nil || l.win != wholeWindow || l.t.family != textFamily {
			continue
		}
		if slices.ContainsFunc(l.t.exact, try) {
			return satisfiable
		}
	}
	if !confined {
		accounts = s.accountsToTry(len(s.accountRoom))
	}
	if s.tryNames(x, lits, accounts, try) || s.trySamples(lits, accounts, try) {
		return satisfiable
	}
	return undecided
}

// misfits reports whether some literal asks for an ARN that no caller of this
// kind has, judging by how it begins.
func (s *solver) misfits(lits []lit) bool {
	head := s.callerARN("000000000000", "")
	resource := head[strings.LastIndexByte(head, ':')+1:]
	for i := range lits {
		l := &lits[i]
		if l.neg || l.t == nil || l.win != wholeWindow || l.t.family != textFamily || l.t.within != nil || l.t.accounts != nil {
			continue
		}
		if !s.pay(l.t.cost) {
			return false
		}
		if !slices.ContainsFunc(l.t.exact, func(v string) bool { return sameHead(v, head) }) &&
			!slices.ContainsFunc(l.t.patterns, func(p pattern) bool {
				fixed, _, wild := strings.Cut(p.text, "*")
				return (wild || len(fixed) >= len(head)) && sameHead(fixed, head) && sameHead(p.resource(), resource) || !wild && len(fixed) < len(head)
			}) {
			return true
		}
	}
	return false
}

// resource gives the fixed beginning of a pattern's sixth part, where no star
// before it can reach that far.
func (p *pattern) resource() string {
	colons := 0
	for i, t := range p.tokens {
		switch {
		case colons == 5:
			end := i
			for end < len(p.tokens) && (p.tokens[end].kind == takeRune || p.tokens[end].kind == takeFold) {
				end++
			}
			return runes(p.tokens[i:end])
		case t.kind == takeMany || t.kind == takeOne:
			return ""
		case t.r == ':':
			colons++
		}
	}
	return ""
}

func runes(tokens []token) string {
	var b strings.Builder
	for _, t := range tokens {
		b.WriteRune(t.r)
	}
	return b.String()
}

// sameHead reports whether a text can begin as an ARN does; a digit stands for
// any digit, and a question mark of the text for anything.
func sameHead(s, head string) bool {
	for i := range min(len(s), len(head)) {
		if s[i] != head[i] && s[i] != '?' && (head[i] != '0' || s[i] < '0' || s[i] > '9') && !sameLetter(s[i], head[i]) {
			return false
		}
	}
	return true
}

// sameLetter lets case differ, for patterns that ignore it.
func sameLetter(a, b byte) bool { return a|0x20 == b|0x20 && a|0x20 >= 'a' && a|0x20 <= 'z' }

// candidateAccounts gives the accounts that all confining literals leave.
func (s *solver) candidateAccounts(dst []string, lits []lit) (out []string, confined bool) {
	var other [16]string
	for i := range lits {
		if !confined {
			dst, confined = accountsOf(dst[:0], &lits[i])
			continue
		}
		if list, ok := accountsOf(other[:0], &lits[i]); ok {
			if !s.pay(1 + len(dst)*len(list)/32) {
				return nil, false
			}
			dst = slices.DeleteFunc(dst, func(a string) bool { return !slices.Contains(list, a) })
		}
	}
	if !confined {
		return nil, false
	}
	if !s.pay(len(dst) * len(lits) / 16) {
		return nil, false
	}
	return slices.DeleteFunc(dst, func(a string) bool {
		for i := range lits {
			l := &lits[i]
			if l.win == accountWindow && l.t.match(a) == l.neg {
				return true
			}
			if l.neg && l.win == wholeWindow && l.t != nil && len(l.t.accounts) > 0 && l.t.hasAccount(a) {
				// The whole account is barred.
				return true
			}
		}
		return false
	}), true
}

func (s *solver) tryNames(x *variable, lits []lit, accounts []string, try func(string) bool) bool {
	var buf [16]string
	names := buf[:0]
	for i := range lits {
		if l := &lits[i]; l.win == nameWindow && !l.neg {
			names = l.t.samples(names)
		}
	}
	if len(names) == 0 {
		names = append(names, x.natural...)
	}
	accounts = accounts[:min(len(accounts), 8)]
	for _, account := range accounts {
		for _, name := range names {
			if s.work < 0 {
				return false
			}
			if try(s.callerARN(account, name)) {
				return true
			}
		}
	}
	for _, account := range accounts[:min(len(accounts), 2)] {
		for _, name := range names[:min(len(names), 4)] {
			if try(s.callerARN(account, "team/"+name)) {
				return true
			}
		}
	}
	for i := 2; i < numbered && len(accounts) > 0; i++ {
		account, name := strconv.Itoa(100000000000+i), x.natural[0]+"-"+strconv.Itoa(i)
		if try(s.callerARN(accounts[0], name)) || try(s.callerARN(account, names[0])) || try(s.callerARN(account, name)) {
			return true
		}
	}
	return false
}

// numbered bounds the numbers given to natural values that are all barred.
const numbered = 12

// another gives a natural value with a number.
func (x *variable) another(i int) string {
	if x.key == "aws:userid" {
		id, session, found := strings.Cut(x.natural[0], ":")
		if id = id[:len(id)-3] + strconv.Itoa(100+i); found {
			return id + ":" + session + "-" + strconv.Itoa(i)
		}
		return id
	}
	return x.natural[0] + "-" + strconv.Itoa(i)
}

// throughPath makes one caller of several patterns, what they ask for being
// part of the path: a star may reach beyond the colons there.
func (s *solver) throughPath(lits []lit, account string) (string, bool) {
	text, ok := woven(lits)
	head := s.callerARN("", "")
	head = head[:strings.LastIndexByte(head[:strings.LastIndexByte(head, ':')], ':')+1]
	rest, found := strings.CutPrefix(text, head)
	return s.callerARN(account, rest), ok && found && rest != ""
}

// trySamples fills ARN patterns with natural accounts.
func (s *solver) trySamples(lits []lit, accounts []string, try func(string) bool) bool {
	for i := range lits {
		l := &lits[i]
		if l.neg || l.t == nil || l.win != wholeWindow || l.t.family != textFamily || l.t.within != nil || l.t.accounts != nil {
			continue
		}
		for j := range min(len(l.t.patterns), 8) {
			parts := strings.SplitN(l.t.patterns[j].text, ":", 6)
			if len(parts) < 6 {
				continue
			}
			for k := range min(len(accounts), 4) {
				if v, ok := s.throughPath(lits, accounts[k]); ok && k == 0 && try(v) {
					return true
				}
				account := parts[4]
				if strings.ContainsAny(account, "*?") || account == "" {
					account = accounts[k]
				}
				for _, rest := range [...]string{naturalName(parts[5]), filledName(parts[5], ""), filledName(parts[5], "app")} {
					rest = strings.TrimPrefix(strings.TrimPrefix(rest, "user/"), "role/")
					if rest == "" || rest == "app" {
						rest = s.variant.names()[0]
					}
					if try(s.callerARN(account, rest)) {
						return true
					}
				}
			}
		}
	}
	return false
}
