package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rolewarden/rolewarden/pkg/awsapi"
	"github.com/rolewarden/rolewarden/pkg/awsapi/actions"
	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/guard"
	"github.com/rolewarden/rolewarden/pkg/lab"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/org"
	"github.com/rolewarden/rolewarden/pkg/role"
	"github.com/rolewarden/rolewarden/pkg/rules"
)

// houseConfig says what a house is to hold.
type houseConfig struct {
	Rules *org.Rules
	// Hub is the account that rolewarden works from; it is one of Accounts.
	Hub      string
	Accounts []lab.Account
	Clock    clock
	// Random feeds ids and keys; a seeded one makes the same house twice. Nil
	// is the lab's default.
	Random io.Reader
	// Listen is where the lab listens; any free loopback port when empty.
	Listen string
	// Everything puts events on the queue that EventBridge would not send, for
	// people to see; the line does not get them.
	Everything bool
	Log        *slog.Logger
}

// house is an organization in a lab with rolewarden at work in it: the same
// line as in the Lambda, the same adapters with real SDK clients, over the
// wire. Only the queue and the ledger are in memory.
type house struct {
	lab    *lab.Lab
	server *lab.Server
	clock  clock
	hub    string
	// key is the ARN of the one that baselines are sealed with.
	key    string
	rules  *org.Rules
	topic  string
	ledger *ledger.Memory
	guard  *guard.Guard
	// accounts opens rolewarden's sessions.
	accounts *awsapi.Accounts
	log      *slog.Logger
	// swept is when a lab had something sealed last.
	swept time.Time
	// started is when the line was last started.
	started time.Time
	// wire keeps the credentials of the last writing session, for the story
	// that steals them.
	wire  *wiretap
	queue *queue

	everything bool
	// last is when the event was that a file held before this one.
	last time.Time

	mu sync.Mutex
	// published are the alerts as SNS was given them.
	published []lab.Message
	// held keeps events back from the queue while a story delays them.
	holding bool
	held    [][]byte
	dead    []message
	// seen keeps the newest event of each name, routed or not.
	seen map[string][]byte
}

// organizationID is the organization of a house whose rules name none.
const organizationID = "o-exampleorgid"

// houseSecret is what a house's member roles ask for. It guards nothing but
// the house.
const houseSecret = "rolewarden-house-external-id"

// newHouse makes a house and moves rolewarden in.
func newHouse(ctx context.Context, cfg houseConfig) (*house, error) {
	id := cfg.Rules.Organization.ID
	if id == "" {
		id = organizationID
	}
	l, err := lab.New(lab.Config{
		OrganizationID: id, ManagementAccount: cfg.Hub, Accounts: cfg.Accounts,
		Partition: cfg.Rules.Organization.Partition, Now: cfg.Clock.Now, Rand: cfg.Random,
	})
	if err != nil {
		return nil, fmt.Errorf("building the house: %w", err)
	}
	if cfg.Listen == "" {
		cfg.Listen = "127.0.0.1:0"
	}
	server, err := l.Start(cfg.Listen)
	if err != nil {
		return nil, fmt.Errorf("building the house: %w", err)
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	h := &house{
		log: cfg.Log,
		lab: l, server: server, clock: cfg.Clock, hub: cfg.Hub, rules: cfg.Rules,
		topic: l.Topic(cfg.Hub, "rolewarden-alerts"), ledger: ledger.NewMemory(), queue: newQueue(), wire: &wiretap{}, seen: map[string][]byte{}, everything: cfg.Everything,
	}
	if err := h.moveIn(ctx, cfg, id); err != nil {
		return nil, errors.Join(fmt.Errorf("building the house: %w", err), server.Close())
	}
	l.OnEvent(h.event)
	l.OnMessage(h.message)
	return h, nil
}

// close stops the lab.
func (h *house) close() error { return h.server.Close() }

// arn gives an ARN of IAM in the house.
func (h *house) arn(account, resource string) string {
	return "arn:" + h.partition() + ":iam::" + account + ":" + resource
}

func (h *house) partition() string {
	if h.rules.Organization.Partition != "" {
		return h.rules.Organization.Partition
	}
	return "aws"
}

// Send takes a step that has to wait.
func (h *house) Send(_ context.Context, s guard.Step) error {
	body, err := s.Body()
	if err != nil {
		return fmt.Errorf("queueing step %s: %w", s.Step, err)
	}
	h.queue.push(message{body: body, due: s.NotBefore, kind: laterStep})
	return nil
}

// line is the way of a message through rolewarden: the queue that it came from
// says what it is, as in the Lambda.
func (h *house) line(k messageKind) func(context.Context, []byte) (guard.Result, error) {
	if k == laterStep {
		return h.guard.HandleStep
	}
	return h.guard.Handle
}

// event takes an event off the lab's bus, as the EventBridge rule would.
func (h *house) event(e lab.Envelope) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.seen[e.EventName] = e.Raw
	if !routed(e.Raw, h.rules) {
		if h.everything {
			h.queue.push(message{body: e.Raw, due: h.clock.Now(), passing: true})
		}
		return
	}
	if h.holding {
		h.held = append(h.held, e.Raw)
		return
	}
	h.queue.push(message{body: e.Raw, due: h.clock.Now()})
}

