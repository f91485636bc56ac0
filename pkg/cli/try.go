package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/access"
	"github.com/rolewarden/rolewarden/pkg/lab"
	"github.com/rolewarden/rolewarden/pkg/policy"
)

// mayAssume is the permission that callers in stories have of their own
// account: to assume any role that lets them.
const mayAssume = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["sts:AssumeRole","sts:SetSourceIdentity","sts:TagSession"],"Resource":"*"}]}`

// try makes a request in earnest: it becomes the caller, who is made where
// there is none, and calls STS. It gives the credentials that STS gives.
func (h *house) try(ctx context.Context, r access.Request) (lab.Credentials, error) {
	parameters, address, err := callOf(r)
	if err != nil {
		return lab.Credentials{}, err
	}
	if r.Caller.Service != "" {
		keys, err := h.lab.AssumeAsService(lab.ServiceCall{
			Service: r.Caller.Service, RoleARN: r.Role, SessionName: parameters["RoleSessionName"],
			SourceARN: one(r, "aws:SourceArn"), SourceAccount: one(r, "aws:SourceAccount"), SourceOrgID: one(r, "aws:SourceOrgID"),
			SourceIdentity: parameters["SourceIdentity"],
		})
		return keys, err
	}
	if r.Caller.Federated != "" {
		return h.trySAML(ctx, r, parameters)
	}
	caller, err := h.become(ctx, r)
	if err != nil {
		return lab.Credentials{}, err
	}
	if address != "" {
		caller.address = address
	}
	answer, err := caller.call(ctx, "sts", "AssumeRole", parameters)
	if err != nil {
		return lab.Credentials{}, err
	}
	return answer.credentials(), nil
}

// trySAML comes from an identity provider.
func (h *house) trySAML(ctx context.Context, r access.Request, parameters map[string]string) (lab.Credentials, error) {
	if !slices.Contains(r.Actions, "sts:AssumeRoleWithSAML") {
		return lab.Credentials{}, fmt.Errorf("trying a request of %s: only SAML providers are known here", r.Caller.Federated)
	}
	audience, subject := one(r, "SAML:aud"), one(r, "SAML:sub")
	if subject == "" {
		subject = "somebody"
	}
	assertion := lab.SAMLAssertion(lab.SAMLClaims{
		Issuer: "https://idp.acme.example", Audience: audience, Subject: subject, Role: r.Role, Provider: r.Caller.Federated,
		SessionName: parameters["RoleSessionName"], SourceIdentity: parameters["SourceIdentity"],
	})
	nobody := h.person(lab.Credentials{})
	answer, err := nobody.call(ctx, "sts", "AssumeRoleWithSAML", map[string]string{
		"RoleArn": r.Role, "PrincipalArn": r.Caller.Federated, "SAMLAssertion": assertion,
	})
	if err != nil {
		return lab.Credentials{}, err
	}
	return answer.credentials(), nil
}

// become gives the user or role session that makes a request.
func (h *house) become(ctx context.Context, r access.Request) (person, error) {
	p, err := policy.ParsePrincipal("AWS", r.Caller.AWS)
	if err != nil {
		return person{}, fmt.Errorf("becoming %s: %w", r.Caller.AWS, err)
	}
	// An account that is not there yet is somebody else's.
	_ = h.lab.AddAccount(lab.Account{ID: p.Account, Outside: true})
	switch p.Kind {
	case policy.User:
		return h.user(ctx, p.Account, p.Path, p.Name)
	case policy.RoleSession:
		path := "/"
		if issuer, err := policy.ParsePrincipal("AWS", r.Caller.Issuer); err == nil {
			path = issuer.Path
		}
		return h.session(ctx, p.Account, path, p.Name, p.Session)
	default:
		return person{}, fmt.Errorf("becoming %s: STS lets only users and role sessions call AssumeRole", r.Caller.AWS)
	}
}

// user gives a user, who is made where there is none.
func (h *house) user(ctx context.Context, account, path, name string) (person, error) {
	if err := h.lab.SeedUser(account, name, path); err != nil {
		return person{}, err
	}
	admin, err := h.admin(account)
	if err != nil {
		return person{}, err
	}
	if _, err := admin.call(ctx, "iam", "PutUserPolicy", map[string]string{"UserName": name, "PolicyName": "assume", "PolicyDocument": mayAssume}); err != nil {
		return person{}, fmt.Errorf("giving user %s/%s its permissions: %w", account, name, err)
	}
	keys, err := h.lab.UserKeys(account, name)
	if err != nil {
		return person{}, err
	}
	return h.person(keys), nil
}

// session gives a session of a role. One that is there already must let its
// account's administrator in.
func (h *house) session(ctx context.Context, account, path, name, session string) (person, error) {
	admin, err := h.admin(account)
	if err != nil {
		return person{}, err
	}
	trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + h.arn(account, "root") + `"},"Action":"sts:AssumeRole"}]}`
	if _, err := admin.call(ctx, "iam", "GetRole", map[string]string{"RoleName": name}); codeOf(err) == "NoSuchEntity" {
		if err := h.lab.SeedRole(account, lab.SeedRole{Name: name, Path: path, TrustPolicy: trust}); err != nil {
			return person{}, err
		}
	}
	if _, err := admin.call(ctx, "iam", "PutRolePolicy", map[string]string{"RoleName": name, "PolicyName": "assume", "PolicyDocument": mayAssume}); err != nil {
		return person{}, fmt.Errorf("giving role %s/%s its permissions: %w", account, name, err)
	}
	answer, err := admin.call(ctx, "sts", "AssumeRole", map[string]string{"RoleArn": h.arn(account, "role"+path+name), "RoleSessionName": session})
	if err != nil {
		return person{}, fmt.Errorf("opening a session of role %s/%s: %w", account, name, err)
	}
	return h.person(answer.credentials()), nil
}

