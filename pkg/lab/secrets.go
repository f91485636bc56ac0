package lab

import (
	"net/http"
	"time"
)

// secret is one secret of Secrets Manager, with one version.
type secret struct {
	arn, name, value, version string
	created                   time.Time
}

func secretOperations() map[string]operation {
	return map[string]operation{
		"CreateSecret":   {run: (*Lab).createSecret, target: onNewSecret, name: bodyField("Name")},
		"PutSecretValue": {run: (*Lab).putSecret, target: onSecret, name: bodyField("SecretId")},
		"GetSecretValue": {run: (*Lab).getSecret, target: onSecret, name: bodyField("SecretId")},
	}
}

func onNewSecret(l *Lab, req *request) string {
	return l.partition.arn("secretsmanager", req.region, req.caller.account.ID, "secret:"+req.text("Name"))
}

func onSecret(l *Lab, req *request) string {
	if s := l.findSecret(req); s != nil {
		return s.arn
	}
	return l.partition.arn("secretsmanager", req.region, req.caller.account.ID, "secret:"+req.text("SecretId"))
}

// findSecret takes a name of the caller's account or an ARN of any.
func (l *Lab) findSecret(req *request) *secret {
	id := req.text("SecretId")
	if s, ok := req.caller.account.secrets[id]; ok {
		return s
	}
	for _, s := range req.caller.account.secrets {
		if s.arn == id {
			return s
		}
	}
	return nil
}

// Secret puts a secret into Secrets Manager and gives its ARN. It is empty
// when the lab has no such account.
func (l *Lab) Secret(account, name, value string) (arn string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	acct, ok := l.accounts[account]
	if !ok {
		return ""
	}
	s, err := l.newSecret(acct, l.partition.home(), name, value)
	if err != nil {
		return ""
	}
	return s.arn
}

func (l *Lab) newSecret(acct *account, region, name, value string) (*secret, error) {
	suffix, err := l.uniqueID("", 6)
	if err != nil {
		return nil, err
	}
	s := &secret{
		arn: l.partition.arn("secretsmanager", region, acct.ID, "secret:"+name+"-"+suffix), name: name, value: value,
		version: l.uuid(), created: l.now(),
	}
	acct.secrets[name] = s
	return s, nil
}

func (l *Lab) createSecret(req *request) (*answer, error) {
	name := req.text("Name")
	if _, taken := req.caller.account.secrets[name]; taken || name == "" {
		return nil, failPlain(http.StatusBadRequest, "ResourceExistsException", "The operation failed because the secret %s already exists.", name)
	}
	s, err := l.newSecret(req.caller.account, req.region, name, req.text("SecretString"))
	if err != nil {
		return nil, err
	}
	return &answer{json: map[string]any{"ARN": s.arn, "Name": s.name, "VersionId": s.version}}, nil
}

func noSecret() *problem {
	return failPlain(http.StatusBadRequest, "ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
}

func (l *Lab) putSecret(req *request) (*answer, error) {
	s := l.findSecret(req)
	if s == nil {
		return nil, noSecret()
	}
	s.value, s.version, s.created = req.text("SecretString"), l.uuid(), req.at
	return &answer{json: map[string]any{"ARN": s.arn, "Name": s.name, "VersionId": s.version, "VersionStages": []string{"AWSCURRENT"}}}, nil
}

func (l *Lab) getSecret(req *request) (*answer, error) {
	s := l.findSecret(req)
	if s == nil {
		return nil, noSecret()
	}
	return &answer{json: map[string]any{
		"ARN": s.arn, "Name": s.name, "SecretString": s.value, "VersionId": s.version,
		"VersionStages": []string{"AWSCURRENT"}, "CreatedDate": secondsSince1970(s.created),
	}}, nil
}
