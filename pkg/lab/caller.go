package lab

import (
	"net/http"
	"time"

	"github.com/rolewarden/rolewarden/pkg/lab/judge"
)

// callerKind is what sort of identity signs a call.
type callerKind int

const (
	nobody callerKind = iota
	rootUser
	iamUser
	roleSession
	awsService
	federated
)

// caller is the identity behind a call. session is set for temporary
// credentials, those of a user included.
type caller struct {
	kind      callerKind
	partition partition
	account   *account
	user      *user
	session   *session
	name      string // of a service or an identity provider
}

// session is what STS remembers of temporary credentials.
type session struct {
	role           *role
	name           string
	sourceIdentity string
	issued         time.Time
	mfa            mfa
	policies       []*judge.Policy // nil when the session is not narrowed
	tags           []tag
	transitive     []string
	provider       string // of a session that began with an identity provider
	federation     map[string]any
}

// mfa says whether a session began with a second factor.
type mfa int

const (
	withoutMFA mfa = iota
	withMFA
)

// credential is an access key, long-term or temporary.
type credential struct {
	id, secret, token string
	status            string
	created           time.Time
	expires           time.Time // zero: never
	caller            caller
}

func (c *credential) credentials() Credentials {
	return Credentials{AccessKeyID: c.id, SecretAccessKey: c.secret, SessionToken: c.token}
}

// mint makes a key with the given prefix and, for temporary ones, a token.
func (l *Lab) mint(prefix string) (*credential, error) {
	id, err := l.uniqueID(prefix, keyLetters)
	if err != nil {
		return nil, err
	}
	secret, err := l.secretText(secretLength)
	if err != nil {
		return nil, err
	}
	key := &credential{id: id, secret: secret, status: "Active", created: l.now()}
	if prefix == temporaryKey {
		if key.token, err = l.secretText(tokenBytes); err != nil {
			return nil, err
		}
	}
	return key, nil
}

func (l *Lab) newKey(u *user) (*credential, error) {
	key, err := l.mint(longTermKey)
	if err != nil {
		return nil, err
	}
	key.caller = caller{kind: iamUser, partition: l.partition, account: u.account, user: u}
	l.keys[key.id] = key
	u.keys = append(u.keys, key.id)
	return key, nil
}

// authenticate finds the key and checks the signature. Only the two calls
// that bring an identity provider's word may come unsigned.
func (l *Lab) authenticate(r *http.Request, req *request, body []byte) error {
	if req.signature == nil {
		if req.service == "sts" && (req.action == "AssumeRoleWithSAML" || req.action == "AssumeRoleWithWebIdentity") {
			return nil
		}
		return failPlain(http.StatusForbidden, "MissingAuthenticationToken", "Request is missing Authentication Token")
	}
	key, ok := l.keys[req.signature.keyID]
	if !ok || key.status != "Active" || key.token != r.Header.Get("X-Amz-Security-Token") || key.caller.gone() {
		return failPlain(http.StatusForbidden, "InvalidClientTokenId", "The security token included in the request is invalid.")
	}
	if err := req.signature.verify(r, body, key.secret); err != nil {
		return err
	}
	if !key.expires.IsZero() && !req.at.Before(key.expires) {
		return failPlain(http.StatusForbidden, "ExpiredToken", "The security token included in the request is expired")
	}
	if c := key.caller; req.service == "iam" && c.kind == iamUser && c.session != nil && c.session.mfa == withoutMFA {
		// STS API Reference, GetSessionToken: no IAM calls without MFA.
		return failPlain(http.StatusForbidden, "InvalidClientTokenId", "The security token included in the request is invalid")
	}
	req.key, req.caller = key, key.caller
	return nil
}

// gone says that the user or role behind the key was deleted.
func (c caller) gone() bool {
	if c.kind == iamUser {
		return c.user.deleted
	}
	return c.kind == roleSession && c.session.role.deleted
}

func (c caller) accountID() string {
	if c.account == nil {
		return ""
	}
	return c.account.ID
}

// arn is the caller as AWS writes it in messages and events.
func (c caller) arn() string {
	switch c.kind {
	case rootUser:
		return c.partition.root(c.account.ID)
	case iamUser:
		return c.user.arn(c.partition)
	case roleSession:
		return c.partition.sts(c.account.ID, "assumed-role/"+c.session.role.name+"/"+c.session.name)
	case awsService, federated:
		return c.name
	case nobody:
		return ""
	default:
		return ""
	}
}

// userID is aws:userid: a user's unique ID, or a role's with the session name.
func (c caller) userID() string {
	switch c.kind {
	case rootUser:
		return c.account.ID
	case iamUser:
		return c.user.id
	case roleSession:
		return c.session.role.id + ":" + c.session.name
	case nobody, awsService, federated:
		return c.name
	default:
		return ""
	}
}

// judged turns the caller into the judge's words.
func (c caller) judged() judge.Caller {
	out := judge.Caller{Account: c.accountID(), ARN: c.arn(), Name: c.name}
	switch c.kind {
	case rootUser:
		out.Kind = judge.RootUser
	case iamUser:
		out.Kind, out.ID = judge.User, c.user.id
	case roleSession:
		out.Kind = judge.RoleSession
		out.RoleARN, out.RoleID = c.session.role.arn(c.partition), c.session.role.id
	case awsService:
		out.Kind = judge.Service
	case federated:
		out.Kind = judge.Federated
	case nobody:
		out.Kind = judge.Unknown
	}
	return out
}
