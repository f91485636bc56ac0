package lab

import (
	"net/http"
	"net/url"
	"strings"
	"time"
)

// provider is a SAML or OpenID Connect identity provider.
type provider struct {
	arn         string
	kind        providerKind
	metadata    string   // SAML
	url         string   // OIDC, without https://
	clients     []string // OIDC
	thumbprints []string
	created     time.Time
}

type providerKind int

const (
	samlProvider providerKind = iota
	oidcProvider
)

func providerOperations() map[string]operation {
	saml, oidc := formField("SAMLProviderArn"), formField("OpenIDConnectProviderArn")
	return map[string]operation{
		"CreateSAMLProvider":          {run: (*Lab).createSAML, target: everything, name: formField("Name"), event: writeEvent},
		"GetSAMLProvider":             {run: (*Lab).getSAML, target: onARN("SAMLProviderArn"), name: saml},
		"ListSAMLProviders":           {run: (*Lab).listSAML, target: everything, name: unnamed},
		"DeleteSAMLProvider":          {run: deleteProvider("SAMLProviderArn"), target: onARN("SAMLProviderArn"), name: saml, event: writeEvent},
		"CreateOpenIDConnectProvider": {run: (*Lab).createOIDC, target: everything, name: formField("Url"), event: writeEvent},
		"GetOpenIDConnectProvider":    {run: (*Lab).getOIDC, target: onARN("OpenIDConnectProviderArn"), name: oidc},
		"ListOpenIDConnectProviders":  {run: (*Lab).listOIDC, target: everything, name: unnamed},
		"DeleteOpenIDConnectProvider": {run: deleteProvider("OpenIDConnectProviderArn"), target: onARN("OpenIDConnectProviderArn"), name: oidc, event: writeEvent},
	}
}

func (l *Lab) createSAML(req *request) (*answer, error) {
	name := req.form.Get("Name")
	if !namePattern.MatchString(name) {
		return nil, validation("The specified value for name is invalid.")
	}
	arn := l.partition.iam(req.caller.account.ID, "saml-provider/"+name)
	if _, taken := req.caller.account.providers[arn]; taken {
		return nil, exists("SAMLProvider", name)
	}
	req.caller.account.providers[arn] = &provider{
		arn: arn, kind: samlProvider, metadata: req.form.Get("SAMLMetadataDocument"), created: req.at,
	}
	req.trail.response = map[string]any{"sAMLProviderArn": arn}
	return answerXML(leaf("SAMLProviderArn", arn)), nil
}

func (l *Lab) ownProvider(req *request, field string) (*provider, error) {
	arn := req.form.Get(field)
	p, ok := req.caller.account.providers[arn]
	if !ok {
		return nil, fail(http.StatusNotFound, "NoSuchEntity", "Provider not found for arn %s", arn)
	}
	return p, nil
}

func (l *Lab) getSAML(req *request) (*answer, error) {
	p, err := l.ownProvider(req, "SAMLProviderArn")
	if err != nil {
		return nil, err
	}
	return answerXML(leaf("SAMLMetadataDocument", p.metadata), leaf("CreateDate", trailTime(p.created))), nil
}

func (l *Lab) providersOf(req *request, kind providerKind) []*provider {
	var out []*provider
	for _, arn := range sortedKeys(req.caller.account.providers) {
		if p := req.caller.account.providers[arn]; p.kind == kind {
			out = append(out, p)
		}
	}
	return out
}

func (l *Lab) listSAML(req *request) (*answer, error) {
	return answerXML(members("SAMLProviderList", l.providersOf(req, samlProvider), func(p *provider) []elem {
		return []elem{leaf("Arn", p.arn), leaf("CreateDate", trailTime(p.created))}
	})), nil
}

func (l *Lab) createOIDC(req *request) (*answer, error) {
	u, err := url.Parse(req.form.Get("Url"))
	if err != nil || u.Scheme != "https" || u.Host == "" {
		return nil, validation("Invalid Open ID Connect Provider URL: it must begin with https://")
	}
	host := strings.TrimSuffix(u.Host+u.Path, "/")
	arn := l.partition.iam(req.caller.account.ID, "oidc-provider/"+host)
	if _, taken := req.caller.account.providers[arn]; taken {
		return nil, exists("Provider", req.form.Get("Url"))
	}
	req.caller.account.providers[arn] = &provider{
		arn: arn, kind: oidcProvider, url: host, clients: list(req.form, "ClientIDList"),
		thumbprints: list(req.form, "ThumbprintList"), created: req.at,
	}
	req.trail.response = map[string]any{"openIDConnectProviderArn": arn}
	return answerXML(leaf("OpenIDConnectProviderArn", arn)), nil
}

func (l *Lab) getOIDC(req *request) (*answer, error) {
	p, err := l.ownProvider(req, "OpenIDConnectProviderArn")
	if err != nil {
		return nil, err
	}
	return answerXML(leaf("Url", p.url), names("ClientIDList", p.clients), names("ThumbprintList", p.thumbprints),
		leaf("CreateDate", trailTime(p.created))), nil
}

func (l *Lab) listOIDC(req *request) (*answer, error) {
	return answerXML(members("OpenIDConnectProviderList", l.providersOf(req, oidcProvider), func(p *provider) []elem {
		return []elem{leaf("Arn", p.arn)}
	})), nil
}

func deleteProvider(field string) func(*Lab, *request) (*answer, error) {
	return func(l *Lab, req *request) (*answer, error) {
		p, err := l.ownProvider(req, field)
		if err != nil {
			return nil, err
		}
		delete(req.caller.account.providers, p.arn)
		return &answer{}, nil
	}
}
