package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/lab"
)

// The roles that rolewarden works with. In a deployment the member stack and
// the hub stack make them; in a house they are made over the IAM API with the
// same documents, so that what the lab refuses here AWS would refuse there.
const (
	hubRole    = "rolewarden/rolewarden-guard-fn"
	readerRole = "rolewarden/rolewarden-reader"
	writerRole = "rolewarden/rolewarden-remediator"
)

// memberTrust lets the hub's role in, under the names that rolewarden's
// sessions bear. Setting the source identity is a statement of its own: which
// condition keys AWS shows to that second action is not documented.
const memberTrust = `{"Version":"2012-10-17","Statement":[
 {"Sid":"Hub","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::HUB:root"},"Action":"sts:AssumeRole","Condition":{"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::HUB:role/HUBROLE"},"StringEquals":{"aws:PrincipalOrgID":"ORGANIZATION","sts:ExternalId":"EXTERNALID"},"StringLike":{"sts:RoleSessionName":"rw-*","sts:SourceIdentity":"rolewarden-*"}}},
 {"Sid":"HubIdentity","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::HUB:root"},"Action":"sts:SetSourceIdentity","Condition":{"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::HUB:role/HUBROLE"},"StringLike":{"sts:SourceIdentity":"rolewarden-*"}}}]}`

const readerPolicy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iam:GetRole","iam:ListRoles","iam:ListRoleTags","iam:GetUser","iam:ListUsers"],"Resource":"*"}]}`

// writerPolicy lets trust policies be replaced and rolewarden's own tags be
// set; the roles that are never written are denied by name. The Null beside
// ForAllValues matters: without it a call without tags would meet the condition.
const writerPolicy = `{"Version":"2012-10-17","Statement":[
 {"Sid":"Trust","Effect":"Allow","Action":["iam:GetRole","iam:ListRoleTags","iam:UpdateAssumeRolePolicy"],"Resource":"arn:aws:iam::*:role/*"},
 {"Sid":"OwnTags","Effect":"Allow","Action":["iam:TagRole","iam:UntagRole"],"Resource":"arn:aws:iam::*:role/*","Condition":{"ForAllValues:StringEqualsIgnoreCase":{"aws:TagKeys":["rolewarden:state","rolewarden:finding","rolewarden:at"]},"Null":{"aws:TagKeys":"false"}}},
 {"Sid":"Guarded","Effect":"Deny","Action":["iam:UpdateAssumeRolePolicy","iam:PutRolePermissionsBoundary"],"Resource":["arn:aws:iam::*:role/rolewarden/*","arn:aws:iam::*:role/aws-service-role/*","arn:aws:iam::*:role/aws-reserved/*","arn:aws:iam::*:role/OrganizationAccountAccessRole","arn:aws:iam::*:role/AWSControlTowerExecution","arn:aws:iam::*:role/stacksets-exec-*","arn:aws:iam::*:role/breakglass/*"]},
 {"Sid":"Never","Effect":"Deny","Action":["iam:PutRolePolicy","iam:AttachRolePolicy","iam:CreateRole","iam:PassRole","iam:DeleteRole","iam:DeleteRolePermissionsBoundary","sts:AssumeRole"],"Resource":"*"}]}`

const hubTrust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"aws:SourceAccount":"HUB"}}}]}`

const hubPolicy = `{"Version":"2012-10-17","Statement":[
 {"Effect":"Allow","Action":["sts:AssumeRole","sts:SetSourceIdentity"],"Resource":["arn:aws:iam::*:role/rolewarden/rolewarden-reader","arn:aws:iam::*:role/rolewarden/rolewarden-remediator"]},
 {"Effect":"Allow","Action":"organizations:DescribeAccount","Resource":"*"},
 {"Effect":"Allow","Action":"sns:Publish","Resource":"TOPIC"}]}`

// split takes "path/name" apart as IAM wants it: "/path/" and "name".
func split(role string) (path, name string) {
	at := strings.LastIndexByte(role, '/') + 1
	return "/" + role[:at], role[at:]
}

// makeRoles makes the roles over the IAM API, as the administrator of each
// account: the hub's, and in every account of the organization a reader and a
// writer.
func (h *house) makeRoles(ctx context.Context, cfg houseConfig, organization string) error {
	fill := strings.NewReplacer("arn:aws:", "arn:"+h.partition()+":", "HUBROLE", hubRole, "HUB", cfg.Hub, "ORGANIZATION", organization, "EXTERNALID", houseSecret, "TOPIC", h.topic)
	for _, account := range cfg.Accounts {
		if account.Outside {
			continue
		}
		made := []memberRole{{readerRole, memberTrust, readerPolicy}, {writerRole, memberTrust, writerPolicy}}
		if account.ID == cfg.Hub {
			made = append([]memberRole{{hubRole, hubTrust, hubPolicy}}, made...)
		}
		admin, err := h.admin(account.ID)
		if err != nil {
			return err
		}
		for _, r := range made {
			if err := r.make(ctx, admin, fill); err != nil {
				return fmt.Errorf("making role %s in account %s: %w", r.name, account.ID, err)
			}
		}
	}
	return nil
}

// memberRole is a role of rolewarden's own.
type memberRole struct{ name, trust, policy string }

func (r memberRole) make(ctx context.Context, admin person, fill *strings.Replacer) error {
	path, name := split(r.name)
	if _, err := admin.call(ctx, "iam", "CreateRole", map[string]string{
		"Path": path, "RoleName": name, "AssumeRolePolicyDocument": fill.Replace(r.trust),
	}); err != nil {
		return err
	}
	_, err := admin.call(ctx, "iam", "PutRolePolicy", map[string]string{
		"RoleName": name, "PolicyName": "rolewarden", "PolicyDocument": fill.Replace(r.policy),
	})
	return err
}

// admin is an account's administrator, at a desk of the company.
func (h *house) admin(account string) (person, error) {
	keys, err := h.lab.Admin(account)
	if err != nil {
		return person{}, err
	}
	return h.person(keys), nil
}

// person is the holder of some keys.
func (h *house) person(keys lab.Credentials) person {
	return person{endpoint: h.server.URL, keys: keys, agent: "aws-cli/2.31.2", address: "198.51.100.7", now: h.clock.Now}
}
