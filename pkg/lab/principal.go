package lab

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/rolewarden/rolewarden/pkg/lab/ordered"
)

func asError[T error](err error, target *T) bool { return errors.As(err, target) }

// mapPrincipals copies a policy and replaces the names in its Principal and
// NotPrincipal elements. As IAM does, it orders the names of one kind by what
// it keeps, drops doubles, and writes one name without a list.
func mapPrincipals(root *ordered.Node, replace func(kind, name string) (string, error)) (*ordered.Node, error) {
	out := &ordered.Node{Kind: root.Kind}
	for _, m := range root.Members {
		value := m.Value
		if m.Name == "Statement" {
			mapped, err := mapStatements(value, replace)
			if err != nil {
				return nil, err
			}
			value = mapped
		}
		out.Members = append(out.Members, ordered.Member{Name: m.Name, Value: value})
	}
	return out, nil
}

func mapStatements(node *ordered.Node, replace func(kind, name string) (string, error)) (*ordered.Node, error) {
	if node.Kind == ordered.Object {
		return mapStatement(node, replace)
	}
	out := &ordered.Node{Kind: node.Kind}
	for _, item := range node.Items {
		st, err := mapStatement(item, replace)
		if err != nil {
			return nil, err
		}
		out.Items = append(out.Items, st)
	}
	return out, nil
}

func mapStatement(node *ordered.Node, replace func(kind, name string) (string, error)) (*ordered.Node, error) {
	out := &ordered.Node{Kind: ordered.Object}
	for _, m := range node.Members {
		value := m.Value
		if (m.Name == "Principal" || m.Name == "NotPrincipal") && value.Kind == ordered.Object {
			mapped := &ordered.Node{Kind: ordered.Object}
			for _, kind := range value.Members {
				list, err := mapNames(kind.Name, kind.Value, replace)
				if err != nil {
					return nil, err
				}
				mapped.Members = append(mapped.Members, ordered.Member{Name: kind.Name, Value: list})
			}
			value = mapped
		}
		out.Members = append(out.Members, ordered.Member{Name: m.Name, Value: value})
	}
	return out, nil
}

func mapNames(kind string, node *ordered.Node, replace func(kind, name string) (string, error)) (*ordered.Node, error) {
	var texts []string
	for _, item := range node.Each() {
		text, err := replace(kind, item.Text)
		if err != nil {
			return nil, err
		}
		texts = append(texts, text)
	}
	slices.Sort(texts)
	texts = slices.Compact(texts)
	if len(texts) == 1 {
		return &ordered.Node{Kind: ordered.String, Text: texts[0]}, nil
	}
	out := &ordered.Node{Kind: ordered.Array}
	for _, text := range texts {
		out.Items = append(out.Items, &ordered.Node{Kind: ordered.String, Text: text})
	}
	return out, nil
}

var (
	uniqueIDPattern = regexp.MustCompile(`^A(IDA|ROA)[A-Z0-9]{12,124}$`)
	servicePattern  = regexp.MustCompile(`^(\*|[a-z0-9-]+(\.[a-z0-9-]+)+)$`)
	providerPattern = regexp.MustCompile(`^arn:aws[a-z-]*:iam::[0-9]{12}:(saml-provider|oidc-provider)/\S+$`)
)

func invalidPrincipal(kind, name string) *problem {
	return malformedPolicy("Invalid principal in policy: %q:%q", kind, name)
}

// storePrincipal turns a principal into what IAM keeps. Principals of the AWS
// kind must exist; whether a provider or a service exists is not looked up.
func (l *Lab) storePrincipal(kind, name string, now time.Time) (string, error) {
	switch kind {
	case "AWS":
		return l.storeAWS(name, now)
	case "Service":
		if servicePattern.MatchString(name) {
			return name, nil
		}
		return "", invalidPrincipal("SERVICE", name)
	case "Federated":
		if providerPattern.MatchString(name) || servicePattern.MatchString(name) {
			return name, nil
		}
		return "", invalidPrincipal("FEDERATED", name)
	default:
		return "", invalidPrincipal(kind, name)
	}
}

func (l *Lab) storeAWS(name string, now time.Time) (string, error) {
	if name == "*" {
		return name, nil
	}
	if accountID.MatchString(name) {
		name = l.partition.root(name)
	}
	if uniqueIDPattern.MatchString(name) {
		if o, ok := l.owners[name]; ok && o.alive() && !o.visible().After(now) {
			return name, nil
		}
		return "", invalidPrincipal("AWS", name)
	}
	stored, ok := l.resolve(name, now)
	if !ok {
		return "", invalidPrincipal("AWS", name)
	}
	return stored, nil
}

// resolve finds the living owner of an ARN and gives what is kept in its
// place. The names of sessions and federated users are not checked.
func (l *Lab) resolve(arn string, now time.Time) (string, bool) {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" || parts[1] != string(l.partition) || parts[3] != "" {
		return "", false
	}
	acct, ok := l.accounts[parts[4]]
	if !ok {
		return "", false
	}
	if parts[2] == "iam" {
		return l.resolveIAM(acct, arn, parts[5], now)
	}
	return resolveSession(acct, arn, parts[2], parts[5])
}

func (l *Lab) resolveIAM(acct *account, arn, resource string, now time.Time) (string, bool) {
	if resource == "root" {
		return arn, true
	}
	kind, rest, _ := strings.Cut(resource, "/")
	var o *owner
	if u, ok := acct.users[fold(lastPart(rest))]; ok && kind == "user" {
		o = l.owners[u.id]
	}
	if r, ok := acct.roles[fold(lastPart(rest))]; ok && kind == "role" {
		o = l.owners[r.id]
	}
	if o == nil || o.arn(l.partition) != arn || o.visible().After(now) {
		return "", false
	}
	return o.id(), true
}

func resolveSession(acct *account, arn, service, resource string) (string, bool) {
	kind, rest, _ := strings.Cut(resource, "/")
	switch {
	case service != "sts":
		return "", false
	case kind == "federated-user":
		return arn, rest != ""
	case kind == "assumed-role":
		name, session, found := strings.Cut(rest, "/")
		r, ok := acct.roles[fold(name)]
		if !found || !ok || r.name != name || !namePattern.MatchString(session) {
			return "", false
		}
		return r.id + ":" + session, true
	default:
		return "", false
	}
}

// showPrincipal turns what is kept back into an ARN while its owner lives.
func (l *Lab) showPrincipal(stored string) string {
	if name, ok := strings.CutPrefix(stored, unbound); ok {
		return name
	}
	id, session, isSession := strings.Cut(stored, ":")
	o, ok := l.owners[id]
	switch {
	case !ok || !o.alive():
		return stored
	case isSession && o.role != nil:
		return l.partition.sts(o.role.account.ID, "assumed-role/"+o.role.name+"/"+session)
	default:
		return o.arn(l.partition)
	}
}

func lastPart(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }
