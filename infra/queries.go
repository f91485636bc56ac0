package main

import (
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/constructs-go/constructs/v10"

	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/meter"
)

// query is a saved question to the logs of some functions (CloudWatch Logs User
// Guide, CWL_QuerySyntax).
type query struct {
	name string
	// of are the functions whose logs are asked.
	of   []string
	text string
}

// queries are the questions of the first weeks: what would it have done, where,
// by which rule, and what does it not see. An event that asked for nothing was not
// judged, so it is as undecided as can be, and is ignored; tags that are taken off
// are writes too. Rules stand in the order of their names, so a count by the first
// alone would hide the others.
func queries() []query {
	guard, sweep := []string{deployment.GuardFunction}, []string{deployment.SweepFunction}
	return []query{
		{"findings", guard, `fields @timestamp, account, role, rule.0, rule.1, rule.2, verdict, action, done, reason
| filter msg = "handled" and verdict = "Noncompliant"
| sort @timestamp desc
| limit 1000`},
		{"findings-by-rule-and-account", guard, `filter msg = "handled" and verdict = "Noncompliant"
| stats count(*) as events, count_distinct(role) as roles by rule.0, rule.1, rule.2, account
| sort roles desc`},
		{"undecided-or-held", guard, `fields @timestamp, account, role, verdict, action, reason
| filter msg = "handled" and ((verdict = "Undecided" and action != "Ignore") or action = "Hold")
| sort @timestamp desc
| limit 1000`},
		{"written", guard, `fields @timestamp, account, role, rule.0, action, done, reason
| filter msg = "handled" and done in ["Revert", "Quarantine", "Prune", "Tag", "Clear"]
| sort @timestamp desc
| limit 1000`},
		{"alarms", slices.Concat(guard, sweep), `fields @timestamp, ` + meter.Key + `, msg, account, role, reason
| filter ispresent(` + meter.Key + `)
| sort @timestamp desc
| limit 1000`},
		{"sweeps", sweep, `fields @timestamp, sweep, accounts, roles, gaps, took
| filter msg = "a sweep has ended"
| sort @timestamp desc
| limit 1000`},
	}
}

// newQueries saves the questions under rolewarden/ in the console's list.
func newQueries(scope constructs.Construct) {
	for _, q := range queries() {
		var groups []any
		for _, f := range q.of {
			groups = append(groups, deployment.LogPrefix+f)
		}
		awslogs.NewCfnQueryDefinition(scope, str(logicalName(q.name)+"Query"), &awslogs.CfnQueryDefinitionProps{
			Name: str("rolewarden/" + q.name), QueryString: str(q.text), LogGroupNames: &groups,
		})
	}
}
