package grants

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"unicode"
)

// version is the version of the policy language. With the older one policy
// variables would be plain text (IAM User Guide, reference_policies_elements_version).
const version = "2012-10-17"

// Document is an IAM policy document.
type Document struct {
	Version   string
	Statement []Statement
}

// Statement is one statement. Empty fields are left out.
type Statement struct {
	Sid, Effect string
	// Principal is "*" or a map from kind to a text or a list of texts; nil in
	// policies of identities.
	Principal                   any
	Action, NotAction, Resource []string
	// Condition is operator, key, values.
	Condition map[string]map[string][]string
}

// The effects.
const (
	allow = "Allow"
	deny  = "Deny"
)

// everything is the resource of calls that have none to name.
const everything = "*"

// document makes one of its statements. Their lists become its own, so that
// what somebody does with one document changes no other and nothing of theirs.
func document(statements ...Statement) Document {
	for i := range statements {
		s := &statements[i]
		s.Action, s.NotAction, s.Resource = slices.Clone(s.Action), slices.Clone(s.NotAction), slices.Clone(s.Resource)
		for _, keys := range s.Condition {
			for key, values := range keys {
				keys[key] = slices.Clone(values)
			}
		}
	}
	return Document{Version: version, Statement: statements}
}

// JSON gives the document in compact form, without HTML escaping: AWS counts
// characters.
func (d Document) JSON() string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	// Texts, lists and maps of texts always have a JSON form.
	_ = e.Encode(d.printed())
	return strings.TrimSpace(b.String())
}

// Value gives the document as maps, lists and texts, as the CDK takes it.
func (d Document) Value() map[string]any {
	statements := make([]any, len(d.Statement))
	for i, s := range d.Statement {
		statements[i] = s.value()
	}
	return map[string]any{"Version": d.Version, "Statement": statements}
}

// Size counts the characters that IAM counts. It means nothing for a document
// that holds a placeholder.
func (d Document) Size() int {
	n := 0
	for _, r := range d.JSON() {
		if !unicode.IsSpace(r) {
			n++
		}
	}
	return n
}

// printedDocument and printedStatement keep the order in which people expect
// the elements.
type printedDocument struct {
	Version   string
	Statement []printedStatement
}

type printedStatement struct {
	Sid       string `json:",omitempty"`
	Effect    string
	Principal any `json:",omitempty"`
	Action    any `json:",omitempty"`
	NotAction any `json:",omitempty"`
	Resource  any `json:",omitempty"`
	Condition any `json:",omitempty"`
}

func (d Document) printed() printedDocument {
	out := printedDocument{Version: d.Version, Statement: make([]printedStatement, len(d.Statement))}
	for i, s := range d.Statement {
		out.Statement[i] = printedStatement{
			Sid: s.Sid, Effect: s.Effect, Principal: principal(s.Principal),
			Action: slim(s.Action), NotAction: slim(s.NotAction), Resource: slim(s.Resource), Condition: conditions(s.Condition),
		}
	}
	return out
}

func (s Statement) value() map[string]any {
	out := map[string]any{"Effect": s.Effect}
	if s.Sid != "" {
		out["Sid"] = s.Sid
	}
	for name, v := range map[string]any{
		"Principal": principal(s.Principal), "Action": slim(s.Action), "NotAction": slim(s.NotAction),
		"Resource": slim(s.Resource), "Condition": conditions(s.Condition),
	} {
		if v != nil {
			out[name] = v
		}
	}
	return out
}

// slim gives one text as it is and several as a list.
func slim(list []string) any {
	switch len(list) {
	case 0:
		return nil
	case 1:
		return list[0]
	}
	out := make([]any, len(list))
	for i, s := range list {
		out[i] = s
	}
	return out
}

// principal gives plain texts, lists and maps.
func principal(p any) any {
	switch p := p.(type) {
	case map[string]string:
		out := map[string]any{}
		for kind, name := range p {
			out[kind] = name
		}
		return out
	case map[string][]string:
		out := map[string]any{}
		for kind, names := range p {
			out[kind] = slim(names)
		}
		return out
	}
	return p
}

func conditions(c map[string]map[string][]string) any {
	if len(c) == 0 {
		return nil
	}
	out := map[string]any{}
	for _, operator := range slices.Sorted(maps.Keys(c)) {
		keys := map[string]any{}
		for key, values := range c[operator] {
			keys[key] = slim(values)
		}
		out[operator] = keys
	}
	return out
}

// when is one condition.
type when struct {
	operator, key string
	values        []string
}

// all joins conditions, of which every one must hold. The zero condition asks
// for nothing and is left out.
func all(list ...when) map[string]map[string][]string {
	out := map[string]map[string][]string{}
	for _, c := range list {
		if c.operator == "" {
			continue
		}
		if out[c.operator] == nil {
			out[c.operator] = map[string][]string{}
		}
		out[c.operator][c.key] = c.values
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// equals asks that a key has one of the values.
func equals(key string, values ...string) when { return when{"StringEquals", key, values} }

// arn asks that a key is one of the ARNs. ArnEquals and ArnLike are one
// operator (IAM User Guide, reference_policies_elements_condition_operators);
// the name tells readers whether there is a wildcard.
func arn(key string, values ...string) when { return when{"ArnEquals", key, values} }

// arnLike asks that a key matches one of the patterns.
func arnLike(key string, patterns ...string) when { return when{"ArnLike", key, patterns} }

// unlessLike asks that the caller is none that matches the patterns.
func unlessLike(patterns ...string) when { return when{"ArnNotLike", "aws:PrincipalArn", patterns} }

// inOrganization asks that a key is the organization's id, where there is one.
func (w World) inOrganization(key string) when {
	if w.Organization == "" {
		return when{}
	}
	return equals(key, w.Organization)
}

// root is an account as a principal. It means every principal of the account,
// which a condition then narrows.
func (w World) root(account string) any { return map[string]string{"AWS": w.iam(account, "root")} }

// service is an AWS service as a principal.
func service(name string) any { return map[string]string{"Service": name} }
