package lab

import (
	"crypto/md5" //nolint:gosec // SQS answers MD5 sums, and clients check them
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// queue is an SQS queue on the lab's clock.
type queue struct {
	arn, path  string
	attributes map[string]string
	visibility time.Duration
	created    time.Time
	messages   []*queued
}

type queued struct {
	id, body, receipt string
	attributes        map[string]any
	sent, visible     time.Time
	first             time.Time
	received          int
}

func sqsOperations() map[string]operation {
	name := func(req *request) string {
		if url := req.text("QueueUrl"); url != "" {
			return lastPart(url)
		}
		return req.text("QueueName")
	}
	op := func(run func(*Lab, *request) (*answer, error)) operation {
		return operation{run: run, target: onQueue, name: name}
	}
	return map[string]operation{
		"CreateQueue":             op((*Lab).createQueue),
		"GetQueueUrl":             op((*Lab).getQueueURL),
		"GetQueueAttributes":      op(onOwnQueue((*Lab).getQueueAttributes)),
		"SendMessage":             op(onOwnQueue((*Lab).sendMessage)),
		"SendMessageBatch":        op(onOwnQueue((*Lab).sendBatch)),
		"ReceiveMessage":          op(onOwnQueue((*Lab).receiveMessage)),
		"DeleteMessage":           op(onOwnQueue((*Lab).deleteMessage)),
		"ChangeMessageVisibility": op(onOwnQueue((*Lab).changeVisibility)),
	}
}

func onQueue(l *Lab, req *request) string {
	account, name := req.caller.account.ID, req.text("QueueName")
	if parts := strings.Split(req.text("QueueUrl"), "/"); len(parts) >= 2 {
		account, name = parts[len(parts)-2], parts[len(parts)-1]
	}
	return l.partition.arn("sqs", req.region, account, name)
}

// Queue makes an SQS queue and gives its URL, which begins with the running
// server's. It is empty when the lab has no such account.
func (l *Lab) Queue(account, name string) (url string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	acct, ok := l.accounts[account]
	if !ok {
		return ""
	}
	base := l.base
	if base == "" {
		base = "http://lab.invalid"
	}
	return base + l.queueOf(acct, l.partition.home(), name, nil).path
}

func (l *Lab) queueOf(acct *account, region, name string, attributes map[string]string) *queue {
	if q, ok := acct.queues[name]; ok {
		return q
	}
	q := &queue{
		arn: l.partition.arn("sqs", region, acct.ID, name), path: "/" + acct.ID + "/" + name,
		attributes: attributes, visibility: 30 * time.Second, created: l.now(),
	}
	if n, err := strconv.Atoi(attributes["VisibilityTimeout"]); err == nil {
		q.visibility = time.Duration(n) * time.Second
	}
	acct.queues[name] = q
	return q
}

func (l *Lab) queueByARN(arn string) *queue {
	for _, acct := range l.order {
		for _, q := range acct.queues {
			if q.arn == arn {
				return q
			}
		}
	}
	return nil
}

func noQueue() *problem {
	return failPlain(http.StatusBadRequest, "com.amazonaws.sqs#QueueDoesNotExist", "The specified queue does not exist.")
}

func onOwnQueue(run func(*Lab, *request, *queue) (*answer, error)) func(*Lab, *request) (*answer, error) {
	return func(l *Lab, req *request) (*answer, error) {
		parts := strings.Split(req.text("QueueUrl"), "/")
		if len(parts) < 2 {
			return nil, noQueue()
		}
		acct, ok := l.accounts[parts[len(parts)-2]]
		if !ok {
			return nil, noQueue()
		}
		q, ok := acct.queues[parts[len(parts)-1]]
		if !ok {
			return nil, noQueue()
		}
		return run(l, req, q)
	}
}

func (l *Lab) createQueue(req *request) (*answer, error) {
	name := req.text("QueueName")
	if !topicName.MatchString(name) || len(name) > 80 {
		return nil, failPlain(http.StatusBadRequest, "InvalidParameterValue", "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length")
	}
	attributes := map[string]string{}
	given, _ := req.body["Attributes"].(map[string]any)
	for key, value := range given {
		attributes[key], _ = value.(string)
	}
	q := l.queueOf(req.caller.account, req.region, name, attributes)
	return &answer{json: map[string]any{"QueueUrl": "http://" + req.host + q.path}}, nil
}

func (l *Lab) getQueueURL(req *request) (*answer, error) {
	acct := req.caller.account
	if owner := req.text("QueueOwnerAWSAccountId"); owner != "" {
		acct = l.accounts[owner]
	}
	if acct == nil || acct.queues[req.text("QueueName")] == nil {
		return nil, noQueue()
	}
	return &answer{json: map[string]any{"QueueUrl": "http://" + req.host + acct.queues[req.text("QueueName")].path}}, nil
}

func (l *Lab) getQueueAttributes(req *request, q *queue) (*answer, error) {
	waiting, delayed, inFlight := 0, 0, 0
	for _, m := range q.messages {
		switch {
		case !m.visible.After(req.at):
			waiting++
		case m.received == 0:
			delayed++
		default:
			inFlight++
		}
	}
	out := map[string]string{
		"QueueArn": q.arn, "ApproximateNumberOfMessages": strconv.Itoa(waiting),
		"ApproximateNumberOfMessagesDelayed": strconv.Itoa(delayed), "ApproximateNumberOfMessagesNotVisible": strconv.Itoa(inFlight),
		"VisibilityTimeout": strconv.Itoa(int(q.visibility.Seconds())), "CreatedTimestamp": strconv.FormatInt(q.created.Unix(), 10),
	}
	for key, value := range q.attributes {
		out[key] = value
	}
	return &answer{json: map[string]any{"Attributes": out}}, nil
}

func (q *queue) put(m queued) { q.messages = append(q.messages, &m) }

// integer reads a number of a JSON call.
func integer(body map[string]any, field string, standard int) int {
	if n, ok := body[field].(float64); ok {
		return int(n)
	}
	return standard
}

func (l *Lab) sendMessage(req *request, q *queue) (*answer, error) {
	sent, err := l.send(req, q, req.body)
	if err != nil {
		return nil, err
	}
	return &answer{json: sent}, nil
}

func (l *Lab) send(req *request, q *queue, entry map[string]any) (map[string]any, error) {
	body, _ := entry["MessageBody"].(string)
	delay := integer(entry, "DelaySeconds", 0)
	if delay < 0 || delay > 900 {
		return nil, failPlain(http.StatusBadRequest, "InvalidParameterValue", "Value %d for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900.", delay)
	}
	if body == "" {
		return nil, failPlain(http.StatusBadRequest, "MissingParameter", "The request must contain the parameter MessageBody.")
	}
	m := queued{id: l.uuid(), body: body, sent: req.at, visible: req.at.Add(time.Duration(delay) * time.Second)}
	m.attributes, _ = entry["MessageAttributes"].(map[string]any)
	q.put(m)
	return map[string]any{"MessageId": m.id, "MD5OfMessageBody": md5Hex(body)}, nil
}

func (l *Lab) sendBatch(req *request, q *queue) (*answer, error) {
	entries, _ := req.body["Entries"].([]any)
	var done, failed []any
	for _, item := range entries {
		entry, _ := item.(map[string]any)
		sent, err := l.send(req, q, entry)
		if err != nil {
			p := asProblem(err)
			failed = append(failed, map[string]any{"Id": entry["Id"], "SenderFault": true, "Code": p.code, "Message": p.message})
			continue
		}
		sent["Id"] = entry["Id"]
		done = append(done, sent)
	}
	return &answer{json: map[string]any{"Successful": done, "Failed": failed}}, nil
}

func md5Hex(s string) string {
	sum := md5.Sum([]byte(s)) //nolint:gosec // part of the protocol
	return hex.EncodeToString(sum[:])
}

// receiveMessage never waits: a long poll would hold up the lab's clock.
func (l *Lab) receiveMessage(req *request, q *queue) (*answer, error) {
	most := integer(req.body, "MaxNumberOfMessages", 1)
	hide := time.Duration(integer(req.body, "VisibilityTimeout", int(q.visibility.Seconds()))) * time.Second
	l.redrive(req, q)
	var out []any
	for _, m := range q.messages {
		if len(out) == most {
			break
		}
		if m.visible.After(req.at) {
			continue
		}
		m.received++
		if m.received == 1 {
			m.first = req.at
		}
		m.visible, m.receipt = req.at.Add(hide), l.uuid()
		told := map[string]any{
			"MessageId": m.id, "ReceiptHandle": m.receipt, "Body": m.body, "MD5OfBody": md5Hex(m.body),
			"Attributes": map[string]string{
				"ApproximateReceiveCount": strconv.Itoa(m.received), "SentTimestamp": millis(m.sent),
				"ApproximateFirstReceiveTimestamp": millis(m.first), "SenderId": req.caller.userID(),
			},
		}
		if m.attributes != nil {
			told["MessageAttributes"] = m.attributes
		}
		out = append(out, told)
	}
	if out == nil {
		return &answer{json: map[string]any{}}, nil
	}
	return &answer{json: map[string]any{"Messages": out}}, nil
}

func millis(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) }