// hold keeps events back until release.
func (h *house) hold() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.holding = true
}

// release gives the events that were kept back, and keeps no more.
func (h *house) release() [][]byte {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := h.held
	h.holding, h.held = false, nil
	return out
}

// newest gives the newest event of a name, routed or not.
func (h *house) newest(name string) []byte {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.seen[name]
}

func (h *house) message(m lab.Message) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.published = append(h.published, m)
}

// alerts gives what was published since the last call.
func (h *house) alerts() []lab.Message {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := h.published
	h.published = nil
	return out
}

// The queue's terms: how long a message that failed stays invisible, and how
// often it is handed out before it goes to the dead-letter queue.
const (
	visibility  = 30 * time.Second
	maxReceives = 5
)

// handled is what became of one message.
type handled struct {
	message message
	at      time.Time
	result  guard.Result
	err     error
	// alerts are what was published meanwhile.
	alerts []lab.Message
	// dead says that this was the last try.
	dead bool
}

// handle hands the first message that is due to the line, and puts it back
// when the line gives an error, as SQS does.
func (h *house) handle(ctx context.Context) (done handled, ok bool, next time.Time) {
	m, ok, next := h.queue.pop(h.clock.Now())
	if !ok {
		return handled{}, false, next
	}
	done = handled{message: m, at: h.clock.Now()}
	if m.passing {
		return done, true, time.Time{}
	}
	if done.at.Sub(h.started) > shift {
		done.err = h.start()
	}
	if done.err == nil {
		done.result, done.err = h.line(m.kind)(ctx, m.body)
	}
	done.alerts = h.alerts()
	switch {
	case done.err == nil:
	case m.receives >= maxReceives:
		done.dead = true
		h.mu.Lock()
		h.dead = append(h.dead, m)
		h.mu.Unlock()
	default:
		m.due = h.clock.Now().Add(visibility)
		h.queue.push(m)
	}
	return done, true, time.Time{}
}

// settle handles messages until none is left, and lets the time come for those
// that have to wait. It is for houses whose time is a story's.
func (h *house) settle(ctx context.Context) ([]handled, error) {
	var out []handled
	now, told := h.clock.(*story)
	for len(out) < mostMessages {
		done, ok, next := h.handle(ctx)
		switch {
		case ok:
			out = append(out, done)
		case next.IsZero():
			return out, nil
		case !told:
			return out, errors.New("settling the house: its clock is not a story's")
		default:
			now.until(next)
		}
	}
	return out, fmt.Errorf("settling the house: %d messages and no end: something answers itself", mostMessages)
}

// mostMessages bounds how much one event may lead to.
const mostMessages = 500

// judge judges a role as it stands now, by the same rules as the line.
func (h *house) judge(ctx context.Context, account, name string) (finding.Report, error) {
	r, err := h.accounts.Role(ctx, role.Ref{Account: account, Name: name})
	if err != nil {
		return finding.Report{}, err
	}
	return rules.JudgeText(rules.Input{Role: r, Org: h.rules, Now: h.clock.Now()}, r.TrustPolicy), nil
}

// trust gives a role's trust policy as it stands now.
func (h *house) trust(ctx context.Context, account, name string) (string, error) {
	r, err := h.accounts.Role(ctx, role.Ref{Account: account, Name: name})
	return r.TrustPolicy, err
}

// writes counts what rolewarden wrote to roles so far.
func (h *house) writes() int { return h.calls("UpdateAssumeRolePolicy", "TagRole", "UntagRole") }

// trusts counts the trust policies that rolewarden replaced so far.
func (h *house) trusts() int { return h.calls("UpdateAssumeRolePolicy") }

// calls counts rolewarden's own calls of IAM that succeeded.
func (h *house) calls(actionsCounted ...string) int {
	n := 0
	for _, c := range h.lab.Calls() {
		if c.Service == "iam" && c.ErrorCode == "" && strings.HasPrefix(c.SourceIdentity, actions.SourceIdentityPrefix) && slices.Contains(actionsCounted, c.Action) {
			n++
		}
	}
	return n
}
