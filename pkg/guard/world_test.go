package guard_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/rolewarden/rolewarden/pkg/alert"
	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/guard"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/notify"
	"github.com/rolewarden/rolewarden/pkg/org"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/remediate"
	"github.com/rolewarden/rolewarden/pkg/role"
)

const (
	prod    = "111122223333"
	dev     = "444455556666"
	foreign = "999999999999"
	orgID   = "o-exampleorg1"

	closed = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:user/alice"},"Action":"sts:AssumeRole","Condition":{"StringLike":{"sts:RoleSessionName":"${aws:username}"}}}]}`
	opened = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::999999999999:root"},"Action":"sts:AssumeRole"}]}`
)

// world is IAM, Organizations, the alert topic and the later queue, with
// faults on demand. Waiting moves its clock.
type world struct {
	t testing.TB

	now          time.Time
	roles        map[string]role.Role // by account/lower-case name
	principals   map[string]string    // ARN to id
	members      map[string]org.Membership
	memberErr    error
	readErr      error
	writeErr     error
	openErr      error
	principalErr error
	told         []alert.Alert
	tellErr      error
	steps        []guard.Step
	calls        []string
	ledger       *counting
	guard        *guard.Guard
	rules        *org.Rules
	census       guard.Census
	// onWrite runs before each write, as somebody else would.
	onWrite func()
	// refuse says why IAM does not take a document; nil when it takes any.
	refuse func(document string) error
	// onTag runs before each tagging, and may fail it.
	onTag func() error
	// hidden is an ARN that may not be read.
	hidden string
	// refused is the role whose alerts are refused.
	refused string
	// telling runs before each alert.
	telling func()
	// reading runs before each read.
	reading func()
	// lagging, when set, is what reads show instead of the truth.
	lagging string
	// sealErr, when set, is what every seal ends in; verified counts them.
	sealErr  error
	verified int
	// shutErr and boundaryErr fail what sets a permissions boundary; onShut runs
	// before it is set.
	shutErr, boundaryErr error
	onShut               func()
	log                  bytes.Buffer
}

const rulesFile = `
version: 1
organization:
  id: o-exampleorg1
  management: "111122223333"
  accounts:
    - {id: "111122223333", name: prod}
    - {id: "444455556666", name: dev}
modes:
  default: enforce
`

func newWorld(t testing.TB, text string) *world {
	t.Helper()
	w := &world{
		t: t, now: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC),
		roles: map[string]role.Role{}, principals: map[string]string{"arn:aws:iam::111122223333:user/alice": "AIDAALICE111111111111"},
		members: map[string]org.Membership{},
	}
	rules, err := org.Parse("rules.yaml", []byte(text), w.now)
	if err != nil {
		t.Fatal(err)
	}
	w.rules = rules
	w.ledger = &counting{Ledger: ledger.NewMemory()}
	w.rebuild(func(*guard.Config) {})
	return w
}

// rebuild makes the guard anew, as a new process would be, with other parts.
func (w *world) rebuild(change func(*guard.Config)) {
	w.t.Helper()
	c := guard.Config{
		Rules: w.rules, Reader: w, Writers: w, Members: w, Census: w.census, Seals: w, Containers: w, Ledger: w.ledger, Channel: w, Later: w,
		Now:  func() time.Time { return w.now },
		Wait: func(_ context.Context, d time.Duration) error { w.now = w.now.Add(d); return nil },
		Log:  slog.New(slog.NewJSONHandler(&w.log, nil)),
	}
	change(&c)
	var err error
	if w.guard, err = guard.New(c); err != nil {
		w.t.Fatal(err)
	}
}

// deploy has the guard work by another rules file from now on.
func (w *world) deploy(text string) {
	w.t.Helper()
	rules, err := org.Parse("rules.yaml", []byte(text), w.now)
	if err != nil {
		w.t.Fatal(err)
	}
	w.rules = rules
	w.rebuild(func(*guard.Config) {})
}

// digestOf is the digest of a document.
func digestOf(t testing.TB, text string) string {
	t.Helper()
	d, err := policy.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return d.Digest("aws")
}

func (w *world) withCensus(c guard.Census) {
	w.census = c
	w.remake()
}

// remake makes the guard anew, as a cold start does.
func (w *world) remake() {
	w.rebuild(func(*guard.Config) {})
}

// put makes a role, or changes the document of one that has this id.
func (w *world) put(account, name, id, document string) {
	r := w.live(account, name)
	if r.ID != id {
		r = role.Role{
			Partition: "aws", Account: account, Name: name, Path: "/", ARN: "arn:aws:iam::" + account + ":role/" + name,
			ID: id, Tags: map[string]string{}, Created: w.now,
		}
	}
	r.TrustPolicy = document
	w.roles[account+"/"+strings.ToLower(name)] = r
}

