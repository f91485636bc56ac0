package lab

import (
	"encoding/json"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/rolewarden/rolewarden/pkg/lab/table"
)

// request is one API call, read off the wire.
type request struct {
	service, action, region string
	id, userAgent, sourceIP string
	host                    string
	form                    url.Values
	body                    map[string]any
	signature               *signature
	key                     *credential
	caller                  caller
	at                      time.Time
	protocol                protocol
	// stale asks a read for the state before the last write, part one that has
	// several entries for the first of them.
	stale, part bool
	// table is a call of DynamoDB, read.
	table    *table.Call
	tableErr error
	// resource names what the call is about, for the log and for faults.
	resource string
	trail    trailNote
}

// trailNote is what an operation adds to its CloudTrail event.
type trailNote struct {
	identity  map[string]any // of a caller without AWS credentials
	response  any
	resources []any
	recipient []string // accounts beside the caller's
	mask      map[string]any
}

// protocol is a family of wire formats.
type protocol int

const (
	queryProtocol protocol = iota
	jsonProtocol
)

// maxBody is above the largest call: 16 MB of items.
const maxBody = 24 << 20

// readRequest reads body and headers and finds service and action: from the
// signature's scope, else from X-Amz-Target or Action.
func (l *Lab) readRequest(r *http.Request) (*request, []byte, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		return nil, nil, err
	}
	if len(body) > maxBody {
		return nil, nil, errNoBody
	}
	req := &request{
		userAgent: r.UserAgent(), sourceIP: sourceIP(r), host: r.Host, region: l.partition.home(), at: l.now(),
	}
	if req.signature, err = parseSignature(r.Header.Get("Authorization")); err != nil {
		return req, body, err
	}
	if req.signature != nil {
		req.service, req.region = req.signature.service, req.signature.region
	}
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		return req, body, req.readJSON(target, body)
	}
	return req, body, req.readForm(r, body)
}

func (req *request) readJSON(target string, body []byte) error {
	req.protocol = jsonProtocol
	prefix, action, _ := strings.Cut(target, ".")
	req.action = action
	if req.service == "" {
		req.service = targetService(prefix)
	}
	if req.service == "dynamodb" {
		// What is wrong with it is told to those who may call.
		req.table, req.tableErr = table.Parse(action, body)
		return nil
	}
	req.body = map[string]any{}
	if len(body) == 0 {
		return nil
	}
	if err := json.Unmarshal(body, &req.body); err != nil {
		return failPlain(http.StatusBadRequest, "SerializationException", "%v", err)
	}
	return nil
}

func targetService(prefix string) string {
	switch prefix {
	case "AmazonSQS":
		return "sqs"
	case "secretsmanager":
		return "secretsmanager"
	case "TrentService":
		return "kms"
	case "AWSEvents":
		return "events"
	case "DynamoDB_20120810":
		return "dynamodb"
	default:
		return "organizations"
	}
}

func (req *request) readForm(r *http.Request, body []byte) error {
	req.form = r.URL.Query()
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if kind == "application/x-www-form-urlencoded" {
		posted, err := url.ParseQuery(string(body))
		if err != nil {
			return failPlain(http.StatusBadRequest, "MalformedQueryString", "%v", err)
		}
		for name, values := range posted {
			req.form[name] = values
		}
	}
	req.action = req.form.Get("Action")
	if req.service == "" {
		req.service = versionService(req.form.Get("Version"))
	}
	return nil
}

func versionService(version string) string {
	switch version {
	case "2010-05-08":
		return "iam"
	case "2010-03-31":
		return "sns"
	default:
		return "sts"
	}
}

// sourceIP honours X-Forwarded-For, so that a story can come from an address
// other than loopback. AWS does not.
func sourceIP(r *http.Request) string {
	if forwarded := r.Header.Get("X-Forwarded-For"); forwarded != "" {
		first, _, _ := strings.Cut(forwarded, ",")
		return strings.TrimSpace(first)
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