// errNotTried is the error for a request whose conditions nobody can bring
// about in a house.
var errNotTried = errors.New("this cannot be tried in a house")

// callOf gives the parameters of the AssumeRole call that makes a request, and
// the address that it comes from. Keys that follow from who calls need none.
func callOf(r access.Request) (parameters map[string]string, address string, err error) {
	parameters = map[string]string{"RoleArn": r.Role, "RoleSessionName": "session"}
	tags := 0
	for _, key := range slices.Sorted(maps.Keys(r.Context)) {
		value := r.Context[key]
		if value.IsAbsent() {
			continue
		}
		lower := strings.ToLower(key)
		switch {
		case lower == "sts:rolesessionname":
			parameters["RoleSessionName"] = value.Values[0]
		case lower == "sts:externalid":
			parameters["ExternalId"] = value.Values[0]
		case lower == "sts:sourceidentity":
			parameters["SourceIdentity"] = value.Values[0]
		case lower == "aws:multifactorauthpresent":
			if value.Values[0] == "true" {
				parameters["SerialNumber"], parameters["TokenCode"] = "arn:aws:iam::111122223333:mfa/token", "123456"
			}
		case lower == "aws:sourceip":
			address = value.Values[0]
		case strings.HasPrefix(lower, "aws:requesttag/"):
			tags++
			n := "Tags.member." + strconv.Itoa(tags) + "."
			parameters[n+"Key"], parameters[n+"Value"] = key[len("aws:requesttag/"):], value.Values[0]
		case strings.HasPrefix(lower, "aws:principal"), strings.HasPrefix(lower, "saml:"), strings.HasPrefix(lower, "aws:source"),
			lower == "aws:username", lower == "aws:userid", lower == "aws:tagkeys", lower == "aws:federatedprovider", lower == "aws:resourceaccount",
			strings.HasPrefix(lower, "aws:resourceorg"), lower == "aws:viaawsservice", lower == "aws:currenttime", lower == "aws:epochtime",
			lower == "aws:securetransport", lower == "aws:tokenissuetime", lower == "aws:requestedregion":
		default:
			return nil, "", fmt.Errorf("trying a request with %s: %w", key, errNotTried)
		}
	}
	return parameters, address, nil
}

// one gives the value of a single-valued key, "" where it is absent.
func one(r access.Request, key string) string {
	v, ok := r.Get(key)
	if !ok || len(v.Values) == 0 {
		return ""
	}
	return v.Values[0]
}
