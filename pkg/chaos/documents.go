package chaos

import (
	"fmt"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/org"
)

// The accounts of the simulated organization.
const (
	prod     = "111122223333"
	dev      = "444455556666"
	outside  = "999999999999"
	newcomer = "555555555555"
	hub      = "123456789012"
)

// hush is a value that no output may hold.
const hush = "canary-4711-hush"

// own is the session name that users may take.
const own = `{"StringLike":{"sts:RoleSessionName":"${aws:username}"}}`

func statement(principal, action, condition string) string {
	if condition != "" {
		condition = `,"Condition":` + condition
	}
	return `{"Effect":"Allow","Principal":` + principal + `,"Action":"` + action + `"` + condition + `}`
}

func document(statements ...string) string {
	return `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`
}

func arn(account, kind, name string) string {
	return "arn:aws:iam::" + account + ":" + kind + "/" + name
}

func aws(principals ...string) string {
	return `{"AWS":["` + strings.Join(principals, `","`) + `"]}`
}

// The people of the simulated organization. Some are deleted, made again and
// renamed as time goes by.
var (
	alice  = arn(prod, "user", "alice")
	bob    = arn(prod, "user", "bob")
	carol  = arn(dev, "user", "team/carol")
	deploy = arn(dev, "role", "deploy")
)

// oncall is who answers for what people do to rolewarden itself.
const oncall = "arn:aws:iam::" + prod + ":user/oncall"

func people() []string { return []string{alice, bob, carol, deploy} }

// goodDocuments obey the rules as long as the people they name live.
func goodDocuments() []string {
	return []string{
		document(statement(aws(alice), "sts:AssumeRole", own)),
		document(statement(aws(alice, bob), "sts:AssumeRole", own)),
		document(statement(aws(bob, carol), "sts:AssumeRole", own)),
		document(statement(aws(alice), "sts:AssumeRole", own), statement(aws(deploy), "sts:AssumeRole", "")),
		document(statement(aws(deploy), "sts:AssumeRole", "")),
		document(statement(`{"Service":"ec2.amazonaws.com"}`, "sts:AssumeRole", "")),
		document(statement(aws(alice), "sts:AssumeRole", own), `{"Effect":"Deny","Principal":{"AWS":"`+bob+`"},"Action":"sts:AssumeRole"}`),
		document(statement(aws("arn:aws:iam::"+dev+":root"), "sts:AssumeRole", own)),
	}
}

// badDocuments break the rules.
func badDocuments() []string {
	return []string{
		document(statement(aws("arn:aws:iam::"+outside+":root"), "sts:AssumeRole", "")),
		document(statement(`{"AWS":"*"}`, "sts:AssumeRole", "")),
		document(statement(aws(alice), "sts:AssumeRole", "")),
		document(statement(aws(bob), "sts:AssumeRole", ""), statement(aws(deploy), "sts:AssumeRole", "")),
		document(statement(aws("arn:aws:iam::"+outside+":root"), "sts:AssumeRole", `{"StringEquals":{"sts:ExternalId":"`+hush+`"}}`)),
		document(statement(aws("arn:aws:iam::"+newcomer+":root"), "sts:AssumeRole", own)),
		document(statement(`{"Federated":"arn:aws:iam::`+prod+`:oidc-provider/token.actions.githubusercontent.com"}`, "sts:AssumeRoleWithWebIdentity", `{"StringEquals":{"token.actions.githubusercontent.com:aud":"sts.amazonaws.com"}}`)),
		document(`{"Effect":"Allow","Principal":{"AWS":"` + alice + `"},"Action":"sts:AssumeRole","Resource":"*","Condition":` + own + `}`),
	}
}

// oddDocuments cannot be settled.
func oddDocuments() []string {
	return []string{
		document(`{"Effect":"Allow","NotPrincipal":{"AWS":"` + bob + `"},"Action":"sts:AssumeRole"}`),
	}
}

// padded is a document with white space that IAM does not count.
func padded(text string, n int) string {
	return strings.Replace(text, `"Statement":`, `"Statement":`+strings.Repeat(" ", n), 1)
}

// rulesFiles are the rules files that come and go within an episode.
func rulesFiles(limits string) ([]*org.Rules, error) {
	const head = `version: 1
organization:
  id: o-exampleorg1
  management: "` + hub + `"
  accounts:
    - {id: "` + prod + `", name: prod}
    - {id: "` + dev + `", name: dev}
protected: ["arn:aws:iam::*:role/kept-*"]
baselines: {ageHours: 2}
`
	var out []*org.Rules
	for _, tail := range []string{
		"modes:\n  default: enforce\n",
		"modes:\n  default: enforce\n  accounts:\n    \"" + dev + "\": tag\n",
		"modes:\n  default: observe\n",
		"modes:\n  default: enforce\npruning: {orphans: true}\nquarantine: {graceMinutes: 5}\nruleChanges: {observeHours: 0}\n",
		"modes:\n  default: enforce\ncontainment: {rules: [public-principal, external-account]}\n",
		"modes:\n  default: enforce\nquarantine: {graceMinutes: 20}\nexemptions:\n  - {rules: [session-name], role: \"arn:aws:iam::" + prod + ":role/app0\", owner: team-app, reason: a migration, ticket: SEC-1, expires: 2026-03-20}\n",
	} {
		rules, err := org.Parse("rules.yaml", []byte(head+tail+limits), epoch)
		if err != nil {
			return nil, fmt.Errorf("reading a rules file of the simulation: %w", err)
		}
		out = append(out, rules)
	}
	return out, nil
}

// The limits that episodes draw from.
const (
	tightLimits = "limits: {perRolePerDay: 3, perAccountPerHour: 5, perHour: 8, perRulePerHour: 6, tagsPerHour: 12}\n"
	wideLimits  = "limits: {perRolePerDay: 100000, perAccountPerHour: 100000, perHour: 100000, perRulePerHour: 100000, tagsPerHour: 100000}\n"
)
