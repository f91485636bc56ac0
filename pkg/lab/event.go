package lab

import (
	"strconv"
	"sync"
)

// Envelope is one CloudTrail event as EventBridge delivers it. Raw is the
// whole JSON text.
type Envelope struct {
	Account, Region, EventName, EventID string
	Raw                                 []byte
}

// deliveries hands events and messages to their listeners in order, outside
// the lab's lock.
type deliveries struct {
	mu       sync.Mutex
	idle     *sync.Cond
	queue    []func()
	running  bool
	events   []func(Envelope)
	messages []func(Message)
}

// OnEvent registers a listener for the events of write calls, failed ones
// included, and of AssumeRole and its sisters. It is called before the call
// that caused the event is answered. A listener may itself call the lab: the
// events of those calls follow after it returns, so their answers do not wait
// for them.
func (l *Lab) OnEvent(listen func(Envelope)) {
	l.deliveries.mu.Lock()
	defer l.deliveries.mu.Unlock()
	l.deliveries.events = append(l.deliveries.events, listen)
}

// OnMessage registers a listener for what is published on SNS.
func (l *Lab) OnMessage(listen func(Message)) {
	l.deliveries.mu.Lock()
	defer l.deliveries.mu.Unlock()
	l.deliveries.messages = append(l.deliveries.messages, listen)
}

// Settle waits until every event and message so far has been delivered. A
// listener must not call it.
func (l *Lab) Settle() {
	d := &l.deliveries
	d.mu.Lock()
	defer d.mu.Unlock()
	for d.running || len(d.queue) > 0 {
		if !d.running {
			d.drain()
			continue
		}
		d.cond().Wait()
	}
}

func (d *deliveries) cond() *sync.Cond {
	if d.idle == nil {
		d.idle = sync.NewCond(&d.mu)
	}
	return d.idle
}

func (l *Lab) enqueue(deliver func()) {
	l.deliveries.mu.Lock()
	defer l.deliveries.mu.Unlock()
	l.deliveries.queue = append(l.deliveries.queue, deliver)
}

// deliver empties the queue unless somebody else is at it already.
func (l *Lab) deliver() {
	d := &l.deliveries
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.running {
		d.drain()
	}
}

func (d *deliveries) drain() {
	d.running = true
	for len(d.queue) > 0 {
		next := d.queue[0]
		d.queue = d.queue[1:]
		d.mu.Unlock()
		next()
		d.mu.Lock()
	}
	d.running = false
	d.cond().Broadcast()
}

// record makes the call's CloudTrail event, one copy for each account that
// receives it.
func (l *Lab) record(op operation, req *request, err error) {
	if op.event == unrecorded {
		return
	}
	recipients := []string{req.caller.accountID()}
	for _, account := range req.trail.recipient {
		if account != recipients[0] {
			recipients = append(recipients, account)
		}
	}
	if recipients[0] == "" {
		recipients = recipients[1:]
	}
	shared := ""
	if len(recipients) > 1 || req.caller.kind == awsService {
		shared = l.uuid()
	}
	for _, account := range recipients {
		envelope := l.envelope(op, req, err, account, shared)
		l.enqueue(func() {
			l.deliveries.mu.Lock()
			listeners := l.deliveries.events
			l.deliveries.mu.Unlock()
			for _, listen := range listeners {
				listen(envelope)
			}
		})
	}
}

// envelope is the EventBridge form of one copy of the event.
func (l *Lab) envelope(op operation, req *request, err error, account, shared string) Envelope {
	region := req.region
	if req.service == "iam" {
		region = l.partition.home()
	}
	eventID := l.uuid()
	detail := l.detail(op, req, err, account)
	detail["awsRegion"], detail["eventID"] = region, eventID
	if shared != "" {
		detail["sharedEventID"] = shared
	}
	raw := marshal(map[string]any{
		"version": "0", "id": l.uuid(), "detail-type": "AWS API Call via CloudTrail", "source": "aws." + req.service,
		"account": account, "time": trailTime(req.at), "region": region, "resources": []any{}, "detail": detail,
	})
	return Envelope{Account: account, Region: region, EventName: req.action, EventID: eventID, Raw: raw}
}

// detail is the CloudTrail record, without what differs between copies.
func (l *Lab) detail(op operation, req *request, err error, account string) map[string]any {
	host := req.service + ".amazonaws.com"
	detail := map[string]any{
		"eventVersion": "1.11", "userIdentity": l.userIdentity(req, account), "eventTime": trailTime(req.at),
		"eventSource": host, "eventName": req.action,
		"sourceIPAddress": req.sourceIP, "userAgent": clip(req.userAgent, kilobyte),
		"requestParameters": requestParameters(req), "responseElements": req.trail.response,
		"requestID": req.id, "readOnly": op.event == readEvent, "eventType": "AwsApiCall",
		"managementEvent": true, "recipientAccountId": account, "eventCategory": "Management",
		"tlsDetails": map[string]any{
			"tlsVersion": "TLSv1.3", "cipherSuite": "TLS_AES_128_GCM_SHA256", "clientProvidedHostHeader": host,
		},
	}
	if req.trail.resources != nil {
		detail["resources"] = req.trail.resources
	}
	if err != nil {
		p := asProblem(err)
		detail["errorCode"], detail["errorMessage"] = p.trailCode(), clip(p.message, kilobyte)
		detail["responseElements"] = nil
		if p.code == "AccessDenied" {
			detail["requestParameters"] = nil
		}
	}
	return detail
}

// userIdentity says who called, as the receiving account sees it: another
// account's copy shows only principal ID and account.
func (l *Lab) userIdentity(req *request, account string) map[string]any {
	c := req.caller
	if req.trail.identity != nil {
		return req.trail.identity
	}
	if c.accountID() != account {
		return map[string]any{"type": "AWSAccount", "principalId": c.userID(), "accountId": c.accountID()}
	}
	out := map[string]any{"principalId": c.userID(), "arn": c.arn(), "accountId": account, "accessKeyId": req.key.id}
	switch c.kind {
	case rootUser:
		out["type"] = "Root"
	case iamUser:
		out["type"], out["userName"] = "IAMUser", c.user.name
	case roleSession:
		out["type"] = "AssumedRole"
	case nobody, awsService, federated:
		out["type"] = "Unknown"
	}
	if c.session != nil {
		out["sessionContext"] = l.sessionContext(c)
	}
	return out
}

func (l *Lab) sessionContext(c caller) map[string]any {
	s := c.session
	out := map[string]any{"attributes": map[string]any{
		"creationDate": trailTime(s.issued), "mfaAuthenticated": strconv.FormatBool(s.mfa == withMFA),
	}}
	if s.role != nil {
		out["sessionIssuer"] = map[string]any{
			"type": "Role", "principalId": s.role.id, "arn": s.role.arn(l.partition),
			"accountId": s.role.account.ID, "userName": s.role.name,
		}
		out["webIdFederationData"] = map[string]any{}
		if s.federation != nil {
			out["webIdFederationData"] = s.federation
		}
	}
	if s.sourceIdentity != "" {
		out["sourceIdentity"] = s.sourceIdentity
	}
	return out
}
