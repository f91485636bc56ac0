package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/rolewarden/rolewarden/pkg/awsapi/actions"
	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/guard"
	"github.com/rolewarden/rolewarden/pkg/lab"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/org"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// scenario plays one page of testdata/scenarios: its steps in a house of its
// own, and what came of them.
type scenario struct {
	t     *testing.T
	files map[string]string
	h     *house
	clock *story
	held  [][]byte
	// newest is the event of the last role that a person made or updated.
	newest []byte
	calls  int
	want   strings.Builder
	remove []func()
}

// The whole line in the lab, over the wire, one page a scenario. `want` says
// for each handled message how it ended, with every AWS call that rolewarden
// made for it, in order. `go test ./pkg/cli -run Scenarios -update` rewrites it.
func TestScenarios(t *testing.T) {
	t.Parallel()
	pages, err := filepath.Glob("../../testdata/scenarios/*.txtar")
	if err != nil || len(pages) == 0 {
		t.Fatalf("there are no scenarios: %v", err)
	}
	for _, page := range pages {
		t.Run(strings.TrimSuffix(filepath.Base(page), ".txtar"), func(t *testing.T) {
			t.Parallel()
			archive, err := txtar.ParseFile(page)
			if err != nil {
				t.Fatal(err)
			}
			s := &scenario{t: t, files: map[string]string{}}
			for _, f := range archive.Files {
				s.files[f.Name] = string(f.Data)
			}
			s.play(t.Context())
			if diff := cmp.Diff(s.files["want"], s.want.String()); diff != "" && !update() {
				t.Errorf("%s (-want +got):\n%s", page, diff)
			}
			if update() {
				rewrite(t, page, archive, s.want.String())
			}
		})
	}
}

