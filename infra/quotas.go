package main

import (
	"errors"
	"fmt"

	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/grants"
)

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
