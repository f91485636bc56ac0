package proof

import (
	"strconv"
	"time"
)

// bindDerived binds the keys that follow from who calls, and from the role.
func (s *solver) bindDerived(x variable) (int16, window) {
	switch x.key {
	case "aws:principalarn":
		return callerVar, wholeWindow
	case "aws:principalaccount":
		return callerVar, accountWindow
	case "aws:username":
		// The page says of aws:username "always included in the request context
		// for IAM users", and whoever uses a token of GetSessionToken is one ("IAM
		// users with temporary tokens", aws:MultiFactorAuthPresent). AWS's own
		// reference_policies_examples_aws_my-sec-creds-self-manage works in no other
		// way: what it denies without MFA, which long-term keys never have, it
		// allows on user/${aws:username}.
		return callerVar, nameWindow
	case "aws:userid":
		return useridVar, wholeWindow
	case "aws:principaltype":
		if s.variant.kind == Users {
			return s.constant(x.key, "User")
		}
		return s.constant(x.key, "AssumedRole")
	case "aws:principalorgid":
		return s.bindOrganization(x)
	case "aws:principalorgpaths":
		return s.bindOrganizationPaths(x)
	case "aws:principalisawsservice":
		return s.constant(x.key, strconv.FormatBool(s.variant.kind == Services))
	case "aws:principalservicename", "aws:federatedprovider":
		return s.constant(x.key, s.variant.name)
	case "aws:securetransport":
		return s.constant(x.key, "true")
	case "aws:viaawsservice":
		return s.bindVia(x)
	case "aws:sourceidentity":
		if s.variant.chained {
			return s.bind("sts:sourceidentity")
		}
		return s.missing(x.key)
	case "aws:currenttime":
		x.presence, x.lang = always, timesFrom(s.world.Now)
		x.natural = []string{s.world.Now.UTC().Format(time.RFC3339)}
		return s.addKey(x), wholeWindow
	case "aws:epochtime":
		v, _ := s.bind("aws:currenttime")
		return v, epochWindow
	case "aws:resourceaccount":
		return s.bindRole(x, s.world.Own)
	case "aws:resourceorgid":
		return s.bindRole(x, s.world.OrganizationID)
	default:
		x.presence = unsettled
		return s.addKey(x), wholeWindow
	}
}

// bindVia binds aws:ViaAWSService. It is false in a call that the caller makes;
// whether STS ever sees one that a service makes on the caller's behalf is not
// documented (IAM User Guide, reference_policies_condition-keys).
func (s *solver) bindVia(x variable) (int16, window) {
	s.doubts = appendNew(s.doubts, "whether "+x.label()+" is ever true")
	if !s.optimistic {
		return s.constant(x.key, "false")
	}
	x.presence, x.has, x.value = always, true, "false"
	return s.newVariable(x), wholeWindow
}

// bindRole binds a key that speaks of the role: constant where it is known.
func (s *solver) bindRole(x variable, value string) (int16, window) {
	if value != "" {
		return s.constant(x.key, value)
	}
	x.presence = fixedUnknown
	return s.addKey(x), wholeWindow
}

// bindOrganization binds aws:PrincipalOrgID: the organization's id for members;
// for the others any other id, or none.
func (s *solver) bindOrganization(x variable) (int16, window) {
	id := s.world.OrganizationID
	if id != "" && (s.variant.members == listed || s.variant.members == unlisted) {
		return s.constant(x.key, id)
	}
	x.presence = free
	x.natural = []string{"o-zzzzzzzzzz", "o-exampleorgid"}
	v := s.addKey(x)
	if id != "" {
		s.vars[v].lits = append(s.vars[v].lits, lit{v: v, absentOK: true, neg: true, t: &test{exact: []string{id}}})
	}
	return v, wholeWindow
}

// bindOrganizationPaths binds aws:PrincipalOrgPaths: paths under the
// organization for members, whose place in it is not known and may change;
// paths under other organizations for the others.
func (s *solver) bindOrganizationPaths(x variable) (int16, window) {
	id := s.world.OrganizationID
	x.presence = free
	x.natural = []string{"o-zzzzzzzzzz/r-zzzz/"}
	member := id != "" && (s.variant.members == listed || s.variant.members == unlisted)
	if member {
		x.natural = []string{id + "/r-root/", id + "/r-root/ou-root-mallory0/"}
	}
	v := s.addKey(x)
	if id != "" {
		t := &test{}
		pieces, _ := readPieces(id+"/*", compareGlob, false)
		t.add(pieces, compareGlob)
		s.vars[v].lits = append(s.vars[v].lits, lit{v: v, quant: every, neg: !member, t: t.seal()})
	}
	if member {
		s.vars[v].presence = always
		s.assignSet(&s.vars[v])
	}
	return v, wholeWindow
}
