package actions

// The verbs of the command rolewarden by which people use what is deployed,
// under credentials of their own. They are no functions, and each may do less
// than one.
const (
	Writes  = "rolewarden writes"
	Breaker = "rolewarden breaker"
	Preview = "rolewarden preview"
	// Confirm is preview with --confirm: to look is not to say that it is meant.
	Confirm = "rolewarden preview --confirm"
	Undo    = "rolewarden undo"
	// Look is the sweep of one account by hand, which needs nothing of the hub.
	Look = "rolewarden sweep"
)

// People lists the verbs.
func People() []string { return []string{Writes, Breaker, Preview, Confirm, Undo, Look} }

// The partitions of the ledger's table (pkg/ledger, README), as people's calls
// are about them.
const (
	killSwitch = "SWITCH"
	breakers   = "BREAKER"
	resets     = "RESET#*"
	counters   = "COUNT#*"
	roles      = "ROLE#*"
	ids        = "ID#*"
	principals = "PRINCIPAL#*"
	rulesFiles = "RULES#*"
	decisions  = "DECISION#*"
	events     = "EVENT#*"
	// undoings are the events that an undoing is recorded as (pkg/guard).
	undoings = "EVENT#*#undo/*"
	leases   = "LEASE#*"
)

// Turned are the partitions that people write and no function does: the kill
// switch, and who put which breaker back.
func Turned() []string { return []string{killSwitch, resets} }

// Reset are those of which people take items away and no function does: a breaker
// trips by itself, and a person puts it back.
func Reset() []string { return []string{breakers} }

// people gives the calls of people's verbs.
func people() []Action {
	const (
		get, batch, query, scan = "dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query", "dynamodb:Scan"
		put, update, remove     = "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"
		// A transaction has no permission of its own (Amazon DynamoDB Developer
		// Guide, transaction-apis-iam).
		together = "dynamodb:TransactWriteItems"
	)
	return []Action{
		{Name: get, Function: Writes, Parts: []string{killSwitch}},
		{Name: put, Function: Writes, Parts: []string{killSwitch}},

		{Name: get, Function: Breaker, Parts: []string{breakers}},
		{Name: query, Function: Breaker, Parts: []string{breakers, counters}},
		{Name: together, Function: Breaker, Needs: []string{remove}, Parts: []string{breakers, counters}},
		{Name: together, Function: Breaker, Needs: []string{put}, Parts: []string{resets}},

		// Only this verb reads the whole ledger; no function may.
		{Name: scan, Function: Preview},
		{Name: get, Function: Preview, Parts: []string{ids}},
		{Name: batch, Function: Preview, Parts: []string{ids, principals}},
		{Name: query, Function: Preview, Parts: []string{roles, principals}},
		{Name: "organizations:DescribeAccount", Function: Preview},

		{Name: update, Function: Confirm, Parts: []string{rulesFiles}},

		{Name: get, Function: Undo, Parts: []string{decisions, events, killSwitch}},
		{Name: batch, Function: Undo, Parts: []string{principals}},
		{Name: query, Function: Undo, Parts: []string{principals}},
		{Name: update, Function: Undo, Parts: []string{undoings}},
		{Name: put, Function: Undo, Parts: []string{leases, roles}},
		{Name: together, Function: Undo, Needs: []string{put}, Parts: []string{decisions, roles}},
		{Name: together, Function: Undo, Needs: []string{update}, Parts: []string{undoings}},
		{Name: remove, Function: Undo, Parts: []string{leases}},
		{Name: "organizations:DescribeAccount", Function: Undo},
		{Name: "iam:GetRole", Function: Undo, Under: RoleAccount},
		{Name: "iam:GetUser", Function: Undo, Under: RoleAccount},
		{Name: "iam:UpdateAssumeRolePolicy", Function: Undo, Under: RoleAccount},

		{Name: "iam:GetAccountAuthorizationDetails", Function: Look, Under: RoleAccount},
		{Name: "iam:GetRole", Function: Look, Under: RoleAccount},
		{Name: "iam:GetUser", Function: Look, Under: RoleAccount},
	}
}
