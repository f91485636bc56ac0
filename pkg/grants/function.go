package grants

import (
	"slices"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/awsapi/actions"
	"github.com/rolewarden/rolewarden/pkg/deployment"
)

// Resources are the ARNs that one function works on. What it does not use is
// empty.
type Resources struct {
	// Table is the ledger, DataKey the key that encrypts what lies in the hub,
	// SealKey the one that baselines are sealed with.
	Table, DataKey, SealKey string
	// FormerSealKeys are those that sealed before it, and only check.
	FormerSealKeys []string
	// Topic is where alerts are published, Secret the webhook of Slack.
	Topic, Secret string
	// LogGroup is the function's log group as GetAtt gives it: its ARN ends in ":*".
	LogGroup string
	// Consumes are the queues that Lambda reads for the function, Sends those
	// that the function itself writes to.
	Consumes, Sends []string
}

// FunctionTrust lets the Lambda service, and nobody else, assume a function's
// role. It asks for no aws:SourceAccount or aws:SourceArn: Lambda's guide names
// the service principal and no condition that it meets (AWS Lambda Developer
// Guide, lambda-intro-execution-role), and one that it does not meet would stop
// the guardrail. A role cannot be passed to a service of another account (IAM
// User Guide, id_roles_use_passrole).
func FunctionTrust(World, string) Document {
	return document(Statement{
		Sid: "Lambda", Effect: allow, Principal: service("lambda.amazonaws.com"), Action: []string{"sts:AssumeRole"},
	})
}

// Function gives the permissions of a function's role: the calls of its code,
// each on its own resources, and what AWS does with the role beside them
// (see Indirect).
func Function(w World, function string, r Resources) Document {
	var out []Statement
	for _, g := range groups(w, function, r) {
		g.statement.Action = pick(actions.Permissions(function, actions.Own), g.takes)
		if len(g.statement.Action) > 0 && len(g.statement.Resource) > 0 {
			g.statement.Effect = allow
			out = append(out, g.statement)
		}
	}
	return document(slices.Concat(out, indirect(w, function, r), w.never(function))...)
}

// never is what a function is denied whatever else somebody attaches to its
// role: to seal, for all but the sweep, and to open a writing session, for the
// sweep. Who says what a role may go back to is not who writes it. Nor does any of
// them do with the ledger what a person's word is needed for.
func (w World) never(function string) []Statement {
	switch function {
	case actions.Guard, actions.Notify, actions.Canary:
		return append([]Statement{{Sid: "NoSealing", Effect: deny, Action: []string{"kms:GenerateMac"}, Resource: []string{everything}}}, byPeopleOnly()...)
	case actions.Sweep:
		return append([]Statement{{Sid: "NoWriting", Effect: deny, Action: []string{"sts:AssumeRole"}, Resource: []string{
			w.roleARN("*", deployment.RemediatorRole), w.roleARN("*", deployment.CanaryWriterRole),
		}}}, byPeopleOnly()...)
	}
	return nil
}

// byPeopleOnly denies to turn the kill switch and to put a breaker back. A
// breaker trips by itself, so its item may be made.
func byPeopleOnly() []Statement {
	about := func(parts []string) map[string]map[string][]string {
		return all(when{"ForAnyValue:StringLike", "dynamodb:LeadingKeys", parts})
	}
	return []Statement{
		{
			Sid: "NoTurning", Effect: deny, Action: []string{"dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"}, Resource: []string{everything},
			Condition: about(actions.Turned()),
		},
		{Sid: "NoReset", Effect: deny, Action: []string{"dynamodb:DeleteItem"}, Resource: []string{everything}, Condition: about(actions.Reset())},
	}
}

// group is where the calls with some names may be made.
type group struct {
	// takes lists whole permissions, or beginnings that end in a colon.
	takes     []string
	statement Statement
}

func pick(permissions, takes []string) []string {
	var out []string
	for _, p := range permissions {
		if slices.ContainsFunc(takes, func(t string) bool { return p == t || strings.HasSuffix(t, ":") && strings.HasPrefix(p, t) }) {
			out = append(out, p)
		}
	}
	return out
}

// groups gives the resources of each kind of call.
func groups(w World, function string, r Resources) []group {
	members := w.sessions(function)
	out := []group{
		// That STS shows this key was told when the key was (AWS, What's New,
		// 2022-04-27; in China 2023-02-13).
		{[]string{"sts:AssumeRole"}, Statement{Sid: "Members", Resource: members, Condition: all(w.inOrganization("aws:ResourceOrgID"))}},
		// Which condition keys AWS shows to this second action of the call is
		// not documented, so nothing is asked here. Alone it opens no session.
		{[]string{"sts:SetSourceIdentity"}, Statement{Sid: "MembersIdentity", Resource: members}},
		{[]string{"dynamodb:"}, Statement{Sid: "Ledger", Resource: given(r.Table)}},
		{[]string{"sns:"}, Statement{Sid: "Alerts", Resource: given(r.Topic)}},
		{[]string{"sqs:SendMessage"}, Statement{Sid: "Send", Resource: r.Sends}},
		{[]string{"sqs:ChangeMessageVisibility"}, Statement{Sid: "Hide", Resource: r.Consumes}},
		{[]string{"secretsmanager:"}, Statement{Sid: "Webhook", Resource: given(r.Secret)}},
		{[]string{"kms:"}, Statement{Sid: "Seals", Resource: given(r.SealKey), Condition: all(ofSeals())}},
		{[]string{"kms:VerifyMac"}, Statement{Sid: "FormerSeals", Resource: r.FormerSealKeys, Condition: all(ofSeals())}},
	}
	if w.Organization != "" {
		out = append(out,
			// Mostly accounts are asked for that are in no organization, and what ARN
			// those have is not documented: were it another one than expected, no
			// stranger would ever be confirmed to be one. The call tells of one's own
			// organization only, so naming it would narrow nothing.
			group{[]string{"organizations:DescribeAccount"}, Statement{Sid: "Account", Resource: []string{everything}}},
			group{
				[]string{"organizations:ListAccountsForParent", "organizations:ListOrganizationalUnitsForParent"},
				Statement{Sid: "Units", Resource: []string{w.organizations("ou/" + w.Organization + "/*"), w.organizations("root/" + w.Organization + "/*")}},
			},
			// It lists what is in one's own organization and takes no resource to name
			// (Service Authorization Reference, AWS Organizations).
			group{[]string{"organizations:ListAccounts"}, Statement{Sid: "Organization", Resource: []string{everything}}},
		)
	}
	return out
}

// organizations gives an ARN of AWS Organizations. Its account is the
// management account (Service Authorization Reference, AWS Organizations).
func (w World) organizations(resource string) string {
	return "arn:" + w.Partition + ":organizations::*:" + resource
}

// sessions gives the member roles that a function opens sessions in: in every
// account of the organization, or in its own where there is none.
func (w World) sessions(function string) []string {
	account := w.Hub
	if w.Organization != "" {
		account = "*"
	}
	var out []string
	for _, name := range rolesOf(function) {
		out = append(out, w.roleARN(account, name))
	}
	return out
}

func rolesOf(function string) []string {
	switch function {
	case actions.Guard:
		return []string{deployment.ReaderRole, deployment.RemediatorRole}
	case actions.Sweep:
		return []string{deployment.ReaderRole}
	case actions.Canary:
		return []string{deployment.CanaryWriterRole}
	}
	return nil
}

func given(arn string) []string {
	if arn == "" {
		return nil
	}
	return []string{arn}
}
