package main

import (
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"

	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/grants"
)

// worldOf is the world of the hub's documents, without an external id. The way
// Single reaches no other account, so there is no organization in it, whatever
// the rules file knows of one.
func worldOf(d *deployment.Deployment) grants.World {
	w := grants.World{
		Partition: d.Partition, Region: d.Region, Hub: d.Account, Account: d.Account, Protected: d.Rules.Protected,
	}
	if d.Way != deployment.Single {
		w.Organization = d.Organization()
	}
	for _, p := range d.Rules.Partners {
		w.Partners = append(w.Partners, p.Accounts...)
	}
	slices.Sort(w.Partners)
	w.Partners = slices.Compact(w.Partners)
	return w
}

// hereWorld is the world of documents for whichever account the template is in.
func hereWorld(d *deployment.Deployment) grants.World {
	w := worldOf(d)
	w.Account = *awscdk.Aws_ACCOUNT_ID()
	return w
}

// memberWorld is the world of a member's documents: the account is whichever
// the template is for, and the external id is a parameter of the stack.
func memberWorld(stack constructs.Construct, d *deployment.Deployment) grants.World {
	w := hereWorld(d)
	w.ExternalID = *externalID(stack).ValueAsString()
	return w
}

// externalID adds the parameter for the external id that the member roles ask
// for. It has no default and is not echoed, so no template and no assembly
// holds it (AWS STS API Reference, API_AssumeRole: ExternalId).
func externalID(stack constructs.Construct) awscdk.CfnParameter {
	return awscdk.NewCfnParameter(stack, str(deployment.ExternalIDParameter), &awscdk.CfnParameterProps{
		Type:                  str("String"),
		NoEcho:                yes(),
		MinLength:             num(16),
		MaxLength:             num(1224),
		AllowedPattern:        str(`[\w+=,.@:/-]*`),
		Description:           str("The external id that the member roles ask rolewarden's sessions for: 16 characters or more, random, the same in all stacks. Treat it as a secret."),
		ConstraintDescription: str("must have 16 to 1224 characters out of letters, digits and _+=,.@:/-"),
	})
}

// logicalName makes a logical id of a name: rolewarden-intake-dlq is IntakeDlq.
func logicalName(name string) string {
	var b strings.Builder
	for _, part := range strings.FieldsFunc(strings.TrimPrefix(name, deployment.AlarmPrefix), func(r rune) bool { return r == '-' || r == '/' || r == '_' || r == '.' }) {
		b.WriteString(strings.ToUpper(part[:1]) + part[1:])
	}
	return b.String()
}
