package rules

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/proof"
)

//go:embed saml_audience.md
var samlAudiencePage string

const (
	samlAudienceID  = "saml-audience"
	samlAudienceKey = "SAML:aud"
)

func samlAudience() Rule {
	return Rule{
		ID: samlAudienceID, Title: "Trust in a SAML provider accepts assertions made for AWS's sign-in endpoint only",
		Severity: finding.High, Reach: MayWrite, Page: samlAudiencePage, Check: checkSAMLAudience, Mend: mendSAMLAudience,
	}
}

// signInHost gives the host of a partition's sign-in endpoint (IAM User Guide,
// id_roles_providers_create_saml_relying-party; AWS GovCloud (US) User Guide,
// govcloud-iam). Of other partitions none is published.
func signInHost(partition string) string {
	switch partition {
	case "aws":
		return "signin.aws.amazon.com"
	case "aws-cn":
		return "signin.amazonaws.cn"
	case "aws-us-gov":
		return "signin.amazonaws-us-gov.com"
	default:
		return ""
	}
}

// signInEndpoints gives patterns of the addresses at which a partition's
// sign-in takes assertions: without a Region and with one, and below both the
// one of a provider that encrypts.
func signInEndpoints(partition string) []string {
	host := signInHost(partition)
	if host == "" {
		return nil
	}
	var all []string
	for _, h := range []string{host, "*." + host} {
		all = append(all, "https://"+h+"/saml", "https://"+h+"/saml/acs/*")
	}
	return append(all, driverEndpoints()...)
}

// driverEndpoints gives patterns of the addresses at which AWS's own database
// drivers take an assertion in a browser, on the user's own machine, and hand it
// to STS (Amazon Redshift Management Guide, options-for-providing-iam-credentials;
// Amazon Athena User Guide, jdbc-v3-driver-browser-saml-credentials).
func driverEndpoints() []string {
	var all []string
	for _, port := range []string{"", ":????", ":?????"} {
		for _, path := range []string{"redshift", "athena"} {
			all = append(all, "http://localhost"+port+"/"+path, "http://localhost"+port+"/"+path+"/")
		}
	}
	return all
}

// checkSAMLAudience looks for an assertion that was made for another address
// than AWS's sign-in. SAML:aud is the assertion's Recipient, not its Audience
// (IAM User Guide, reference_policies_iam-condition-keys, saml:aud).
func checkSAMLAudience(in Input) Judgement {
	providers := providersNamed(in.Document, policy.SAMLProvider)
	j := Judgement{Undecided: in.starred(assumeSAML, proof.SAMLIdentities)}
	if len(providers) == 0 {
		return j
	}
	operator, endpoints := "StringLike", signInEndpoints(in.Role.Partition)
	if endpoints == nil {
		operator, endpoints = "StringEquals", writtenAudiences(in.Document, samlAudienceKey)
	}
	var where [][]proof.Requirement
	if len(endpoints) > 0 {
		where = append(where, must(demand(proof.Fails, operator, samlAudienceKey, endpoints...)))
	}
	where = append(where, must(demand(proof.Holds, "Null", samlAudienceKey, "false")))
	for _, p := range providers {
		a := in.find(in.query(assumeSAML, where, proof.Callers{Kind: proof.SAMLIdentities, Names: []string{p.Value}}))
		j = j.and(in.vouched(samlAudienceID, assumeSAML, p, proof.SAMLIdentities)).and(judged(a, func(a proof.Answer) finding.Finding {
			return strangeAudience(in, p, a)
		}))
	}
	j.Undecided = appendMissing(nil, j.Undecided)
	return j
}

func strangeAudience(in Input, p policy.Principal, a proof.Answer) finding.Finding {
	where := claimAt(in.Document, a, samlAudienceKey)
	endpoint := "https://" + signInHost(in.Role.Partition) + "/saml"
	if signInHost(in.Role.Partition) == "" {
		endpoint = "THE-PARTITION'S-SIGN-IN-ENDPOINT"
	}
	return finding.Finding{
		Rule: samlAudienceID, Severity: finding.Medium, Where: where,
		Message: fmt.Sprintf("an assertion that %s made for another service than AWS's sign-in will do: %s; demand %s with StringEquals",
			quoted(p.Value), guards(in.Document, a.Statements, samlAudienceKey), quoted(endpoint)),
		Fix:      "add to the Condition of " + at(first(a.Statements)) + `: {"StringEquals": {"SAML:aud": "` + endpoint + `"}}`,
		Evidence: witness(finding.Allowed, a),
	}
}

// mendSAMLAudience pins the audience where nothing is said of it. An endpoint
// with a Region is beyond what it can know, and is refused by the pin: whoever
// signs in at one is told by the difference.
func mendSAMLAudience(in Input, found finding.Finding) []policy.Document {
	host := signInHost(in.Role.Partition)
	if host == "" || found.Severity != finding.Medium {
		return nil
	}
	d := in.Document
	names := func(p policy.Principal) bool { return p.Kind == policy.SAMLProvider }
	strict := clonedDocument(d)
	for i := range strict.Statements {
		if !only(strict.Statements[i].Principal, names) {
			continue
		}
		for j, c := range strict.Statements[i].Conditions {
			if strict.Statements[i].Effect == policy.Allow && strings.EqualFold(c.Key, samlAudienceKey) {
				strict.Statements[i].Conditions[j].Operator = strings.TrimSuffix(strings.TrimPrefix(c.Operator, "ForAllValues:"), "IfExists")
			}
		}
	}
	pinned, changed := pinnedTo(d, names, samlAudienceKey, "https://"+host+"/saml")
	candidates := []policy.Document{strict}
	if changed {
		candidates = slices.Insert(candidates, 0, pinned)
	}
	return candidates
}
