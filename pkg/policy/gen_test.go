package policy_test

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/policy"
	"pgregory.net/rapid"
)

// The words that generated documents are made of: few, so that documents are
// often nearly equal, and nasty, so that escaping is exercised.
var (
	sids       = []string{"", "Team", `q"\<&>é` + "\n"}
	actions    = []string{"sts:AssumeRole", "sts:*", "sts:TagSession", "sts:SetSourceIdentity"}
	resources  = []string{"*", "arn:aws:iam::111122223333:role/x"}
	operators  = []string{"StringEquals", "StringNotLike", "ForAnyValue:StringLikeIfExists", "Bool", "NoSuchOperator"}
	keys       = []string{"sts:ExternalId", "sts:RoleSessionName", "aws:PrincipalTag/Team", "aws:username"}
	values     = []string{"", "true", "${aws:username}-*", "<b>", "é\t", "12"}
	principals = map[string][]string{
		"AWS": {
			"111122223333", "arn:aws:iam::444455556666:root", "*", "arn:aws:iam::111122223333:user/team/alice",
			"AIDACKCEVSQ6C2EXAMPLE", "arn:aws-cn:iam::111122223333:role/app", "nonsense",
		},
		"Service":       {"ec2.amazonaws.com", "lambda.amazonaws.com"},
		"Federated":     {"accounts.google.com", "arn:aws:iam::111122223333:saml-provider/Okta"},
		"CanonicalUser": {"79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"},
	}
)

// some draws a list of different words, in any order.
func some(t *rapid.T, words []string, atLeast int) []string {
	drawn := rapid.SliceOfNDistinct(rapid.SampledFrom(words), atLeast, 3, rapid.ID[string]).Draw(t, "words")
	if len(drawn) == 0 {
		return nil
	}
	return drawn
}

func drawPrincipals(t *rapid.T) policy.Principals {
	if rapid.IntRange(0, 9).Draw(t, "star") == 0 {
		return policy.Principals{Star: true}
	}
	var ps policy.Principals
	for _, typ := range some(t, []string{"AWS", "Service", "Federated", "CanonicalUser"}, 1) {
		for _, value := range rapid.SliceOfNDistinct(rapid.SampledFrom(principals[typ]), 1, min(3, len(principals[typ])), rapid.ID[string]).Draw(t, "principals") {
			p, err := policy.ParsePrincipal(typ, value)
			if err != nil {
				t.Fatal(err)
			}
			ps.List = append(ps.List, p)
		}
	}
	return ps
}

func drawConditions(t *rapid.T) []policy.Condition {
	if rapid.Bool().Draw(t, "unconditional") {
		return nil
	}
	out := []policy.Condition{}
	for _, operator := range some(t, operators, 0) {
		conditionKeys := some(t, keys, 0)
		for _, key := range conditionKeys {
			out = append(out, policy.Condition{Operator: operator, Key: key, Values: some(t, values, 0)})
		}
		if len(conditionKeys) == 0 {
			out = append(out, policy.Condition{Operator: operator})
		}
	}
	return out
}

func drawStatement(t *rapid.T) policy.Statement {
	s := policy.Statement{
		Sid:        rapid.SampledFrom(sids).Draw(t, "sid"),
		Effect:     rapid.SampledFrom([]policy.Effect{policy.Allow, policy.Deny}).Draw(t, "effect"),
		Conditions: drawConditions(t),
	}
	if rapid.IntRange(0, 5).Draw(t, "not principal") == 0 {
		s.NotPrincipal = drawPrincipals(t)
	} else {
		s.Principal = drawPrincipals(t)
	}
	if rapid.IntRange(0, 5).Draw(t, "not action") == 0 {
		s.NotActions = some(t, actions, 1)
	} else {
		s.Actions = some(t, actions, 1)
	}
	switch rapid.IntRange(0, 9).Draw(t, "resource") {
	case 0:
		s.Resources = some(t, resources[:1], 1)[:1]
	case 1:
		s.NotResources = resources
	}
	return s
}

// document draws what Parse could have given.
func document(t *rapid.T) policy.Document {
	d := policy.Document{
		Version: rapid.SampledFrom([]string{"", "2008-10-17", "2012-10-17"}).Draw(t, "version"),
		ID:      rapid.SampledFrom(sids).Draw(t, "id"),
	}
	for range rapid.IntRange(1, 3).Draw(t, "statements") {
		d.Statements = append(d.Statements, drawStatement(t))
	}
	return d
}

