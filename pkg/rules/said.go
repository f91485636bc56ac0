package rules

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/policy"
)

// said is what a document names in its text: accounts and organizations. It
// divides the callers that rules ask about into named and unnamed ones; both
// parts are always asked about, so a name that is missed here hides nothing.
type said struct {
	// accounts are the twelve-digit ids in principals and condition values, in order.
	accounts []string
	// organizations are the organization ids in condition values.
	organizations []string
	// speaksOfOrganizations says that a condition or variable is about the
	// caller's organization.
	speaksOfOrganizations bool
	// trusted are the accounts of the principals of Allows, and anybody says
	// that some Allow's principals may be others than those that it names.
	trusted []string
	anybody bool
}

// newSaid reads the document, unless that was done when it was made ready.
func newSaid(in Input) said {
	if in.said != nil {
		return *in.said
	}
	var s said
	var accounts, organizations, trusted once
	for _, st := range in.Document.Statements {
		if st.Effect == policy.Allow {
			s.trust(st, &trusted)
		}
		for _, p := range slices.Concat(st.Principal.List, st.NotPrincipal.List) {
			if p.Account != "" {
				accounts.add(p.Account)
			} else {
				scan(p.Value, &accounts, &organizations)
			}
		}
		for _, c := range st.Conditions {
			s.about(c.Key)
			for _, v := range c.Values {
				s.about(v)
				scan(v, &accounts, &organizations)
			}
		}
	}
	s.accounts, s.organizations, s.trusted = accounts.list, organizations.list, trusted.list
	return s
}

// trust notes whom an Allow names as its principals.
func (s *said) trust(st policy.Statement, trusted *once) {
	s.anybody = s.anybody || st.Principal.Star || len(st.NotPrincipal.List) > 0 || st.NotPrincipal.Star
	for _, p := range st.Principal.List {
		switch p.Kind {
		case policy.Account, policy.User, policy.Role, policy.RoleSession, policy.FederatedUser:
			trusted.add(p.Account)
		case policy.Service, policy.SAMLProvider, policy.OIDCProvider, policy.UniqueID:
		case policy.UnknownPrincipal, policy.Anyone, policy.CanonicalUser:
			s.anybody = true
		default:
			s.anybody = true
		}
		s.anybody = s.anybody || strings.ContainsAny(p.Value, "*?")
	}
}

// onlyTrusts says whether no Allow has a principal beside services, identity
// providers, and users and roles of some accounts: nobody else can be let in
// whatever the conditions say, so nobody need be asked about.
func (s said) onlyTrusts(within func(account string) bool) bool {
	return !s.anybody && !slices.ContainsFunc(s.trusted, func(a string) bool { return !within(a) })
}

// anyAccount is of any account.
func anyAccount(string) bool { return true }

func (s *said) about(text string) {
	const key = "aws:principalorg"
	for i := 0; !s.speaksOfOrganizations && i+len(key) <= len(text); i++ {
		s.speaksOfOrganizations = strings.EqualFold(text[i:i+len(key)], key)
	}
}

// scan notes the account ids and organization ids in a text.
func scan(text string, accounts, organizations *once) {
	for start := 0; start < len(text); {
		end := start
		for end < len(text) && plain(text[end]) {
			end++
		}
		switch word := text[start:end]; {
		case policy.IsAccountID(word):
			accounts.add(word)
		case organizationID(word):
			organizations.add(word)
		}
		start = end + 1
	}
}

// plain says whether a character may stand in an account's or organization's id.
func plain(c byte) bool {
	return c == '-' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z'
}

// organizationID recognises "o-" and 10 to 32 lower-case letters and digits
// (AWS Organizations API Reference, API_Organization).
func organizationID(s string) bool {
	rest, ok := strings.CutPrefix(s, "o-")
	return ok && len(rest) >= 10 && len(rest) <= 32 && !strings.Contains(rest, "-")
}

