package lab

import (
	"encoding/hex"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

func organizationOperations() map[string]operation {
	op := func(run func(*Lab, *request) (*answer, error), who audience, name func(*request) string) operation {
		return operation{run: inOrganization(run, who), target: everything, name: name}
	}
	below := func(run func(*Lab, *request) (*answer, error)) operation {
		return operation{run: inOrganization(run, administrators), target: onParent, name: bodyField("ParentId")}
	}
	return map[string]operation{
		"DescribeOrganization":             op((*Lab).describeOrganization, anyMember, unnamed),
		"DescribeAccount":                  op((*Lab).describeAccount, administrators, bodyField("AccountId")),
		"ListAccounts":                     op((*Lab).listAccounts, administrators, unnamed),
		"ListParents":                      op((*Lab).listParents, administrators, bodyField("ChildId")),
		"ListRoots":                        op((*Lab).listRoots, administrators, unnamed),
		"ListAccountsForParent":            below((*Lab).listAccountsBelow),
		"ListOrganizationalUnitsForParent": below((*Lab).listUnitsBelow),
		"DescribeOrganizationalUnit":       op((*Lab).describeUnit, administrators, bodyField("OrganizationalUnitId")),
	}
}

// onParent is the ARN of the root or unit whose children are listed, whether or
// not it exists (Service Authorization Reference, AWS Organizations).
func onParent(l *Lab, req *request) string {
	id, kind := req.text("ParentId"), "ou/"
	if strings.HasPrefix(id, "r-") {
		kind = "root/"
	}
	return l.orgARN(kind + l.config.OrganizationID + "/" + id)
}

// audience says who may ask.
type audience int

const (
	anyMember audience = iota
	administrators
)

// inOrganization refuses accounts that are in none, and members that may not
// read the whole of it.
func inOrganization(run func(*Lab, *request) (*answer, error), who audience) func(*Lab, *request) (*answer, error) {
	return func(l *Lab, req *request) (*answer, error) {
		acct := req.caller.account
		if l.config.OrganizationID == "" || acct.Outside {
			return nil, failPlain(http.StatusBadRequest, "AWSOrganizationsNotInUseException", "Your account is not a member of an organization.")
		}
		delegated := l.config.DelegatedAdministrators
		if who == administrators && delegated != nil && acct.ID != l.config.ManagementAccount && !slices.Contains(delegated, acct.ID) {
			return nil, accessDenied("You don't have permissions to access this resource.")
		}
		return run(l, req)
	}
}

func (l *Lab) orgARN(kind string) string {
	return l.partition.arn("organizations", "", l.config.ManagementAccount, kind)
}

func (l *Lab) describeOrganization(*request) (*answer, error) {
	org, master := l.config.OrganizationID, l.config.ManagementAccount
	return &answer{json: map[string]any{"Organization": map[string]any{
		"Id": org, "Arn": l.orgARN("organization/" + org), "FeatureSet": "ALL", "MasterAccountId": master,
		"MasterAccountArn": l.orgARN("account/" + org + "/" + master), "MasterAccountEmail": "aws+" + master + "@example.com",
	}}}, nil
}

func (l *Lab) accountJSON(acct *account) map[string]any {
	return map[string]any{
		"Id": acct.ID, "Arn": l.orgARN("account/" + l.config.OrganizationID + "/" + acct.ID), "Name": acct.Name,
		"Email": "aws+" + acct.ID + "@example.com", "Status": "ACTIVE", "State": "ACTIVE", "JoinedMethod": "CREATED",
		"JoinedTimestamp": secondsSince1970(acct.joined),
	}
}

// member finds an account of the organization; one outside is not found.
func (l *Lab) member(id string) (*account, error) {
	acct, ok := l.accounts[id]
	if !ok || acct.Outside {
		return nil, failPlain(http.StatusBadRequest, "AccountNotFoundException", "You specified an account that doesn't exist.")
	}
	return acct, nil
}

func (l *Lab) describeAccount(req *request) (*answer, error) {
	acct, err := l.member(req.text("AccountId"))
	if err != nil {
		return nil, err
	}
	return &answer{json: map[string]any{"Account": l.accountJSON(acct)}}, nil
}

func (l *Lab) listAccounts(req *request) (*answer, error) {
	var all []any
	for _, acct := range l.order {
		if !acct.Outside {
			all = append(all, l.accountJSON(acct))
		}
	}
	return pageJSON(req, "Accounts", all), nil
}

// pageJSON gives the page that NextToken and MaxResults ask for.
func pageJSON(req *request, list string, all []any) *answer {
	start, err := strconv.Atoi(req.text("NextToken"))
	if err != nil {
		start = 0
	}
	start = min(max(start, 0), len(all))
	end := min(start+min(max(integer(req.body, "MaxResults", 20), 1), 20), len(all))
	out := map[string]any{list: append([]any{}, all[start:end]...)}
	if end < len(all) {
		out["NextToken"] = strconv.Itoa(end)
	}
	return &answer{json: out}
}

// parent finds whom a list of children is asked for: the name of a unit, empty
// for the root.
func (l *Lab) parent(req *request) (unit string, err error) {
	id := req.text("ParentId")
	if unit = l.unitName(id); unit == "" && id != l.rootID() {
		return "", failPlain(http.StatusBadRequest, "ParentNotFoundException", "You specified parent that doesn't exist.")
	}
	return unit, nil
}

// listAccountsBelow gives the accounts that are directly in the root or a
// unit.
func (l *Lab) listAccountsBelow(req *request) (*answer, error) {
	unit, err := l.parent(req)
	if err != nil {
		return nil, err
	}
	var all []any
	for _, acct := range l.order {
		if !acct.Outside && acct.OU == unit {
			all = append(all, l.accountJSON(acct))
		}
	}
	return pageJSON(req, "Accounts", all), nil
}

// listUnitsBelow gives the units: all are directly below the root.
func (l *Lab) listUnitsBelow(req *request) (*answer, error) {
	unit, err := l.parent(req)
	if err != nil {
		return nil, err
	}
	var all []any
	seen := map[string]bool{"": true}
	for _, acct := range l.order {
		if unit == "" && !acct.Outside && !seen[acct.OU] {
			seen[acct.OU] = true
			all = append(all, l.unitJSON(acct.OU))
		}
	}
	return pageJSON(req, "OrganizationalUnits", all), nil
}

func (l *Lab) unitJSON(name string) map[string]any {
	id := l.unitID(name)
	return map[string]any{"Id": id, "Arn": l.orgARN("ou/" + l.config.OrganizationID + "/" + id), "Name": name}
}

// rootID and unitID are made of the names, so that they stay the same.
func (l *Lab) rootID() string { return "r-" + shortHash(l.config.OrganizationID)[:4] }

// unitID is the ID of an account's unit. An OU given as an ID is taken as it
// is.
func (l *Lab) unitID(ou string) string {
	if unitPattern.MatchString(ou) {
		return ou
	}
	return "ou-" + l.rootID()[2:] + "-" + shortHash(ou)[:8]
}

var unitPattern = regexp.MustCompile(`^ou-[0-9a-z]{4,32}-[0-9a-z]{8,32}$`)

func shortHash(s string) string {
	return hex.EncodeToString(sum256([]byte("organization"), s))
}

// orgPath is what aws:PrincipalOrgPaths holds.
func (l *Lab) orgPath(acct *account) string {
	path := l.config.OrganizationID + "/" + l.rootID() + "/"
	if acct.OU != "" {
		path += l.unitID(acct.OU) + "/"
	}
	return path
}

func (l *Lab) listParents(req *request) (*answer, error) {
	parent := map[string]any{"Id": l.rootID(), "Type": "ROOT"}
	if unit := l.unitName(req.text("ChildId")); unit == "" {
		acct, err := l.member(req.text("ChildId"))
		if err != nil {
			return nil, failPlain(http.StatusBadRequest, "ChildNotFoundException", "You specified a child that doesn't exist.")
		}
		if acct.OU != "" {
			parent = map[string]any{"Id": l.unitID(acct.OU), "Type": "ORGANIZATIONAL_UNIT"}
		}
	}
	return &answer{json: map[string]any{"Parents": []any{parent}}}, nil
}

func (l *Lab) listRoots(*request) (*answer, error) {
	root := map[string]any{
		"Id": l.rootID(), "Arn": l.orgARN("root/" + l.config.OrganizationID + "/" + l.rootID()), "Name": "Root", "PolicyTypes": []any{},
	}
	return &answer{json: map[string]any{"Roots": []any{root}}}, nil
}

// unitName finds the unit with an ID; empty when there is none.
func (l *Lab) unitName(id string) string {
	for _, acct := range l.order {
		if acct.OU != "" && l.unitID(acct.OU) == id {
			return acct.OU
		}
	}
	return ""
}

func (l *Lab) describeUnit(req *request) (*answer, error) {
	id := req.text("OrganizationalUnitId")
	name := l.unitName(id)
	if name == "" {
		return nil, failPlain(http.StatusBadRequest, "OrganizationalUnitNotFoundException", "You specified an organizational unit that doesn't exist.")
	}
	return &answer{json: map[string]any{"OrganizationalUnit": l.unitJSON(name)}}, nil
}
