package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/aws/aws-cdk-go/awscdk/v2/cxapi"

	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/grants"
)

// The limits of CloudFormation on a template: one that is handed over with the
// call or lies in a StackSet, and one that lies in a bucket (AWS CloudFormation
// User Guide, cloudformation-limits; Template Reference,
// AWS::CloudFormation::StackSet).
const (
	maxTemplateBody = 51200
	maxTemplate     = 1 << 20
)

// remedyTemplate is for whoever has too many sensitive roles: nothing else in a
// template grows so far.
const remedyTemplate = "rules.session-policy.roles and assumeRole.regions make most of it: name the roles by fewer patterns, such as one for each path"

// checkBody refuses the template of a StackSet that CloudFormation would refuse.
func checkBody(d *deployment.Deployment, set, body string) error {
	if n := len(body); n > maxTemplateBody {
		return fmt.Errorf("%s: the template of the StackSet %s has %d bytes, and CloudFormation takes %d; %s", d.RulesFile, set, n, maxTemplateBody, remedyTemplate)
	}
	return nil
}

// checkTemplates refuses templates that CloudFormation would refuse. Those of the
// stacks without code are handed over with the call, for nothing of the CDK's has
// to be in their accounts, no bucket either.
func checkTemplates(made cxapi.CloudAssembly, d *deployment.Deployment) error {
	var wrong []error
	for _, s := range *made.Stacks() {
		file, err := os.Stat(*s.TemplateFullPath())
		if err != nil {
			return fmt.Errorf("measuring the template of %s: %w", *s.StackName(), err)
		}
		most := int64(maxTemplate)
		if s.StackTemplateAssetObjectUrl() == nil {
			most = maxTemplateBody
		}
		if file.Size() > most {
			wrong = append(wrong, fmt.Errorf("%s: the template of the stack %s has %d bytes, and CloudFormation takes %d; %s", d.RulesFile, *s.StackName(), file.Size(), most, remedyTemplate))
		}
	}
	return errors.Join(wrong...)
}

// checkQuotas refuses documents that AWS would refuse: two of them grow with
// the rules file, and CloudFormation would only find out half way.
func checkQuotas(d *deployment.Deployment) error {
	// Any account will do: all ids are of one length.
	w := worldOf(d)
	var wrong []error
	if d.Remediator == deployment.Present {
		if n := grants.Remediator(w).Size(); n > grants.MaxInline {
			wrong = append(wrong, fmt.Errorf("%s: protected: with %d patterns the policy of the role %s has %d characters, and IAM takes %d: use fewer patterns, such as a path of their own for protected roles",
				d.RulesFile, len(d.Rules.Protected), deployment.RemediatorRole, n, grants.MaxInline))
		}
	}
	if len(d.AttachSCP) > 0 {
		if n := len(grants.SCP(w).JSON()); n > grants.MaxOrganization {
			wrong = append(wrong, fmt.Errorf("%s: guardrails.scp: the policy has %d characters, and Organizations takes %d: attach one of your own made from %s", d.File, n, grants.MaxOrganization, scpFile))
		}
	}
	if len(d.AttachRCP) > 0 {
		if n := len(grants.RCP(w).JSON()); n > grants.MaxOrganization {
			wrong = append(wrong, fmt.Errorf("%s: guardrails.rcp: with %d accounts of partners the policy has %d characters, and Organizations takes %d: leave it out, or attach one of your own made from %s",
				d.File, len(w.Partners), n, grants.MaxOrganization, rcpFile))
		}
	}
	return errors.Join(wrong...)
}
