package proof

import (
	"slices"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/access"
)

// witness makes the request that the model stands for, and has access confirm
// that the document allows it. The problem is set when it does not.
func (s *solver) witness(actions []string, c *Compiled) (a Answer, problem string) {
	r := s.request(actions)
	result := access.Evaluate(c.document, r)
	if result.Decision != access.Allowed {
		return Answer{}, disagreement(r, result)
	}
	return Answer{Outcome: Found, Witness: &r, Statements: result.Statements}, ""
}

func disagreement(r access.Request, result access.Result) string {
	return "proof and access disagree about a request for " + strings.Join(r.Actions, ", ") + ": " + result.Reason
}

// request makes the request of the model, complete.
func (s *solver) request(actions []string) access.Request {
	r := access.Request{Role: s.role(), Context: make(map[string]access.Value, 12), Caller: s.caller()}
	for _, b := range s.bound {
		x := &s.vars[b.v]
		if b.v < firstFreeVar && s.variant.aws() || x.doubt || !x.has || x.presence == unsettled {
			continue
		}
		name := spelling(b.key)
		switch {
		case x.many:
			r.Context[name] = access.Many(x.values...)
		case b.key == "aws:currenttime":
			t, _ := parseDate(x.value)
			r.Context[name] = access.One(formatDate(t))
		default:
			r.Context[name] = access.One(look(x.value, b.win))
		}
	}
	if _, ok := r.Get("sts:RoleSessionName"); !ok {
		r.Context["sts:RoleSessionName"] = access.One("bob")
	}
	s.addTagKeys(&r)
	r.Actions = slices.Clone(actions)
	for _, e := range extras {
		if !containsFold(actions, e.action) && carries(&r, e.keys) {
			r.Actions = append(r.Actions, e.action)
		}
	}
	return r.Complete(facts{s})
}

func carries(r *access.Request, prefixes []string) bool {
	for name := range r.Context {
		for _, p := range prefixes {
			if len(name) == len(p) && strings.EqualFold(name, p) || len(name) > len(p) && p[len(p)-1] == '/' && strings.EqualFold(name[:len(p)], p) {
				return true
			}
		}
	}
	return false
}

// addTagKeys names in aws:TagKeys the tags that the request carries, and the
// other way round.
func (s *solver) addTagKeys(r *access.Request) {
	tags, given := r.Get("aws:TagKeys")
	if !given {
		for name := range r.Context {
			if len(name) > len("aws:RequestTag/") && strings.EqualFold(name[:len("aws:RequestTag/")], "aws:RequestTag/") {
				tags.Values = append(tags.Values, name[len("aws:RequestTag/"):])
			}
		}
		if v, ok := r.Get("sts:TransitiveTagKeys"); ok {
			for _, k := range v.Values {
				tags.Values = slices.DeleteFunc(tags.Values, func(t string) bool { return strings.EqualFold(t, k) })
				tags.Values = append(tags.Values, k)
			}
		}
		if len(tags.Values) > 0 {
			slices.Sort(tags.Values)
			r.Context["aws:TagKeys"] = access.Many(tags.Values...)
		}
	}
	for _, k := range tags.Values {
		if _, ok := r.Get("aws:RequestTag/" + k); !ok {
			r.Context["aws:RequestTag/"+k] = access.One("1")
		}
	}
}

func (s *solver) role() string {
	if s.world.RoleARN == "" && s.partition != "aws" {
		return "arn:" + s.partition + ":iam::" + naturalAccounts[0] + ":role/role"
	}
	return s.world.RoleARN
}

func (s *solver) caller() access.Caller {
	switch s.variant.kind {
	case Users:
		return access.Caller{AWS: s.vars[callerVar].value, ID: s.vars[useridVar].value}
	case RoleSessions:
		arn, id := s.vars[callerVar].value, s.vars[useridVar].value
		_, session, _ := strings.Cut(id, ":")
		return access.Caller{
			AWS: "arn:" + s.partition + ":sts::" + arnAccount(arn) + ":assumed-role/" + look(arn, nameWindow) + "/" + session,
			ID:  id, Issuer: arn,
		}
	case Services:
		return access.Caller{Service: s.variant.name}
	case SAMLIdentities, OIDCIdentities:
		return access.Caller{Federated: s.variant.name}
	case NoCaller:
	}
	return access.Caller{}
}

// facts tells access what the variant says of the caller's organization.
type facts struct{ s *solver }

func (f facts) OrganizationOf(account string) (string, bool) {
	w := f.s.world
	switch f.s.variant.members {
	case listed, unlisted:
		return w.OrganizationID, true
	case outside:
		return "", true
	case anyAccount:
	}
	if w.OrganizationID != "" && (account == w.Own || slices.Contains(w.Members, account)) {
		return w.OrganizationID, true
	}
	return "", false
}

// spelling gives a key as AWS writes it.
func spelling(key string) string {
	for _, n := range spellings {
		if lowerKey(n) == key {
			return n
		}
	}
	for _, family := range [...]string{"aws:PrincipalTag/", "aws:RequestTag/", "sts:RequestContext/"} {
		if len(key) > len(family) && strings.EqualFold(family, key[:len(family)]) {
			return family + key[len(family):]
		}
	}
	if rest, ok := strings.CutPrefix(key, "saml:"); ok {
		return "SAML:" + rest
	}
	return key
}

var spellings = [...]string{
	"sts:RoleSessionName", "sts:ExternalId", "sts:SourceIdentity", "sts:TransitiveTagKeys", "sts:RequestContextProviders",
	"sts:RoleAuthorizedByIdp", "aws:SourceIdentity", "aws:TagKeys", "aws:PrincipalArn", "aws:PrincipalAccount",
	"aws:PrincipalType", "aws:PrincipalOrgID", "aws:PrincipalOrgPaths", "aws:PrincipalIsAWSService",
	"aws:PrincipalServiceName", "aws:PrincipalServiceNamesList", "aws:FederatedProvider", "aws:MultiFactorAuthPresent",
	"aws:MultiFactorAuthAge", "aws:TokenIssueTime", "aws:ChatbotSourceArn", "aws:Ec2InstanceSourceVpc",
	"aws:Ec2InstanceSourcePrivateIPv4", "ec2:SourceInstanceARN", "lambda:SourceFunctionArn", "aws:SourceIp",
	"aws:VpcSourceIp", "aws:SourceVpc", "aws:SourceVpce", "aws:UserAgent", "aws:Referer", "aws:RequestedRegion",
	"aws:CurrentTime", "aws:EpochTime", "aws:SecureTransport", "aws:ViaAWSService", "aws:SourceAccount", "aws:SourceArn",
	"aws:SourceOrgID", "aws:SourceOrgPaths", "aws:ResourceAccount", "aws:ResourceOrgID", "SAML:sub_type",
}