func rewrite(t *testing.T, page string, archive *txtar.Archive, want string) {
	t.Helper()
	archive.Files = slices.DeleteFunc(archive.Files, func(f txtar.File) bool { return f.Name == "want" })
	archive.Files = append(archive.Files, txtar.File{Name: "want", Data: []byte(want)})
	if err := os.WriteFile(page, txtar.Format(archive), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (s *scenario) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *scenario) play(ctx context.Context) {
	s.clock = &story{now: demoStart()}
	text := s.files["rules.yaml"]
	if text == "" {
		text = string(demoRules)
	}
	rules, err := org.Parse("rules.yaml", []byte(text), s.clock.Now())
	s.must(err)
	s.h, err = newHouse(ctx, houseConfig{
		Rules: rules, Hub: security, Clock: s.clock, Random: rand.NewChaCha8([32]byte{7}),
		Accounts: []lab.Account{
			{ID: security, Name: "security"},
			{ID: prod, Name: "prod"},
			{ID: dev, Name: "dev"},
			{ID: partner, Name: "acme", Outside: true},
			{ID: stranger, Name: "unknown", Outside: true},
		},
	})
	s.must(err)
	defer func() { s.must(s.h.close()) }()
	s.calls = len(s.h.lab.Calls())
	for step := range strings.Lines(s.files["steps"]) {
		if words := strings.Fields(step); len(words) > 0 && words[0] != "#" {
			s.step(ctx, words)
		}
	}
}

// step plays one step:
//
//	create ACCOUNT ROLE FILE     CreateRole with the file's document
//	update ACCOUNT ROLE FILE     UpdateAssumeRolePolicy
//	try-update ACCOUNT ROLE FILE the same by a user without permissions: a failed call
//	user ACCOUNT NAME            CreateUser
//	delete-user ACCOUNT NAME     DeleteUser
//	seed ACCOUNT PATH ROLE FILE  a role that is there without an event
//	fault ACTION KIND [TIMES]    rolewarden's calls of ACTION go wrong; without TIMES for good
//	mend                         all faults end
//	lag DURATION                 GetRole shows writes only after a while
//	stop, go                     the kill switch
//	hold, keep, release          keep events back; keep no further ones back; deliver them
//	again                        deliver the last CreateRole or update a second time
//	pass DURATION                time passes
//	day                          a day passes, and what has stood is sealed
//	watch [DURATION]             rolewarden handles all there is, or what is due by then
//	show ACCOUNT ROLE            the trust policy, boundary and tags as they are now
func (s *scenario) step(ctx context.Context, words []string) {
	s.t.Helper()
	fmt.Fprintf(&s.want, "> %s\n", strings.Join(words, " "))
	arg := func(n int) string {
		if n >= len(words) {
			s.t.Fatalf("%v: words are missing", words)
		}
		return words[n]
	}
	switch words[0] {
	case "create":
		s.call(ctx, arg(1), "CreateRole", map[string]string{"RoleName": arg(2), "AssumeRolePolicyDocument": s.file(arg(3))})
	case "update":
		s.call(ctx, arg(1), "UpdateAssumeRolePolicy", map[string]string{"RoleName": arg(2), "PolicyDocument": s.file(arg(3))})
	case "try-update":
		nobody, err := s.h.user(ctx, account(s.t, arg(1)), "/", "nobody")
		s.must(err)
		_, err = nobody.call(ctx, "iam", "UpdateAssumeRolePolicy", map[string]string{"RoleName": arg(2), "PolicyDocument": s.file(arg(3))})
		fmt.Fprintf(&s.want, "  %s\n", codeOf(err))
		s.h.queue.push(message{body: s.h.newest("UpdateAssumeRolePolicy"), due: s.clock.Now()})
	case "user":
		s.call(ctx, arg(1), "CreateUser", map[string]string{"UserName": arg(2)})
	case "delete-user":
		s.call(ctx, arg(1), "DeleteUser", map[string]string{"UserName": arg(2)})
	case "seed":
		s.must(s.h.lab.SeedRole(account(s.t, arg(1)), lab.SeedRole{Path: arg(2), Name: arg(3), TrustPolicy: s.file(arg(4))}))
	case "fault", "mend", "lag":
		s.trouble(words)
	case "stop":
		s.must(s.h.ledger.SetSwitch(ctx, decision.WritesStopped, "arn:aws:iam::"+security+":user/lead", "drill", s.clock.Now()))
	case "go":
		s.must(s.h.ledger.SetSwitch(ctx, decision.WritesAllowed, "arn:aws:iam::"+security+":user/lead", "drill over", s.clock.Now()))
	case "hold":
		s.h.hold()
	case "keep":
		s.held = append(s.held, s.h.release()...)
	case "release":
		for _, raw := range append(s.held, s.h.release()...) {
			s.h.queue.push(message{body: raw, due: s.clock.Now()})
		}
		s.held = nil
	case "again":
		s.h.queue.push(message{body: s.newest, due: s.clock.Now()})
	case "pass":
		d, err := time.ParseDuration(arg(1))
		s.must(err)
		s.must(s.clock.Wait(ctx, d))
	case "day":
		s.must(s.h.day(ctx))
	case "watch":
		until := s.clock.Now().AddDate(1, 0, 0)
		if len(words) > 1 {
			d, err := time.ParseDuration(arg(1))
			s.must(err)
			until = s.clock.Now().Add(d)
		}
		s.watch(ctx, until)
	case "show":
		s.show(ctx, account(s.t, arg(1)), arg(2))
	default:
		s.t.Fatalf("%v: no such step", words)
	}
}

func (s *scenario) file(name string) string {
	s.t.Helper()
	text, ok := s.files[name]
	if !ok {
		s.t.Fatalf("the page has no file %s", name)
	}
	return strings.TrimSpace(text)
}

func account(t *testing.T, name string) string {
	t.Helper()
	for _, id := range []string{security, prod, dev, partner, stranger} {
		if accountName(id) == name {
			return id
		}
	}
	t.Fatalf("there is no account %s", name)
	return ""
}

// call is a call of an account's administrator.
func (s *scenario) call(ctx context.Context, name, action string, parameters map[string]string) {
	s.t.Helper()
	admin, err := s.h.admin(account(s.t, name))
	s.must(err)
	if _, err = admin.call(ctx, "iam", action, parameters); err != nil {
		s.t.Fatalf("%s: %v", action, err)
	}
	if strings.HasSuffix(action, "Role") || strings.HasSuffix(action, "RolePolicy") {
		s.newest = s.h.newest(action)
	}
}

func (s *scenario) trouble(words []string) {
	s.t.Helper()
	switch words[0] {
	case "lag":
		d, err := time.ParseDuration(words[1])
		s.must(err)
		s.h.lab.SetReadLag(d)
	case "mend":
		for _, remove := range s.remove {
			remove()
		}
		s.remove = nil
	default:
		f := lab.Fault{Action: words[1]}
		for f.Kind.String() != words[2] {
			if f.Kind++; f.Kind > lab.RefusePolicy {
				s.t.Fatalf("there is no fault %s", words[2])
			}
		}
		if len(words) > 3 {
			n, err := strconv.Atoi(words[3])
			s.must(err)
			f.Times = n
		}
		s.remove = append(s.remove, s.h.lab.Inject(f))
	}
}

// watch lets rolewarden handle all there is.
func (s *scenario) watch(ctx context.Context, until time.Time) {
	s.t.Helper()
	// What people called before is not rolewarden's.
	s.calls = len(s.h.lab.Calls())
	now := s.clock
	for range mostMessages {
		d, ok, next := s.h.handle(ctx)
		switch {
		case ok:
			s.note(d)
		case next.IsZero(), next.After(until):
			return
		default:
			now.until(next)
		}
	}
	s.t.Fatal("something answers itself")
}

// Ids that are made up anew.
var (
	anyID   = regexp.MustCompile(`A(IDA|ROA)[A-Z2-7]{17}`)
	anyRun  = regexp.MustCompile(`\brw-[a-z2-7]{26}\b|[a-z2-7]{26}\b|[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)
	anyTime = regexp.MustCompile(`[0-9]{8}T[0-9]{6}Z`)
)

func anonymous(text string) string {
	text = anyRun.ReplaceAllString(anyID.ReplaceAllString(text, "A${1}..."), "...")
	return anyTime.ReplaceAllString(text, "TIME")
}

// note writes what became of one message, and every call that was made for it.
func (s *scenario) note(d handled) {
	what := "event"
	if d.message.kind == laterStep {
		var step guard.Step
		if err := json.Unmarshal(d.message.body, &step); err != nil {
			s.t.Fatal(err)
		}
		what = "step " + string(step.Step)
	}
	fmt.Fprintf(&s.want, "  %s %s", d.at.Format("15:04:05"), what)
	r := d.result
	switch {
	case d.dead:
		s.want.WriteString(" to the dead-letter queue")
	case d.err != nil:
		s.want.WriteString(" comes again")
	case r.Ignored != "":
		fmt.Fprintf(&s.want, " ignored: %s", r.Ignored)
	default:
		fmt.Fprintf(&s.want, " %s", r.Change.EventName)
		if r.Report.Findings != nil || r.Report.Reasons != nil {
			fmt.Fprintf(&s.want, ": %s", strings.TrimSpace(r.Report.Verdict.String()+" "+rulesOf(r.Report.Open())))
			fmt.Fprintf(&s.want, ", %s", r.Decision.Action)
			if r.Outcome.Done != decision.Ignore {
				fmt.Fprintf(&s.want, ", %s done", r.Outcome.Done)
				if !r.Outcome.Verified {
					s.want.WriteString(", not verified")
				}
			}
		}
		if r.End != ledger.InFlight {
			fmt.Fprintf(&s.want, ", ends %s", r.End)
		}
	}
	s.want.WriteString("\n")
	s.noteCalls()
	for _, a := range r.Alerts {
		fmt.Fprintf(&s.want, "    alert %s: %s\n", a.State, anonymous(a.Headline()))
		// T80: nothing secret leaves.
		for _, secret := range []string{houseSecret, "acme-7f3a-91c2"} {
			if strings.Contains(string(a.JSON())+a.Text(), secret) {
				s.t.Errorf("the alert %s holds %q", a.ID, secret)
			}
		}
	}
	for _, step := range r.Steps {
		fmt.Fprintf(&s.want, "    later: %s in %s\n", step.Step, step.NotBefore.Sub(s.clock.Now()))
	}
}

// noteCalls writes the calls since the last message, in order. Who a baseline
// names is looked up in no particular order, so those look-ups are sorted.
func (s *scenario) noteCalls() {
	calls := s.h.lab.Calls()
	var lines []string
	for _, c := range calls[s.calls:] {
		if strings.Contains(c.CallerARN, ":assumed-role/rolewarden-") {
			lines = append(lines, callLine(c))
		}
	}
	for i := 0; i < len(lines); i++ {
		end := i
		for end < len(lines) && strings.HasPrefix(lines[end], "iam:GetUser ") {
			end++
		}
		slices.Sort(lines[i:end])
		i = max(i, end-1)
	}
	for _, l := range lines {
		s.want.WriteString("    " + l + "\n")
	}
	s.calls = len(calls)
}

func callLine(c lab.Call) string {
	out := c.Service + ":" + c.Action + " " + strings.TrimPrefix(c.Resource, "arn:aws:sns:us-east-1:"+security+":")
	switch {
	case strings.HasPrefix(c.SourceIdentity, actions.ReaderSourceIdentity):
		out += " as reader"
	case c.Narrowed:
		out += " as writer"
	}
	switch {
	case c.ErrorCode != "":
		out += " -> " + c.ErrorCode
	case c.Fault != lab.NoFault:
		out += " -> " + c.Fault.String()
	}
	return out
}

// show writes how a role stands, in the names of the page's files.
func (s *scenario) show(ctx context.Context, account, name string) {
	s.t.Helper()
	r, err := s.h.accounts.Role(ctx, role.Ref{Account: account, Name: name})
	s.must(err)
	doc, err := policy.Parse([]byte(r.TrustPolicy))
	s.must(err)
	shown := anonymous(string(doc.Print()))
	for _, f := range slices.Sorted(maps.Keys(s.files)) {
		if other, err := policy.Parse([]byte(s.files[f])); strings.HasSuffix(f, ".json") && err == nil && other.Equal(doc, "aws") {
			shown = f
			break
		}
	}
	fmt.Fprintf(&s.want, "  trust policy: %s\n", shown)
	if r.Boundary != "" {
		fmt.Fprintf(&s.want, "  permissions boundary: %s\n", r.Boundary)
	}
	for _, key := range slices.Sorted(maps.Keys(r.Tags)) {
		fmt.Fprintf(&s.want, "  tag %s = %s\n", key, anonymous(r.Tags[key]))
	}
	s.calls = len(s.h.lab.Calls())
}