func (w *world) onRead(f func()) { w.reading = f }

func (w *world) live(account, name string) role.Role {
	return w.roles[account+"/"+strings.ToLower(name)]
}

// Role implements guard.Reader.
func (w *world) Role(_ context.Context, r role.Ref) (role.Role, error) {
	w.calls = append(w.calls, "GetRole")
	if w.reading != nil {
		w.reading()
	}
	if w.readErr != nil {
		return role.Role{}, w.readErr
	}
	got, ok := w.roles[r.Account+"/"+strings.ToLower(r.Name)]
	if !ok {
		return role.Role{}, fmt.Errorf("reading role %s: %w", r, role.ErrNotFound)
	}
	if w.lagging != "" {
		got.TrustPolicy = w.lagging
	}
	got.Tags, got.ReadAt = maps.Clone(got.Tags), w.now
	return got, nil
}

// PrincipalID implements guard.Reader.
func (w *world) PrincipalID(_ context.Context, arn string) (string, error) {
	w.calls = append(w.calls, "PrincipalID")
	if w.principalErr != nil {
		return "", w.principalErr
	}
	if arn == w.hidden {
		return "", fmt.Errorf("reading %s: %w", arn, role.ErrAccessDenied)
	}
	if id, ok := w.principals[arn]; ok {
		return id, nil
	}
	return "", fmt.Errorf("reading %s: %w", arn, role.ErrNotFound)
}

// mac is what KMS would make of a baseline.
func mac(b role.Baseline) []byte {
	m := hmac.New(sha256.New, []byte("nobody but the sweep has this key"))
	m.Write(b.Message())
	return m.Sum(nil)
}

// Verify implements guard.Seals.
func (w *world) Verify(_ context.Context, b role.Baseline) error {
	w.verified++
	switch {
	case w.sealErr != nil:
		return w.sealErr
	case !hmac.Equal(b.Seal, mac(b)):
		return role.ErrSealBroken
	default:
		return nil
	}
}

// seal makes the candidate of a role a baseline, as a sweep does.
func (w *world) seal(account, id string) {
	w.t.Helper()
	known, err := w.ledger.Recall(w.t.Context(), account, id)
	if err != nil || known.Candidate == nil {
		w.t.Fatalf("the role has no candidate: %v", err)
	}
	w.sealed(*known.Candidate)
}

// sealed adds a baseline that a sweep seals now.
func (w *world) sealed(b role.Baseline) {
	w.t.Helper()
	b.Sealed = w.now
	b.Seal = mac(b)
	if err := w.ledger.AddBaseline(w.t.Context(), b); err != nil {
		w.t.Fatal(err)
	}
}

// Confirm implements guard.Members.
func (w *world) Confirm(_ context.Context, account string) (org.Membership, error) {
	if w.memberErr != nil {
		return org.UnknownMembership, w.memberErr
	}
	if m, ok := w.members[account]; ok {
		return m, nil
	}
	return org.NotMember, nil
}

// Writer implements guard.Writers.
func (w *world) Writer(context.Context, role.Role, decision.Decision) (remediate.IAM, error) {
	w.calls = append(w.calls, "Writer")
	if w.openErr != nil {
		return nil, w.openErr
	}
	return session{w}, nil
}

// Container implements guard.Containers.
func (w *world) Container(context.Context, role.Role, decision.Decision) (remediate.Boundaries, error) {
	w.calls = append(w.calls, "Container")
	if w.shutErr != nil {
		return nil, w.shutErr
	}
	return session{w}, nil
}

func (s session) PutBoundary(_ context.Context, r role.Ref, policyARN string) error {
	if s.w.onShut != nil {
		s.w.onShut()
	}
	s.w.calls = append(s.w.calls, "PutRolePermissionsBoundary")
	if s.w.boundaryErr != nil {
		return s.w.boundaryErr
	}
	k := r.Account + "/" + strings.ToLower(r.Name)
	got := s.w.roles[k]
	got.Boundary = policyARN
	s.w.roles[k] = got
	return nil
}

type session struct{ w *world }

func (s session) Role(ctx context.Context, r role.Ref) (role.Role, error) { return s.w.Role(ctx, r) }

func (s session) UpdateTrust(_ context.Context, r role.Ref, document string) error {
	if s.w.onWrite != nil {
		s.w.onWrite()
	}
	s.w.calls = append(s.w.calls, "UpdateAssumeRolePolicy")
	if s.w.writeErr != nil {
		return s.w.writeErr
	}
	if s.w.refuse != nil {
		if err := s.w.refuse(document); err != nil {
			return err
		}
	}
	k := r.Account + "/" + strings.ToLower(r.Name)
	got := s.w.roles[k]
	got.TrustPolicy = document
	s.w.roles[k] = got
	return nil
}

