package guard_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/rolewarden/rolewarden/pkg/alert"
	"github.com/rolewarden/rolewarden/pkg/guard"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/notify"
	"github.com/rolewarden/rolewarden/pkg/org"
	"github.com/rolewarden/rolewarden/pkg/policy"
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