// speller writes a document as text in one of the many ways that mean the
// same: blank space, order of elements, escapes, one or many.
type speller struct{ t *rapid.T }

func (s speller) space() string {
	return rapid.SampledFrom([]string{"", " ", "\n\t", "\r\n"}).Draw(s.t, "space")
}

// quote writes a string, now and then with a character as an escape.
func (s speller) quote(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, c := range text {
		switch {
		case c == '"' || c == '\\' || c < ' ' || rapid.IntRange(0, 30).Draw(s.t, "escape") == 0:
			fmt.Fprintf(&b, "\\u%04x", c)
		default:
			b.WriteRune(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}

func (s speller) list(list []string) string {
	if len(list) == 1 && rapid.Bool().Draw(s.t, "one") {
		return s.quote(list[0])
	}
	quoted := make([]string, len(list))
	for i := range list {
		quoted[i] = s.space() + s.quote(list[i])
		if (list[i] == "true" || list[i] == "12") && rapid.Bool().Draw(s.t, "bare") {
			quoted[i] = list[i]
		}
	}
	return "[" + strings.Join(quoted, ",") + s.space() + "]"
}

// object writes members, shuffled when their order means nothing.
func (s speller) object(members []string) string {
	return "{" + s.space() + strings.Join(members, s.space()+",") + "}"
}

func (s speller) member(name, value string) string {
	return s.quote(name) + s.space() + ":" + s.space() + value
}

func (s speller) principals(ps policy.Principals) string {
	if ps.Star {
		return `"*"`
	}
	var members []string
	for i := 0; i < len(ps.List); {
		typ := ps.List[i].Type
		var list []string
		for ; i < len(ps.List) && ps.List[i].Type == typ; i++ {
			list = append(list, ps.List[i].Value)
		}
		members = append(members, s.member(typ, s.list(list)))
	}
	return s.object(members)
}

func (s speller) conditions(cs []policy.Condition) string {
	var members []string
	for i := 0; i < len(cs); {
		operator := cs[i].Operator
		var inner []string
		for ; i < len(cs) && cs[i].Operator == operator; i++ {
			if cs[i].Key != "" {
				inner = append(inner, s.member(cs[i].Key, s.conditionValues(cs[i].Values)))
			}
		}
		members = append(members, s.member(operator, s.object(inner)))
	}
	return s.object(members)
}

// conditionValues is list; a bare true or 12 is a value here as well.
func (s speller) conditionValues(list []string) string { return s.list(list) }

func (s speller) statement(st policy.Statement) string {
	members := []string{s.member("Effect", s.quote(st.Effect.String()))}
	if st.Sid != "" {
		members = append(members, s.member("Sid", s.quote(st.Sid)))
	}
	if st.Principal.Present() {
		members = append(members, s.member("Principal", s.principals(st.Principal)))
	}
	if st.NotPrincipal.Present() {
		members = append(members, s.member("NotPrincipal", s.principals(st.NotPrincipal)))
	}
	for name, list := range map[string][]string{
		"Action": st.Actions, "NotAction": st.NotActions, "Resource": st.Resources, "NotResource": st.NotResources,
	} {
		if len(list) > 0 {
			members = append(members, s.member(name, s.list(list)))
		}
	}
	if st.Conditions != nil {
		members = append(members, s.member("Condition", s.conditions(st.Conditions)))
	}
	slices.Sort(members)
	return s.object(rapid.Permutation(members).Draw(s.t, "members"))
}

// spell writes the document.
func spell(t *rapid.T, d policy.Document) []byte {
	s := speller{t}
	var members, statements []string
	for _, st := range d.Statements {
		statements = append(statements, s.statement(st))
	}
	if len(statements) == 1 && rapid.Bool().Draw(t, "single statement") {
		members = append(members, s.member("Statement", statements[0]))
	} else {
		members = append(members, s.member("Statement", "["+strings.Join(statements, ",")+"]"))
	}
	if d.Version != "" {
		members = append(members, s.member("Version", s.quote(d.Version)))
	}
	if d.ID != "" {
		members = append(members, s.member("Id", s.quote(d.ID)))
	}
	return []byte(s.space() + s.object(rapid.Permutation(members).Draw(t, "elements")) + s.space())
}
