// Package issuer is the table of OpenID Connect providers: whose tokens are
// whose.
//
// It takes the name of an issuer and gives what is known of it: whether it
// serves one tenant or everybody, how it forms the subject, which claims say
// whose a token is, and which audience AWS is sent. It takes a value that a
// policy writes for a claim and gives the tenant and the project it names. It
// judges nothing and reads no policy.
package issuer

import (
	"path"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/finding"
)

// Tenancy says for whom an issuer makes tokens. Its zero value is the careful one.
type Tenancy uint8

// The tenancies (IAM User Guide, id_roles_providers_oidc_secure-by-default,
// calls the last two shared and private).
const (
	// Unknown issuers are in no row of the table.
	Unknown Tenancy = iota
	// Shared issuers make tokens for all their customers under one name.
	Shared
	// Own issuers are named after the one tenant that they serve.
	Own
)

// String gives the word.
func (t Tenancy) String() string {
	switch t {
	case Unknown:
		return "unknown"
	case Shared:
		return "shared"
	case Own:
		return "own"
	default:
		return "tenancy?"
	}
}

// Provider is one row of the table.
type Provider struct {
	// Name is what people call it.
	Name string
	// Issuers are the issuer's names without https://; * stands for any text
	// without a slash.
	Issuers []string
	Tenancy Tenancy
	// Everyone says who comes in where no tenant is named, Others who does where
	// what names one fits others too, Inside who does where one is named and
	// nothing within it. Naming says what a policy has to name.
	Everyone, Others, Inside, Naming string
	// Inner is how grave it is that anyone inside the named tenant comes in.
	Inner finding.Severity
	// Claims say whose a token is, the one that a policy should ask for first.
	Claims []Claim
	// Demanded is the claim that IAM refuses to save a trust in a shared issuer
	// without (IAM User Guide, id_roles_providers_oidc_secure-by-default); empty
	// where which one that is was not looked up.
	Demanded string
	// Code are claims that say which code runs and not for whom.
	Code []Claim
	// Legal are patterns of every subject that the issuer makes, Templates those
	// of subjects that a tenant may choose to have instead. Nil is anything.
	Legal, Templates []string
	// Example is a value of the first claim as a policy should write it.
	Example string
	// Audience is the audience that the provider's page has AWS's tokens made
	// for; empty when each tenant has its own. AudienceTells says that the
	// audience is one of Claims and is not asked for apart.
	Audience      string
	AudienceTells bool
	// Page is where it says so, in the provider's documentation or AWS's.
	Page string
}

// Claim is a claim that says whose a token is.
type Claim struct {
	// Key is the claim's name, which follows the issuer in the condition key; a
	// name with a colon is the whole condition key.
	Key string
	// Shapes are the forms of its value: <t> stands for the tenant's name, <p>
	// for the project's, <any> for anything in between.
	Shapes []string
	// Many marks multi-valued keys.
	Many bool
	// Loose claims name a project and not whose it is.
	Loose bool
	// Free claims have values of any form: what a policy writes beyond the first
	// separator counts as the project, and the first alone as a tenant.
	Free bool
	// Crowded claims are free ones of many tenants: two whole parts count.
	Crowded bool
	// Strangers are natural values of tenants that no policy names.
	Strangers []string
}

// ConditionKey gives the condition key of a claim under an issuer.
func (c Claim) ConditionKey(issuer string) string {
	if strings.HasPrefix(c.Key, "sts:") || strings.HasPrefix(c.Key, "aws:") {
		return c.Key
	}
	return issuer + ":" + c.Key
}

// Find gives the row of an issuer. An issuer that is in no row gets one of its
// own: nobody knows for whom it makes tokens, and its subjects are read in all
// the forms that are known.
func Find(issuer string) Provider {
	name := strings.TrimSuffix(strings.ToLower(issuer), "/")
	rows := table()
	for i := range rows {
		for _, pattern := range rows[i].Issuers {
			if ok, _ := path.Match(pattern, name); ok {
				return rows[i]
			}
		}
	}
	return unknown(rows, issuer)
}

// unknown makes the row of an issuer that is in none.
func unknown(rows []Provider, issuer string) Provider {
	sub := Claim{Key: "sub", Free: true, Strangers: []string{"mallory", "repo:mallory/app:ref:refs/heads/main", "eve", "system:serviceaccount:mallory:app"}}
	for i := range rows {
		for _, c := range rows[i].Claims {
			for _, s := range c.Shapes {
				if c.Key == "sub" && s[0] != '<' && !strings.HasPrefix(s, "https:") {
					sub.Shapes = append(sub.Shapes, s)
				}
			}
		}
	}
	return Provider{
		Name: issuer, Everyone: "anyone to whom " + issuer + " gives a token", Inside: "anyone to whom " + issuer + " gives a token like those",
		Naming: "who may come in", Inner: finding.Medium, Claims: []Claim{sub}, Example: "WHO-MAY-COME-IN",
		Page: "IAM User Guide, id_roles_create_for-idp_oidc",
	}
}
