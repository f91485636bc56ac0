package lab

import (
	"net/http"
)

// ServiceCall is an AWS service's attempt to assume a role.
type ServiceCall struct {
	Service, RoleARN, SessionName string
	// SourceARN, SourceAccount and SourceOrgID are the confused-deputy keys;
	// empty ones are not sent.
	SourceARN, SourceAccount, SourceOrgID string
	SourceIdentity                        string
	Tags                                  map[string]string
}

// AssumeAsService lets an AWS service assume a role, which no signed call can
// do. It emits the event that CloudTrail records of it.
func (l *Lab) AssumeAsService(call ServiceCall) (Credentials, error) {
	defer l.deliver()
	l.mu.Lock()
	defer l.mu.Unlock()
	req := &request{
		service: "sts", action: "AssumeRole", region: l.partition.home(), id: l.uuid(), at: l.now(),
		userAgent: call.Service, sourceIP: call.Service,
		caller: caller{kind: awsService, partition: l.partition, name: call.Service},
		form:   map[string][]string{"RoleArn": {call.RoleARN}, "RoleSessionName": {call.SessionName}},
	}
	req.resource = lastPart(call.RoleARN)
	req.trail.identity = map[string]any{"type": "AWSService", "invokedBy": call.Service}
	key, err := l.serviceSession(req, call)
	if len(req.trail.recipient) > 0 {
		l.record(operation{event: readEvent}, req, err)
	}
	l.log(req, Fault{}, err)
	if err != nil {
		return Credentials{}, err
	}
	return key.credentials(), nil
}

func (l *Lab) serviceSession(req *request, call ServiceCall) (*credential, error) {
	if call.SourceIdentity != "" {
		req.form.Set("SourceIdentity", call.SourceIdentity)
	}
	a, err := l.readAssumption(req)
	if err != nil {
		return nil, err
	}
	if a.role == nil {
		return nil, failPlain(http.StatusForbidden, "AccessDenied", "%s is not authorized to assume %s", call.Service, call.RoleARN)
	}
	req.trail.recipient = []string{a.role.account.ID}
	for _, key := range sortedKeys(call.Tags) {
		a.tags = append(a.tags, tag{key: key, value: call.Tags[key]})
	}
	a.context = l.assumeContext(req, a)
	for key, value := range map[string]string{
		"aws:SourceArn": call.SourceARN, "aws:SourceAccount": call.SourceAccount, "aws:SourceOrgID": call.SourceOrgID,
	} {
		if value != "" {
			a.context.Set(key, value)
		}
	}
	key, err := l.assumeFederated(req, a, nil)
	if err != nil {
		return nil, err
	}
	l.assumed(req, a, key)
	return key, nil
}
