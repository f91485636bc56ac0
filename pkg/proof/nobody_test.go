package proof

import (
	"slices"
	"strconv"
	"strings"
	"testing"
)

// freely are keys, by kind of caller, that may hold any of many values.
var freely = map[CallerKind][]string{
	Users:          {"sts:RoleSessionName", "sts:ExternalId", "sts:SourceIdentity", "aws:username", "aws:userid", "aws:PrincipalAccount", "aws:PrincipalArn", "aws:PrincipalTag/team", "aws:RequestTag/team", "aws:PrincipalOrgID", "aws:SourceVpce", "aws:SourceVpc", "aws:UserAgent", "aws:Referer", "aws:RequestedRegion"},
	RoleSessions:   {"sts:RoleSessionName", "sts:ExternalId", "aws:SourceIdentity", "sts:SourceIdentity", "aws:userid", "aws:PrincipalAccount", "aws:PrincipalArn", "aws:PrincipalTag/team", "aws:RequestTag/team", "aws:Ec2InstanceSourceVpc", "ec2:SourceInstanceARN", "lambda:SourceFunctionArn", "aws:ChatbotSourceArn", "SAML:sub"},
	Services:       {"sts:RoleSessionName", "sts:ExternalId", "sts:SourceIdentity", "aws:SourceAccount", "aws:SourceArn", "aws:SourceOrgID", "aws:UserAgent"},
	OIDCIdentities: {"sts:RoleSessionName", "sts:SourceIdentity", "aws:RequestTag/team", smallClaim + "sub", smallClaim + "aud", smallClaim + "actor", smallClaim + "job_workflow_ref"},
	SAMLIdentities: {"sts:RoleSessionName", "sts:SourceIdentity", "SAML:sub", "SAML:aud", "SAML:iss", "SAML:namequalifier", "SAML:doc"},
}

// TestNobodyHidesBehindANamedWitness denies every value that witnesses show,
// again and again, for every kind of caller and key: another witness with other
// values appears each time (design: callers are symbolic).
func TestNobodyHidesBehindANamedWitness(t *testing.T) {
	for kind, keys := range freely {
		denied := map[string][]string{}
		v := variant{kind: kind}
		q := Query{World: world(), Callers: []Callers{{Kind: kind, Accounts: Accounts{Except: []string{"222222222222"}}}}, Actions: []string{v.assumeAction()}}
		if kind == Users || kind == RoleSessions {
			q.Callers = []Callers{{Kind: kind, Accounts: Accounts{Except: []string{"111122223333", "222222222222"}}}}
		}
		for _, key := range keys {
			q.Where = append(q.Where, require(Holds, "Null", key, "false"))
		}
		for round := range 10 {
			statements := []string{`{"Effect":"Allow","Principal":{"AWS":"*","Service":"lambda.amazonaws.com","Federated":["` + smallOIDC + `","` + smallSAML + `"]},"Action":"sts:*"}`}
			for key, values := range denied {
				quoted := make([]string, len(values))
				for i, value := range values {
					quoted[i] = strconv.Quote(value)
				}
				statements = append(statements, strings.Replace(statements[0][:len(statements[0])-1], "Allow", "Deny", 1)+`,"Condition":{`+cond("StringEquals", key, "["+strings.Join(quoted, ",")+"]")+`}}`)
			}
			a := Find(parse(t, document(statements...)), q)
			if a.Outcome != Found {
				t.Fatalf("%v round %d: %v %v", kind, round, a.Outcome, a.Undecided)
			}
			for _, key := range keys {
				shown, ok := a.Witness.Get(key)
				if !ok || slices.Contains(denied[key], shown.Values[0]) {
					t.Fatalf("%v round %d shows %s %v again", kind, round, key, shown.Values)
				}
				denied[key] = append(denied[key], shown.Values[0])
			}
		}
	}
}

// TestNobodyHidesBehindANamedSet does the same for multi-valued keys, and for addresses.
func TestNobodyHidesBehindANamedSet(t *testing.T) {
	for key, operator := range map[string]string{
		"aws:TagKeys": "ForAnyValue:StringEquals", "sts:TransitiveTagKeys": "ForAnyValue:StringEquals", "aws:PrincipalOrgPaths": "ForAnyValue:StringEquals",
		"sts:RequestContextProviders": "ForAnyValue:ArnEquals", "aws:SourceIp": "IpAddress", "aws:MultiFactorAuthAge": "NumericEquals",
	} {
		var denied []string
		q := Query{World: world(), Callers: outsiders(), Actions: assume, Where: [][]Requirement{require(Holds, "Null", key, "false")}}
		for round := range 8 {
			statements := []string{statementText("Allow", anyone, "sts:*", "")}
			if len(denied) > 0 {
				statements = append(statements, statementText("Deny", anyone, "sts:*", cond(operator, key, `["`+strings.Join(denied, `","`)+`"]`)))
			}
			a := Find(parse(t, document(statements...)), q)
			if a.Outcome != Found {
				t.Fatalf("%s round %d: %v %v", key, round, a.Outcome, a.Undecided)
			}
			shown, _ := a.Witness.Get(key)
			for _, v := range shown.Values {
				if slices.Contains(denied, v) {
					t.Fatalf("%s shows %s again", key, v)
				}
				denied = append(denied, v)
			}
		}
	}
}
