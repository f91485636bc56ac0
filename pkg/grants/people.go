package grants

import (
	"maps"
	"slices"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/awsapi/actions"
	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// People gives the policies for people's verbs by name, such as "undo" for what it
// takes in the hub and "undo-account" for what it takes in the account that a role
// is in. What takes nothing there has none.
func People(w World) map[string]Document {
	out := map[string]Document{}
	for _, verb := range actions.People() {
		name := verb[strings.LastIndexAny(verb, " -")+1:]
		for suffix, d := range map[string]Document{"": Person(w, verb), "-account": PersonInAccount(w, verb)} {
			if len(d.Statement) > 0 {
				out[name+suffix] = d
			}
		}
	}
	return out
}

// Person is what a person needs in the hub to run one of the verbs of
// actions.People: its calls, on the partitions of the ledger that they are about,
// and the data key behind them. A verb that needs nothing of the hub has no
// statement.
func Person(w World, verb string) Document {
	out := w.ledgerOf(verb)
	if len(out) > 0 {
		out = append(out, w.keyThrough("KeyThroughService", "dynamodb"))
	}
	calls := actions.Permissions(verb, actions.Own)
	if asks := pick(calls, []string{"organizations:"}); len(asks) > 0 && w.Organization != "" {
		// As the guard's: see groups.
		out = append(out, Statement{Sid: "Account", Effect: allow, Action: asks, Resource: []string{everything}})
	}
	return document(out...)
}

// PersonInAccount is what the same person needs in the account that a role is
// in. What is never written they do not need to write either.
func PersonInAccount(w World, verb string) Document {
	calls := actions.Permissions(verb, actions.RoleAccount)
	lists, writes := pick(calls, []string{"iam:GetAccountAuthorizationDetails"}), pick(calls, []string{"iam:UpdateAssumeRolePolicy"})
	roles := w.iam("*", "role/*")
	var out []Statement
	for _, s := range []Statement{
		{Sid: "Read", Effect: allow, Action: without(calls, append(writes, lists...)), Resource: []string{roles, w.iam("*", "user/*")}},
		{Sid: "List", Effect: allow, Action: lists, Resource: []string{everything}},
		{Sid: "PutBack", Effect: allow, Action: writes, Resource: []string{roles}},
		{Sid: "Guarded", Effect: deny, Action: writes, Resource: append(role.GuardedPatterns(w.Partition), w.Protected...)},
	} {
		if len(s.Action) > 0 {
			out = append(out, s)
		}
	}
	return document(out...)
}

// ledgerOf gives what a caller does with the ledger, one statement for all calls
// that are about the same partitions. A transaction asks for the permission of
// each of its writes (Amazon DynamoDB Developer Guide, transaction-apis-iam).
func (w World) ledgerOf(caller string) []Statement {
	parts, where := map[string][]string{}, map[string][]string{}
	for _, a := range actions.All() {
		if a.Function != caller || a.Under != actions.Own || !strings.HasPrefix(a.Name, "dynamodb:") {
			continue
		}
		for _, p := range a.Permissions() {
			parts[p] = merged(parts[p], a.Parts)
		}
	}
	for p, list := range parts {
		sid := "Ledger" + partWords(list)
		where[sid] = merged(where[sid], []string{p})
	}
	var out []Statement
	for _, sid := range slices.Sorted(maps.Keys(where)) {
		out = append(out, Statement{
			Sid: sid, Effect: allow, Action: where[sid], Resource: []string{w.here("dynamodb", "table/"+deployment.Table)},
			Condition: inParts(parts[where[sid][0]]),
		})
	}
	return out
}

// inParts asks that a call is about some partitions of a table and no others; of
// none, it asks for nothing.
func inParts(parts []string) map[string]map[string][]string {
	if len(parts) == 0 {
		return nil
	}
	return all(
		when{"ForAllValues:StringLike", "dynamodb:LeadingKeys", parts},
		// Without it a call that shows no key would meet the line above.
		when{"Null", "dynamodb:LeadingKeys", []string{"false"}},
	)
}

// partWords spells partitions as a Sid may: "EVENT#*#undo/*" is "EventUndo".
func partWords(parts []string) string {
	var out strings.Builder
	for _, word := range strings.FieldsFunc(strings.Join(parts, "#"), func(r rune) bool { return r == '#' || r == '*' || r == '/' }) {
		out.WriteString(strings.ToUpper(word[:1]) + strings.ToLower(word[1:]))
	}
	return out.String()
}

// keyThrough lets the hub's keys decrypt by way of some services.
func (w World) keyThrough(sid string, services ...string) Statement {
	return Statement{
		Sid: sid, Effect: allow, Action: []string{"kms:Decrypt"}, Resource: []string{w.here("kms", "key/*")},
		Condition: all(w.via(services...)),
	}
}
