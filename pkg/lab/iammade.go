package lab

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// Template is an IAM role template, from which AcquireRole makes roles. In
// its texts @{Name} stands for a replacement value; the lab's own notation,
// since AWS's is not needed to make the call and its event.
type Template struct {
	ARN                string
	MinorVersion       int
	RoleName           string
	Path               string
	TrustPolicy        string
	MaxSessionDuration int
	Tags               map[string]string
}

// AddTemplate makes a role template that AcquireRole can use.
func (l *Lab) AddTemplate(t Template) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.templates[t.ARN] = t
}

// acquireRole makes a role from a template. CloudTrail records one event, and
// no CreateRole beside it. IAM User Guide, id_roles_create_role-manager.
func (l *Lab) acquireRole(req *request) (*answer, error) {
	arn := req.form.Get("TemplateArn")
	t, ok := l.templates[arn]
	if !ok {
		return nil, fail(http.StatusNotFound, "NoSuchEntity", "The role template %s cannot be found.", arn)
	}
	fill := replacements(req.form)
	name, path := fill.Replace(t.RoleName), fill.Replace(t.Path)
	if err := checkName("roleName", name); err != nil {
		return nil, err
	}
	path, err := checkPath(path)
	if err != nil {
		return nil, err
	}
	if _, taken := req.caller.account.roles[fold(name)]; taken {
		return nil, exists("Role", name)
	}
	trust, err := l.newTrust(fill.Replace(t.TrustPolicy), req.at)
	if err != nil {
		return nil, err
	}
	r, err := l.addRole(req.caller.account, name, path)
	if err != nil {
		return nil, err
	}
	r.state.trust = trust
	for _, key := range sortedKeys(t.Tags) {
		r.state.tags = append(r.state.tags, tag{key: key, value: fill.Replace(t.Tags[key])})
	}
	if t.MaxSessionDuration != 0 {
		r.state.maxSession = t.MaxSessionDuration
	}
	r.template = &acquired{arn: arn, minor: t.MinorVersion}
	if minor, err := strconv.Atoi(req.form.Get("TemplateMinorVersion")); err == nil {
		r.template.minor = minor
	}
	req.resource = name
	told := l.trailRole(r)
	told["sourceRoleTemplate"] = map[string]any{"templateArn": arn, "templateMinorVersion": r.template.minor}
	req.trail.response = map[string]any{"role": told}
	return answerXML(l.roleXML("Role", r, r.state, trust.sent)), nil
}

// replacements reads ReplacementValues.entry.N.key and .value.Values.member.M.
func replacements(form url.Values) *strings.Replacer {
	var pairs []string
	for _, entry := range numbered(form, "ReplacementValues.entry.") {
		values := list(entry, "value.Values")
		text := strings.Join(values, ",")
		if len(values) > 1 {
			// A list takes the place of a quoted string in the template.
			if quoted, err := json.Marshal(values); err == nil {
				pairs = append(pairs, fmt.Sprintf("%q", "@{"+entry.Get("key")+"}"), string(quoted))
			}
		}
		pairs = append(pairs, "@{"+entry.Get("key")+"}", text)
	}
	return strings.NewReplacer(pairs...)
}

// createServiceLinkedRole makes a role whose trust only AWS may change.
func (l *Lab) createServiceLinkedRole(req *request) (*answer, error) {
	service := req.form.Get("AWSServiceName")
	if !servicePattern.MatchString(service) || service == "*" {
		return nil, invalidInput("Service %s does not support service-linked roles.", service)
	}
	name := serviceRoleName(service)
	if suffix := req.form.Get("CustomSuffix"); suffix != "" {
		name += "_" + suffix
	}
	if _, taken := req.caller.account.roles[fold(name)]; taken {
		return nil, invalidInput("Service role name %s has been taken in this account, please try a different suffix.", name)
	}
	trust, err := l.newTrust(`{"Version":"2012-10-17","Statement":[{"Action":["sts:AssumeRole"],"Effect":"Allow","Principal":{"Service":["`+service+`"]}}]}`, req.at)
	if err != nil {
		return nil, err
	}
	r, err := l.addRole(req.caller.account, name, "/aws-service-role/"+service+"/")
	if err != nil {
		return nil, err
	}
	r.service, r.state.trust, r.state.description = service, trust, req.form.Get("Description")
	req.resource = name
	req.trail.response = map[string]any{"role": l.trailRole(r)}
	return answerXML(l.roleXML("Role", r, r.state, trust.sent)), nil
}

// serviceRoleName makes AWSServiceRoleFor and the service's name in capitals.
func serviceRoleName(service string) string {
	host, _, _ := strings.Cut(service, ".amazonaws")
	name := "AWSServiceRoleFor"
	for part := range strings.FieldsFuncSeq(host, func(r rune) bool { return r == '-' || r == '.' }) {
		name += strings.ToUpper(part[:1]) + part[1:]
	}
	return name
}
