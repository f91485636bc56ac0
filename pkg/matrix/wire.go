package matrix

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"github.com/rolewarden/rolewarden/pkg/awsapi/actions"
	"github.com/rolewarden/rolewarden/pkg/lab"
)

// Wire joins the SDK's clients with a lab, and makes calls go wrong. Every
// request goes to the lab as the SDK wrote and signed it; only the TCP connection
// between them is left out. It is safe for concurrent use.
type Wire struct {
	lab *lab.Lab
	// members are the roles whose sessions are told apart, by their names.
	members map[string]actions.Session
	// Took, where set, is told of every call that took effect, "sqs:SendMessage",
	// under the context of who made it, and of the fault that befell it. It must not
	// make calls itself.
	Took func(ctx context.Context, call string, body []byte, f Fault)

	mu       sync.Mutex
	sessions map[string]actions.Session
	secrets  []string
	armed    bool
	call     Call
	fault    Fault
	when     When
	ordinals map[string]int
	counts   map[Call]int
	fired    int
	posts    int
}

// NewWire makes a wire to a lab. members names the roles of member accounts by
// what sessions in them are for.
func NewWire(l *lab.Lab, members map[string]actions.Session) *Wire {
	return &Wire{lab: l, members: members, sessions: map[string]actions.Session{}, ordinals: map[string]int{}, counts: map[Call]int{}}
}

// Arm makes a call go wrong from now on, and begins to count calls anew.
func (w *Wire) Arm(c Call, f Fault, when When) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.armed, w.call, w.fault, w.when = true, c, f, when
	w.ordinals, w.counts, w.fired = map[string]int{}, map[Call]int{}, 0
}

// Heal lets every call go through again, and says how many requests went wrong.
func (w *Wire) Heal() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.armed = false
	return w.fired
}

// Counts gives how often each call was made since Arm; what the SDK repeats is
// one call.
func (w *Wire) Counts() map[Call]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := map[Call]int{}
	for c, n := range w.counts {
		out[c] = n
	}
	return out
}

// Secrets gives the secret keys and tokens of every session that was opened.
func (w *Wire) Secrets() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]string(nil), w.secrets...)
}

// Process is a running function: an HTTP client for its SDK clients, and a
// context that ends with it.
type Process struct {
	wire     *Wire
	function string
	cancel   context.CancelFunc
	mu       sync.Mutex
	dead     bool
}

// Start starts a function.
func (w *Wire) Start(ctx context.Context, function string) (*Process, context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	return &Process{wire: w, function: function, cancel: cancel}, ctx
}

// Dead says whether the function has crashed. Nothing it does has any effect then.
func (p *Process) Dead() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.dead
}

func (p *Process) crash() {
	p.mu.Lock()
	p.dead = true
	p.mu.Unlock()
	p.cancel()
}

// errCrashed is what the remains of a function see of the world. Nobody hears of it.
var errCrashed = errors.New("the function has crashed")

// Do implements the SDK's HTTP client.
func (p *Process) Do(r *http.Request) (*http.Response, error) {
	if p.Dead() {
		return nil, errCrashed
	}
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, fmt.Errorf("reading a request: %w", err)
		}
		if err := r.Body.Close(); err != nil {
			return nil, fmt.Errorf("reading a request: %w", err)
		}
	}
	return p.wire.do(p, r, body)
}

// do sends one request.
func (w *Wire) do(p *Process, r *http.Request, body []byte) (*http.Response, error) {
	asked := read(r, body)
	w.mu.Lock()
	defer w.mu.Unlock()
	call := Call{Function: p.function, Name: asked.service + ":" + asked.action, Under: w.sessions[asked.key]}
	fault := w.due(call, r.Header.Get("Amz-Sdk-Invocation-Id"))
	if fault == CrashBefore {
		p.crash()
		return nil, errCrashed
	}
	if kind := fault.kind(); kind != lab.NoFault {
		defer w.lab.Inject(lab.Fault{Service: asked.service, Action: asked.action, Kind: kind, Times: 1})()
	}
	answer, err := w.serve(r, body)
	if w.effective(fault, answer) {
		w.took(r.Context(), asked, body, answer, fault)
	}
	if fault == CrashAfter {
		p.crash()
		return nil, errCrashed
	}
	return answer, err
}

// effective says whether a request took effect. Of an answer that is lost or
// cannot be read only the lab knows what it would have been.
func (w *Wire) effective(f Fault, answer *http.Response) bool {
	if f != TimeoutAfter && f != Malformed {
		return answer != nil && answer.StatusCode == http.StatusOK
	}
	calls := w.lab.Calls()
	return len(calls) > 0 && calls[len(calls)-1].ErrorCode == ""
}