func (s session) Tag(_ context.Context, r role.Ref, tags map[string]string) error {
	if s.w.onTag != nil {
		if err := s.w.onTag(); err != nil {
			return err
		}
	}
	s.w.calls = append(s.w.calls, "TagRole")
	maps.Copy(s.w.live(r.Account, r.Name).Tags, tags)
	return nil
}

func (s session) Untag(_ context.Context, r role.Ref, keys []string) error {
	s.w.calls = append(s.w.calls, "UntagRole")
	for _, k := range keys {
		delete(s.w.live(r.Account, r.Name).Tags, k)
	}
	return nil
}

// Name implements notify.Channel.
func (w *world) Name() string { return "test" }

// Notify implements notify.Channel.
func (w *world) Notify(_ context.Context, a alert.Alert) (notify.Retry, error) {
	if w.telling != nil {
		w.telling()
	}
	if w.tellErr != nil {
		return notify.Retry{When: notify.Now}, w.tellErr
	}
	if w.refused != "" && a.RoleName() == w.refused && a.State != alert.Resolved {
		return notify.Retry{When: notify.Now}, fmt.Errorf("this one: %w", errTopic)
	}
	w.told = append(w.told, a)
	return notify.Retry{}, nil
}

// Send implements guard.Later.
func (w *world) Send(_ context.Context, s guard.Step) error {
	w.steps = append(w.steps, s)
	return nil
}

// writes counts the calls that change a role.
func (w *world) writes() int {
	n := 0
	for _, c := range w.calls {
		if c == "UpdateAssumeRolePolicy" || c == "TagRole" || c == "UntagRole" || c == "PutRolePermissionsBoundary" {
			n++
		}
	}
	return n
}

func (w *world) handle(body []byte) guard.Result {
	w.t.Helper()
	res, err := w.guard.Handle(w.t.Context(), body)
	if err != nil {
		w.t.Fatalf("handling: %v", err)
	}
	return res
}

// due lets the time of the oldest waiting step come and handles it.
func (w *world) due() guard.Result {
	w.t.Helper()
	if len(w.steps) == 0 {
		w.t.Fatal("no step is waiting")
	}
	s := w.steps[0]
	w.steps = w.steps[1:]
	if s.NotBefore.After(w.now) {
		w.now = s.NotBefore
	}
	body, err := s.Body()
	if err != nil {
		w.t.Fatal(err)
	}
	res, err := w.guard.HandleStep(w.t.Context(), body)
	if err != nil {
		w.t.Fatalf("handling a step: %v", err)
	}
	return res
}

// quiet fails when anything is still to be told.
func (w *world) quiet() {
	w.t.Helper()
	if waiting, err := w.ledger.Undelivered(w.t.Context(), 10); err != nil || len(waiting) > 0 {
		w.t.Errorf("%d letters wait, %v", len(waiting), err)
	}
}

// settle handles the waiting steps until the event has ended.
func (w *world) settle(res guard.Result) guard.Result {
	w.t.Helper()
	for res.End == ledger.InFlight && len(w.steps) > 0 {
		res = w.due()
	}
	return res
}

// counting counts the calls to a ledger.
type counting struct {
	ledger.Ledger
	n           int
	switchErr   error
	takeErr     error
	intendErr   error
	concludeErr error
	// deliveredErr fails the record that a letter was told.
	deliveredErr error
	// intending runs before each intent; switchAs is a position that is none.
	intending func()
	switchAs  decision.Switch
	// recalling changes what is recalled of a role, as somebody at the table may.
	recalling func(*ledger.Recalled)
	// takeAs is what the next taking answers in place of the truth.
	takeAs *ledger.Taken
	// concluding runs before each conclusion.
	concluding func()
	// ends counts how often it was asked who was deleted, which endsErr fails.
	ends        int
	endsErr     error
	identifyErr error
	decidedErr  error
}

var errDown = errors.New("the table does not answer")

func (c *counting) Decided(ctx context.Context, id string) (ledger.Intent, ledger.End, bool, error) {
	if c.decidedErr != nil {
		return ledger.Intent{}, ledger.InFlight, false, c.decidedErr
	}
	return c.Ledger.Decided(ctx, id)
}

func (c *counting) Identify(ctx context.Context, id string) (finding.Principal, bool, error) {
	if c.identifyErr != nil {
		return finding.Principal{}, false, c.identifyErr
	}
	return c.Ledger.Identify(ctx, id)
}

func (c *counting) Ends(ctx context.Context, names []ledger.PrincipalKey) ([]ledger.Deletion, error) {
	c.ends++
	if c.endsErr != nil {
		return nil, c.endsErr
	}
	return c.Ledger.Ends(ctx, names)
}