// unsaidAccount gives an account that neither the document nor the rules file names.
func (s said) unsaidAccount(in Input) string {
	for i := 0; ; i++ {
		id := fmt.Sprintf("%012d", 111122223333+i)
		if _, partner := in.Org.Partner(id); !partner && !in.Org.Member(id) && !slices.Contains(s.accounts, id) {
			return id
		}
	}
}

// at gives the place of a statement.
func at(i int) string { return "Statement[" + strconv.Itoa(i) + "]" }

// principalAt gives the place of the j-th principal of a statement's element.
func principalAt(i int, element string, p policy.Principals, j int) string {
	n := 0
	for _, other := range p.List[:j] {
		if other.Type == p.List[j].Type {
			n++
		}
	}
	return fmt.Sprintf("%s.%s.%s[%d]", at(i), element, p.List[j].Type, n)
}

// conditionAt gives the place of a condition.
func conditionAt(i int, c policy.Condition) string {
	return at(i) + ".Condition." + word(c.Operator) + "." + word(c.Key)
}

// word shows a name of the document, quoted only when it is no plain word.
func word(s string) string {
	const longest = 80
	if len(s) <= longest && s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return s
	}
	return quoted(s)
}

// quoted shows a value of the document: escaped, so that it cannot forge a
// line of output, and shortened, so that it cannot flood one.
func quoted(v string) string {
	const longest = 80
	if r := []rune(v); len(r) > longest {
		return strconv.QuoteToASCII(string(r[:longest])) + "..."
	}
	return strconv.QuoteToASCII(v)
}

// oneLine escapes what could forge a line of output in a text made of others' words.
func oneLine(s string) string {
	var b strings.Builder
	for _, r := range s {
		if r >= ' ' && r <= '~' {
			b.WriteRune(r)
		} else {
			b.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
		}
	}
	return b.String()
}

// guards tells in words what the statements that let a request in, and the
// Denies that did not stop it, say of a key. Values of secret keys are left out.
func guards(d policy.Document, used []int, key string) string {
	var said []string
	for _, i := range used {
		for _, c := range d.Statements[i].Conditions {
			if strings.EqualFold(c.Key, key) {
				said = append(said, spelled(c))
			}
		}
	}
	where := at(first(used))
	words := "nothing in " + where + " speaks of " + key
	if len(said) > 0 {
		words = where + " asks of " + key + " no more than " + strings.Join(said, " and ")
	}
	for i, st := range d.Statements {
		if st.Effect == policy.Deny && slices.ContainsFunc(st.Conditions, func(c policy.Condition) bool { return strings.EqualFold(c.Key, key) }) {
			return words + ", and the Deny in " + at(i) + " does not reach it"
		}
	}
	return words
}

// spelled writes a condition short.
func spelled(c policy.Condition) string {
	const most = 3
	var values []string
	for _, v := range c.Values[:min(len(c.Values), most)] {
		if policy.SecretKey(c.Key) && (c.Operator != "Null" || v != "true" && v != "false") {
			values = append(values, masked(v))
		} else {
			values = append(values, quoted(v))
		}
	}
	if len(c.Values) > most {
		values = append(values, "...")
	}
	return word(c.Operator) + " " + strings.Join(values, ", ")
}

// masked tells of a secret value no more than what makes it none: that it is
// all wildcards, a variable, or open in part.
func masked(v string) string {
	switch {
	case strings.Trim(v, "*?") == "":
		return quoted(v)
	case strings.HasPrefix(v, "${") && strings.IndexByte(v, '}') == len(v)-1 && !strings.Contains(v, "'"):
		return quoted(v)
	case strings.ContainsAny(v, "*?"):
		return "*** with a wildcard"
	case strings.Contains(v, "${"):
		return "*** with a variable"
	default:
		return "***"
	}
}

func first(used []int) int {
	if len(used) == 0 {
		return 0
	}
	return used[0]
}
