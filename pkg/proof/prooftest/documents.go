// Package prooftest makes documents that are hard to judge, for tests. It gives
// texts and takes nothing; it judges nothing.
package prooftest

import (
	"fmt"
	"maps"
	"strconv"
	"strings"
)

// Hard gives all documents made to be hard, by name: knotted ones and wide ones.
func Hard() map[string]string {
	out := Knotted()
	maps.Copy(out, Wide())
	return out
}

const (
	anyone       = `{"AWS":"*"}`
	partner      = `{"AWS":"444455556666"}`
	saml         = "sts:AssumeRoleWithSAML"
	oidc         = "sts:AssumeRoleWithWebIdentity"
	githubIssuer = "token.actions.githubusercontent.com"
	github       = `{"Federated":"arn:aws:iam::111122223333:oidc-provider/` + githubIssuer + `"}`
	// opening is a statement for whoever there is.
	opening = `{"Effect":"Allow","Principal":{"AWS":"*","Service":["glue.amazonaws.com","ec2.amazonaws.com"],"Federated":["arn:aws:iam::111122223333:saml-provider/idp","arn:aws:iam::111122223333:oidc-provider/` + githubIssuer + `"]},"Action":"sts:*"}`
)

func document(statements ...string) string {
	return `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`
}

// statement writes one; action is a name or a list, condition what stands
// within the braces.
func statement(effect, principal, action, condition string) string {
	if !strings.HasPrefix(action, "[") {
		action = strconv.Quote(action)
	}
	s := `{"Effect":"` + effect + `","Principal":` + principal + `,"Action":` + action
	if condition != "" {
		s += `,"Condition":{` + condition + `}`
	}
	return s + "}"
}

func cond(operator, key, values string) string {
	return `"` + operator + `":{"` + key + `":` + values + `}`
}

// denies is an Allow for everybody under many Denies.
func denies(n int, condition func(i int) string) string {
	return document(append([]string{statement("Allow", anyone, "sts:*", "")}, times(n, func(i int) string {
		return statement("Deny", anyone, "sts:*", condition(i))
	})...)...)
}

func times(n int, one func(i int) string) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = one(i)
	}
	return out
}

// repeat writes n texts with their numbers, as members of a list.
func repeat(format string, n int) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.Quote(numbered(format, i)))
	}
	return b.String()
}

func list(format string, n int) string { return "[" + repeat(format, n) + "]" }

// keys writes n keys of a condition with one value each.
func keys(format, value string, n int) string {
	return strings.Join(times(n, func(i int) string { return strconv.Quote(numbered(format, i)) + ":" + value }), ",")
}

func numbered(format string, i int) string {
	if !strings.Contains(format, "%") {
		return format
	}
	return fmt.Sprintf(format, i)
}

// services57 are services that are documented to say on whose behalf they call.
func services57() string {
	names := strings.Fields("access-analyzer apigateway appflow backup batch bedrock billing budgets chatbot cloudformation cloudtrail " +
		"codebuild codedeploy codepipeline config connect databrew datasync delivery.logs dlm dms docdb elasticloadbalancing emr-serverless " +
		"events export.rds finspace firehose forecast gamelift glue grafana imagebuilder internetmonitor iot iotevents iotsitewise kafkaconnect " +
		"logs mediaconvert mediatailor monitoring.rds opsworks-cm osis-pipelines personalize pipes proton rds redshift rekognition " +
		"rolesanywhere sagemaker scheduler spotfleet ssm states transfer")
	for i := range names {
		names[i] = strconv.Quote(names[i] + ".amazonaws.com")
	}
	return `{"Service":[` + strings.Join(names, ",") + `]}`
}