func (c *counting) Intend(ctx context.Context, i ledger.Intent) error {
	if c.intending != nil {
		c.intending()
	}
	if c.intendErr != nil {
		return c.intendErr
	}
	return c.Ledger.Intend(ctx, i)
}

func (c *counting) Take(ctx context.Context, k ledger.Key, at time.Time) (ledger.Taken, error) {
	c.n++
	if c.takeErr != nil {
		return ledger.Taken{}, c.takeErr
	}
	if as := c.takeAs; as != nil {
		c.takeAs = nil
		return *as, nil
	}
	return c.Ledger.Take(ctx, k, at)
}

func (c *counting) Recall(ctx context.Context, account, id string) (ledger.Recalled, error) {
	c.n++
	r, err := c.Ledger.Recall(ctx, account, id)
	if c.recalling != nil {
		c.recalling(&r)
	}
	return r, err
}

func (c *counting) State(ctx context.Context, account, id string) (ledger.RoleState, bool, error) {
	c.n++
	return c.Ledger.State(ctx, account, id)
}

func (c *counting) Conclude(ctx context.Context, x ledger.Conclusion) error {
	c.n++
	if c.concluding != nil {
		c.concluding()
	}
	if c.concludeErr != nil {
		return c.concludeErr
	}
	return c.Ledger.Conclude(ctx, x)
}

func (c *counting) Delivered(ctx context.Context, l ledger.Letter) error {
	if c.deliveredErr != nil {
		return c.deliveredErr
	}
	return c.Ledger.Delivered(ctx, l)
}

func (c *counting) Switch(ctx context.Context) (decision.Switch, error) {
	c.n++
	if c.switchErr != nil {
		return decision.Unreadable, c.switchErr
	}
	if c.switchAs != 0 {
		return c.switchAs, nil
	}
	return c.Ledger.Switch(ctx)
}

// event makes an envelope as EventBridge delivers it.
func (w *world) event(name, eventID string, request map[string]any, response any) []byte {
	w.now = w.now.Add(time.Second)
	return w.eventAt(w.now, name, eventID, request, response)
}

func (w *world) eventAt(at time.Time, name, eventID string, request map[string]any, response any) []byte {
	w.t.Helper()
	detail := map[string]any{
		"eventVersion": "1.11", "eventTime": at.Format(time.RFC3339), "eventSource": "iam.amazonaws.com", "eventName": name,
		"awsRegion": "us-east-1", "sourceIPAddress": "192.0.2.10", "userAgent": "aws-cli/2.31.0",
		"userIdentity":      map[string]any{"type": "IAMUser", "principalId": "AIDABOB11111111111111", "arn": "arn:aws:iam::111122223333:user/bob", "accountId": prod, "userName": "bob"},
		"requestParameters": request, "responseElements": response, "requestID": "r-" + eventID, "eventID": eventID,
		"readOnly": false, "eventType": "AwsApiCall", "managementEvent": true, "recipientAccountId": prod, "eventCategory": "Management",
	}
	body, err := json.Marshal(map[string]any{
		"version": "0", "id": "e-" + eventID, "detail-type": "AWS API Call via CloudTrail", "source": "aws.iam",
		"account": prod, "time": at.Format(time.RFC3339), "region": "us-east-1", "resources": []string{}, "detail": detail,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return body
}

func (w *world) created(eventID, name, document string) []byte {
	r := w.live(prod, name)
	return w.event("CreateRole", eventID, map[string]any{"roleName": name, "assumeRolePolicyDocument": document},
		map[string]any{"role": map[string]any{"roleName": name, "arn": r.ARN, "roleId": r.ID, "path": "/"}})
}

func (w *world) updated(eventID, name, document string) []byte {
	return w.event("UpdateAssumeRolePolicy", eventID, map[string]any{"roleName": name, "policyDocument": document}, nil)
}

// withBaseline makes a role whose closed document has become a baseline, a day ago.
func withBaseline(t *testing.T, text string) *world {
	t.Helper()
	w := newWorld(t, text)
	w.put(prod, "app", "AROAAPP1111111111111", closed)
	if res := w.handle(w.created("ev-create", "app", closed)); res.End != ledger.Compliant {
		t.Fatalf("a closed role ended in %s: %s", res.End, res.Reason)
	}
	w.due()
	w.now = w.now.Add(24 * time.Hour)
	w.seal(prod, "AROAAPP1111111111111")
	w.calls, w.told, w.steps = nil, nil, nil
	return w
}

// open changes the role behind the guard's back and hands it the event.
func (w *world) open(eventID string) guard.Result {
	w.t.Helper()
	w.put(prod, "app", "AROAAPP1111111111111", opened)
	return w.handle(w.updated(eventID, "app", opened))
}
