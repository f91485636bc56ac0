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
	if signInHost(partition) == "" {
		return nil
	}
	return append(signInAddresses(partition), driverEndpoints()...)
}

// signInAddresses gives those of them that are AWS's own.
func signInAddresses(partition string) []string {
	host := signInHost(partition)
	if host == "" {
		return nil
	}
	var all []string
	for _, h := range []string{host, "*." + host} {
		all = append(all, "https://"+h+"/saml", "https://"+h+"/saml/acs/*")
	}
	return all
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

// mendSAMLAudience pins the audience where nothing is said of it, to AWS's sign-in
// without a Region, with one, and for encrypted assertions: at which of them people
// sign in is not known, and all are AWS's own. The addresses of database drivers,
// which are on the user's own machine, are left to who knows that they are used.
func mendSAMLAudience(in Input, found finding.Finding) []policy.Document {
	endpoints, d := signInAddresses(in.Role.Partition), in.Document
	at, ok := statementOf(d, found)
	if !ok || len(endpoints) == 0 || found.Severity != finding.Medium {
		return nil
	}
	all := d
	var out []policy.Document
	for i, st := range d.Statements {
		if st.Effect != policy.Allow || !only(st.Principal, func(p policy.Principal) bool { return p.Kind == policy.SAMLProvider }) {
			continue
		}
		for k, one := range audiencesPinned(st, endpoints) {
			if i == at {
				out = append(out, replaced(d, i, one))
			}
			if k == 0 {
				all = replaced(all, i, one)
			}
		}
	}
	return append(out, all)
}

// audiencesPinned gives a statement with the audience pinned: where it asks for
// none, or for any, to some patterns, else to what it asks for loosely.
func audiencesPinned(st policy.Statement, endpoints []string) []policy.Statement {
	var out []policy.Statement
	for k, c := range st.Conditions {
		if !strings.EqualFold(c.Key, samlAudienceKey) {
			continue
		}
		one := st
		one.Conditions = slices.Clone(st.Conditions)
		if open := func(v string) bool { return strings.Trim(v, "*") == "" }; c.Operator == "StringLike" && slices.ContainsFunc(c.Values, open) {
			one.Conditions[k].Values = endpoints
		} else {
			one.Conditions[k].Operator = strings.TrimSuffix(strings.TrimPrefix(c.Operator, "ForAllValues:"), "IfExists")
		}
		if now := one.Conditions[k]; now.Operator != c.Operator || !slices.Equal(now.Values, c.Values) {
			out = append(out, one)
		}
	}
	if one, ok := demanding(st, samlAudienceKey, endpoints, "StringLike"); ok {
		one.Conditions = withoutEmpty(one.Conditions)
		out = append(out, one)
	}
	return out
}