// redrive moves messages that were received too often to the dead-letter
// queue of the RedrivePolicy.
func (l *Lab) redrive(req *request, q *queue) {
	var policy struct {
		Target string          `json:"deadLetterTargetArn"`
		Most   json.RawMessage `json:"maxReceiveCount"`
	}
	if json.Unmarshal([]byte(q.attributes["RedrivePolicy"]), &policy) != nil {
		return
	}
	most, err := strconv.Atoi(strings.Trim(string(policy.Most), `"`))
	dead := l.queueByARN(policy.Target)
	if err != nil || dead == nil {
		return
	}
	var keep []*queued
	for _, m := range q.messages {
		if m.received >= most && !m.visible.After(req.at) {
			dead.put(queued{id: m.id, body: m.body, attributes: m.attributes, sent: m.sent, visible: req.at})
			continue
		}
		keep = append(keep, m)
	}
	q.messages = keep
}

func (q *queue) find(receipt string) (int, *problem) {
	for i, m := range q.messages {
		if m.receipt == receipt && receipt != "" {
			return i, nil
		}
	}
	return -1, failPlain(http.StatusBadRequest, "ReceiptHandleIsInvalid", "The input receipt handle is invalid.")
}

// deleteMessage answers well also when the message is gone, as SQS does.
func (l *Lab) deleteMessage(req *request, q *queue) (*answer, error) {
	if i, p := q.find(req.text("ReceiptHandle")); p == nil {
		q.messages = append(q.messages[:i:i], q.messages[i+1:]...)
	}
	return &answer{}, nil
}

func (l *Lab) changeVisibility(req *request, q *queue) (*answer, error) {
	i, p := q.find(req.text("ReceiptHandle"))
	if p != nil {
		return nil, p
	}
	seconds := integer(req.body, "VisibilityTimeout", 0)
	if seconds < 0 || seconds > 43200 {
		return nil, failPlain(http.StatusBadRequest, "InvalidParameterValue", "Value %d for parameter VisibilityTimeout is invalid.", seconds)
	}
	q.messages[i].visible = req.at.Add(time.Duration(seconds) * time.Second)
	return &answer{}, nil
}
