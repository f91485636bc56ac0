package rules

import (
	_ "embed"
	"fmt"

	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/proof"
)

//go:embed set_source_identity.md
var setSourceIdentityPage string

const (
	setSourceIdentityID = "set-source-identity"
	setSourceIdentityOp = "sts:SetSourceIdentity"
)

func setSourceIdentity() Rule {
	return Rule{
		ID: setSourceIdentityID, Title: "Roles behind an identity provider must let callers carry a source identity",
		Severity: finding.Low, Reach: TagOnly, Page: setSourceIdentityPage, Check: checkSetSourceIdentity,
	}
}

// checkSetSourceIdentity looks for a caller who may assume the role and is
// refused with every permitted source identity: a session that carries one, set
// by the identity provider or held from an earlier role, needs
// sts:SetSourceIdentity in the trust policy (IAM User Guide,
// id_credentials_temp_control-access_monitor).
func checkSetSourceIdentity(in Input) Judgement {
	words := in.Org.Setting(setSourceIdentityID).Callers
	if len(words) == 0 {
		words = []string{"saml"}
	}
	var legal []proof.Requirement
	if values := in.Org.Setting(sourceIdentityID).Values; len(values) > 0 {
		legal = must(demand(proof.Holds, "StringLike", sourceIdentityKey, values...))
	}
	var j Judgement
	for _, class := range callerClasses(words) {
		q := in.query(class.action, nil, proof.Callers{Kind: class.kind})
		a := in.findRefused(q, sourceIdentityKey, []string{setSourceIdentityOp}, legal)
		j = j.and(judged(a, func(a proof.Answer) finding.Finding { return refusedIdentity(class, a) }))
	}
	return j
}

func refusedIdentity(class callerClass, a proof.Answer) finding.Finding {
	where := at(first(a.Statements))
	return finding.Finding{
		Rule: setSourceIdentityID, Severity: finding.Low, Where: where,
		Message: fmt.Sprintf("%s may assume the role and are refused once they carry a source identity, since nothing allows them sts:SetSourceIdentity with it; allow it beside %s",
			className(class, a), class.action),
		Fix:      fmt.Sprintf(`"Action": ["%s", "%s"] in %s`, class.action, setSourceIdentityOp, where),
		Evidence: witness(finding.Refused, a),
	}
}