// Post makes a call of somebody else than AWS, who answers as serve says.
func (p *Process) Post(name string, serve func(Fault) (*http.Response, error)) (*http.Response, error) {
	if p.Dead() {
		return nil, errCrashed
	}
	w := p.wire
	w.mu.Lock()
	defer w.mu.Unlock()
	w.posts++
	fault := w.due(Call{Function: p.function, Name: name}, "post "+strconv.Itoa(w.posts))
	if fault == CrashBefore {
		p.crash()
		return nil, errCrashed
	}
	answer, err := serve(fault)
	if fault == CrashAfter {
		p.crash()
		return nil, errCrashed
	}
	return answer, err
}

// due counts a call, and says how this request of it goes wrong.
func (w *Wire) due(c Call, invocation string) Fault {
	n, known := w.ordinals[invocation]
	if !known {
		w.counts[c]++
		n = w.counts[c]
		w.ordinals[invocation] = n
	}
	if !w.armed || c != w.call {
		return NoFault
	}
	var is bool
	switch w.when {
	case Once:
		is = n == 1
	case Second:
		is = n == 2
	case Always:
		is = true
	case Blip:
		is = n == 1 && !known
	}
	if !is {
		return NoFault
	}
	w.fired++
	return w.fault
}

// asked is what a request asks for.
type asked struct{ service, action, key string }

// read says which call a request is: the service is that of its signature.
func read(r *http.Request, body []byte) asked {
	var out asked
	_, scope, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
	scope, _, _ = strings.Cut(scope, ",")
	if parts := strings.Split(scope, "/"); len(parts) == 5 {
		out.key, out.service = parts[0], parts[3]
	}
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		out.action = target[strings.LastIndexByte(target, '.')+1:]
		return out
	}
	if form, err := url.ParseQuery(string(body)); err == nil {
		out.action = form.Get("Action")
	}
	return out
}

// serve hands a request to the lab.
func (w *Wire) serve(r *http.Request, body []byte) (res *http.Response, err error) {
	in := r.Clone(r.Context())
	in.Host, in.RequestURI, in.RemoteAddr = r.URL.Host, r.URL.RequestURI(), "203.0.113.10:40000"
	in.Body, in.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	in.Header.Set("Content-Length", strconv.Itoa(len(body)))
	out := &reply{header: http.Header{}, code: http.StatusOK}
	defer func() {
		if left := recover(); left != nil {
			if e, ok := left.(error); !ok || !errors.Is(e, http.ErrAbortHandler) {
				panic(left)
			}
			res, err = nil, &url.Error{Op: r.Method, URL: r.URL.String(), Err: io.ErrUnexpectedEOF}
		}
	}()
	w.lab.ServeHTTP(out, in)
	return &http.Response{
		Status: strconv.Itoa(out.code) + " " + http.StatusText(out.code), StatusCode: out.code, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: out.header, Body: io.NopCloser(bytes.NewReader(out.body.Bytes())), ContentLength: int64(out.body.Len()), Request: r,
	}, nil
}

// reply takes down what the lab answers.
type reply struct {
	header http.Header
	code   int
	body   bytes.Buffer
}

func (r *reply) Header() http.Header         { return r.header }
func (r *reply) WriteHeader(code int)        { r.code = code }
func (r *reply) Write(b []byte) (int, error) { return r.body.Write(b) }

// took notes what a call that took effect leads to: a session that was opened, a
// message that SQS has.
func (w *Wire) took(ctx context.Context, a asked, body []byte, answer *http.Response, f Fault) {
	switch {
	case a.service == "sts" && a.action == "AssumeRole" && answer != nil:
		form, err := url.ParseQuery(string(body))
		if err != nil {
			return
		}
		text, err := io.ReadAll(answer.Body)
		if err != nil {
			return
		}
		answer.Body = io.NopCloser(bytes.NewReader(text))
		var opened struct {
			Credentials struct{ AccessKeyId, SecretAccessKey, SessionToken string } `xml:"AssumeRoleResult>Credentials"`
		}
		if xml.Unmarshal(text, &opened) != nil {
			return
		}
		arn := form.Get("RoleArn")
		w.sessions[opened.Credentials.AccessKeyId] = w.members[arn[strings.LastIndexByte(arn, '/')+1:]]
		w.secrets = append(w.secrets, opened.Credentials.SecretAccessKey, opened.Credentials.SessionToken)
	case w.Took != nil:
		w.Took(ctx, a.service+":"+a.action, body, f)
	}
}
