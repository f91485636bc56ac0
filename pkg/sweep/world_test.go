package sweep_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rolewarden/rolewarden/pkg/alert"
	"github.com/rolewarden/rolewarden/pkg/guard"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/notify"
	"github.com/rolewarden/rolewarden/pkg/org"
	"github.com/rolewarden/rolewarden/pkg/role"
)

const (
	prod    = "111122223333"
	dev     = "444455556666"
	third   = "777788889999"
	foreign = "999999999999"

	alice = "arn:aws:iam::111122223333:user/alice"

	closed = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:user/alice"},"Action":"sts:AssumeRole","Condition":{"StringLike":{"sts:RoleSessionName":"${aws:username}"}}}]}`
	opened = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::999999999999:root"},"Action":"sts:AssumeRole"}]}`
)

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

// world is an organization: IAM, Organizations, KMS, the ledger, the queues and
// the alert topic, with faults on demand. Its time passes when a test says so.
type world struct {
	t     testing.TB
	now   time.Time
	rules *org.Rules
	roles map[string]role.Role // by account/lower-case name
	// principals gives the unique ids of those who exist, by ARN.
	principals map[string]string
	// hidden are the ARNs that may not be read.
	hidden map[string]bool
	// calls are all calls of IAM, KMS and Organizations, in order.
	calls []string
	// fault fails a call of IAM, of KMS or of the later queue.
	fault func() error
	// lagging, when set for a role's ARN, is what a read shows instead of the truth.
	lagging map[string]string
	// reading runs before each reading of a role or a principal.
	reading func(call string)
	// next is the role that is being read; shut are the ARNs of those that may not be.
	next string
	shut []string
	// sealErr fails KMS, mute the alert topic.
	sealErr, mute error
	memory        *ledger.Memory
	guard         *guard.Guard
	told          []alert.Alert
	steps         []guard.Step
	log           bytes.Buffer
}

func newWorld(t testing.TB, text string) *world {
	t.Helper()
	w := &world{
		t: t, now: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC), memory: ledger.NewMemory(),
		roles: map[string]role.Role{}, principals: map[string]string{alice: "AIDAALICE111111111111"},
		hidden: map[string]bool{}, lagging: map[string]string{},
	}
	w.setRules(text)
	return w
}

// setRules deploys a rules file.
func (w *world) setRules(text string) {
	w.t.Helper()
	var err error
	if w.rules, err = org.ParseDeployed("rules.yaml", []byte(text), w.now); err != nil {
		w.t.Fatal(err)
	}
	w.guard, err = guard.New(guard.Config{
		Rules: w.rules, Reader: w, Writers: guard.HandsOff{}, Ledger: w.memory, Channel: w, Later: later{w},
		Now: w.time, Wait: w.wait, Log: w.logger(),
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) time() time.Time { return w.now }

func (w *world) wait(_ context.Context, d time.Duration) error {
	w.now = w.now.Add(d)
	return nil
}

func (w *world) logger() *slog.Logger { return slog.New(slog.NewJSONHandler(&w.log, nil)) }

func key(account, name string) string { return account + "/" + strings.ToLower(name) }

// put makes a role, or changes the document of the one of that name. Its id is
// made of its name.
func (w *world) put(account, name, document string) role.Role {
	r, ok := w.roles[key(account, name)]
	if !ok {
		r = role.Role{
			Partition: "aws", Account: account, Name: name, Path: "/", ARN: "arn:aws:iam::" + account + ":role/" + name,
			ID: idFor(account + name), Tags: map[string]string{}, Created: w.now.Add(-48 * time.Hour),
		}
	}
	r.TrustPolicy = document
	w.roles[key(account, name)] = r
	return r
}

// idFor makes a RoleId of a text.
func idFor(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "AROA" + strings.ToUpper(fmt.Sprintf("%x", sum))[:17]
}

func (w *world) failing() error {
	if w.fault == nil {
		return nil
	}
	return w.fault()
}

func (w *world) called(call, account string) {
	w.calls = append(w.calls, call+" "+account)
	if w.reading != nil {
		w.reading(call)
	}
}

// Role implements guard.Reader.
func (w *world) Role(_ context.Context, r role.Ref) (role.Role, error) {
	if err := w.failing(); err != nil {
		return role.Role{}, err
	}
	w.next = r.Name
	w.called("GetRole", r.Account)
	got, ok := w.roles[key(r.Account, r.Name)]
	if !ok {
		return role.Role{}, fmt.Errorf("reading role %s: %w", r, role.ErrNotFound)
	}
	if slices.Contains(w.shut, got.ARN) {
		return role.Role{}, fmt.Errorf("reading role %s: %w", r, role.ErrAccessDenied)
	}
	return w.shown(got), nil
}

// shown is a role as a read shows it.
func (w *world) shown(r role.Role) role.Role {
	if text, ok := w.lagging[r.ARN]; ok {
		r.TrustPolicy = text
	}
	r.Tags, r.ReadAt = maps.Clone(r.Tags), w.now
	return r
}

// PrincipalID implements guard.Reader.
func (w *world) PrincipalID(_ context.Context, arn string) (string, error) {
	if err := w.failing(); err != nil {
		return "", err
	}
	w.called("PrincipalID", strings.Split(arn, ":")[4])
	if w.hidden[arn] {
		return "", fmt.Errorf("reading %s: %w", arn, role.ErrAccessDenied)
	}
	id, ok := w.principals[arn]
	if !ok {
		return "", fmt.Errorf("reading %s: %w", arn, role.ErrNotFound)
	}
	return id, nil
}

// Seal implements sweep.Sealer.
func (w *world) Seal(_ context.Context, b role.Baseline) ([]byte, error) {
	if err := w.failing(); err != nil {
		return nil, err
	}
	w.called("GenerateMac", "")
	if w.sealErr != nil {
		return nil, w.sealErr
	}
	mac := hmac.New(sha256.New, []byte("a key that never leaves KMS"))
	mac.Write(b.Message())
	return mac.Sum(nil), nil
}

// fits says whether a baseline's seal verifies, as guard would ask KMS.
func (w *world) fits(b role.Baseline) bool {
	mac, err := w.Seal(context.Background(), b)
	return err == nil && hmac.Equal(mac, b.Seal)
}

// Name implements notify.Channel.
func (w *world) Name() string { return "test" }

// Notify implements notify.Channel.
func (w *world) Notify(_ context.Context, a alert.Alert) (notify.Retry, error) {
	if w.mute != nil {
		return notify.Retry{When: notify.Now}, w.mute
	}
	w.told = append(w.told, a)
	return notify.Retry{}, nil
}

// later is the later queue.
type later struct{ w *world }

func (l later) Send(_ context.Context, s guard.Step) error {
	if err := l.w.failing(); err != nil {
		return err
	}
	l.w.steps = append(l.w.steps, s)
	return l.w.failing()
}

// count counts the calls that begin with a text.
func (w *world) count(prefix string) int {
	n := 0
	for _, c := range w.calls {
		if strings.HasPrefix(c, prefix) {
			n++
		}
	}
	return n
}

// recall gives what is remembered of a role.
func (w *world) recall(account, name string) ledger.Recalled {
	w.t.Helper()
	r, err := w.memory.Recall(context.Background(), account, w.roles[key(account, name)].ID)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// baselines gives the digests of a role's baselines, sorted.
func (w *world) baselines(account, name string) []string {
	var out []string
	for _, b := range w.recall(account, name).Baselines {
		out = append(out, b.Digest)
	}
	slices.Sort(out)
	return out
}
