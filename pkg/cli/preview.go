package cli

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"

	"github.com/rolewarden/rolewarden/pkg/awsapi"
	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/org"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/preview"
	"github.com/rolewarden/rolewarden/pkg/role"
	"github.com/rolewarden/rolewarden/pkg/trail"
)

type previewVerb struct {
	Rules      string   `help:"The new rules file (YAML)." placeholder:"FILE"`
	Deployment string   `required:"" help:"The deployment file (YAML), which says where the ledger is." placeholder:"FILE"`
	Account    string   `help:"Only the roles of this account." placeholder:"ACCOUNT"`
	Records    []string `sep:"none" help:"CloudTrail records (JSON, or log files as they lie in the bucket, .gz too), or folders of them: says which recent callers would lose access." placeholder:"PATH"`
	Confirm    string   `help:"Confirm the rules file with this hash (sha256:...), as preview and alerts name it: its differences act from now on." placeholder:"HASH"`
	Reason     string   `help:"Why it is confirmed; kept in the ledger." placeholder:"TEXT"`
	form
}

// Help is the verb's long help.
func (previewVerb) Help() string {
	return `Judges what the ledger remembers of every role by a rules file that is not deployed yet, and lists the roles whose verdict or broken rules would change or on which it begins to act, and what would be written once the change acts. With --records it also tries recent calls of AssumeRole and its sisters on the trust policies that would be written.

    rolewarden preview --rules new.yaml --deployment organization.yaml --records ./cloudtrail/

Nothing is written, neither to IAM nor to the ledger. Organizations is asked about accounts that the file does not list (organizations:DescribeAccount); where it does not answer they count as foreign. Roles that were never handled or swept are not known to the ledger, and are not listed. That a role which is less than an hour old would be quarantined is not foreseen.

Once the file is deployed, roles that were good under the former one and have not changed are only told of, until ruleChanges.observeHours have passed or somebody confirms it:

    rolewarden preview --confirm sha256:... --deployment organization.yaml --reason "reviewed in SEC-77"

Status: 0 nothing would change, or the file was confirmed; 1 something would; 2 something would become undecided; 3 the input cannot be used.`
}

// previewed is the JSON form of the result.
type previewed struct {
	Version   int             `json:"version"`
	RulesHash string          `json:"rulesHash"`
	Roles     int             `json:"roles"`
	Changes   []previewChange `json:"changes"`
	// ConfirmedBy is set where the file was confirmed.
	ConfirmedBy string `json:"confirmedBy,omitempty"`
}

type previewChange struct {
	preview.Change
	WouldWrite bool `json:"wouldWrite"`
	// Callers are recent calls that the role's present document let in.
	Callers []previewCaller `json:"callers,omitempty"`
}

// previewCaller is a recent call and what would become of it.
type previewCaller struct {
	Caller  string `json:"caller"`
	Session string `json:"session,omitempty"`
	Calls   int    `json:"calls"`
	Last    string `json:"last"`
	Access  string `json:"access"`
}

// sources are the ledger and Organizations.
type sources struct {
	memories
	asked *membership
}

// memories is what preview asks the ledger.
type memories interface {
	States(ctx context.Context, account string, visit func(ledger.RoleState) error) error
	Recall(ctx context.Context, account, roleID string) (ledger.Recalled, error)
	Identify(ctx context.Context, id string) (finding.Principal, bool, error)
	Identities(ctx context.Context, arn string) ([]ledger.Identity, error)
	Ends(ctx context.Context, principals []ledger.PrincipalKey) ([]ledger.Deletion, error)
	ConfirmRules(ctx context.Context, hash, by, reason string, at time.Time) error
}

// Run previews a rules file, or confirms one.
func (v previewVerb) Run(s *session) error {
	switch {
	case v.Confirm == "" && v.Rules == "":
		return &unusable{"--rules", "which rules file is to be previewed", "name the new rules file, or confirm one with --confirm"}
	case v.Confirm != "" && !rulesHash(v.Confirm):
		return &unusable{"--confirm", fmt.Sprintf("%q is no hash of a rules file", v.Confirm), "copy it from preview or from the alert: sha256: and 64 digits"}
	case v.Confirm != "" && strings.TrimSpace(v.Reason) == "":
		return &unusable{"--reason", "confirming a rules file needs a reason", `say who looked at it, such as --reason "reviewed in SEC-77"`}
	case v.Account != "" && !role.ValidAccount(v.Account):
		return &unusable{"--account", fmt.Sprintf("%q is no account id", v.Account), "write twelve digits"}
	}
	var rules *org.Rules
	var err error
	if v.Rules != "" {
		if rules, err = s.organization(v.Rules); err != nil {
			return err
		}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	hub, err := openHub(ctx, s, v.Deployment)
	if err != nil {
		return err
	}
	asked := &membership{members: awsapi.NewMembership(awsapi.MembershipConfig{AWS: hub.own.AWS}), note: s.note}
	return v.show(ctx, s, sources{hub.table, asked}, rules, hub.by)
}

// rulesHash says whether a text is the hash of a rules file.
func rulesHash(text string) bool {
	hex, ok := strings.CutPrefix(text, "sha256:")
	return ok && len(hex) == 64 && strings.Trim(hex, "0123456789abcdef") == ""
}

// show confirms, judges and prints.
func (v previewVerb) show(ctx context.Context, s *session, m sources, rules *org.Rules, by string) error {
	out := previewed{Version: 1, RulesHash: v.Confirm, Changes: []previewChange{}}
	if v.Confirm != "" {
		if rules != nil && rules.Hash != v.Confirm {
			return &unusable{v.Rules, "its hash is " + rules.Hash + ", and --confirm names another", "confirm the file that you looked at"}
		}
		if err := m.ConfirmRules(ctx, v.Confirm, by, v.Reason, s.now()); err != nil {
			return err
		}
		out.ConfirmedBy = by
	}
	if rules != nil {
		out.RulesHash = rules.Hash
		if err := v.judge(ctx, s, m, rules, &out); err != nil {
			return err
		}
	}
	if v.Format == JSON {
		return writeLine(s.out, out)
	}
	return v.print(s, out)
}

// judge fills in the changes.
func (v previewVerb) judge(ctx context.Context, s *session, m sources, rules *org.Rules, out *previewed) error {
	calls := v.calls(s)
	err := m.States(ctx, v.Account, func(state ledger.RoleState) error {
		if state.Document == "" {
			return nil
		}
		out.Roles++
		history, gone, err := pastOf(ctx, m, state)
		if err != nil {
			return err
		}
		c, changed, err := preview.Judge(preview.Input{
			Rules: rules, State: state, History: history, Gone: gone, Now: s.now(),
			Recall: func() (ledger.Recalled, error) { return m.Recall(ctx, state.Account, state.RoleID) },
			Member: func(account string) bool { return m.asked.confirm(ctx, account) },
		})
		if err != nil || !changed {
			return err
		}
		if gone, err := deletedRole(ctx, m, state); err != nil || gone {
			return err
		}
		out.Changes = append(out.Changes, previewChange{Change: c, WouldWrite: c.Action.Writes(), Callers: fates(c, calls[c.Role], rules)})
		switch c.Would {
		case finding.Undecided:
			s.end(Undecided)
		case finding.Compliant, finding.Noncompliant:
			s.end(Found)
		}
		return nil
	})
	slices.SortFunc(out.Changes, func(a, b previewChange) int { return strings.Compare(a.Role+a.RoleID, b.Role+b.RoleID) })
	return err
}

// logLimit is how much of a file of records is read, unpacked.
const logLimit = 256 << 20

// calls reads the records, by the role that was assumed. A role's ARN is
// compared as a whole; its record shows the path.
func (v previewVerb) calls(s *session) map[string][]trail.Assumption {
	out := map[string][]trail.Assumption{}
	for _, path := range s.files(v.Records, ".json", ".json.gz") {
		text, err := s.read(path, logLimit)
		if err == nil && bytes.HasPrefix(text, []byte{0x1f, 0x8b}) {
			text, err = unpack(path, text)
		}
		if err != nil {
			s.fault(err)
			continue
		}
		records, err := trail.Records(text)
		if err != nil {
			s.fault(&unusable{path, err.Error(), "give CloudTrail records in JSON, as its log files hold them"})
			continue
		}
		for _, r := range records {
			a, ok, err := trail.ParseAssumption(r)
			if err != nil {
				s.fault(&unusable{path, err.Error(), "take the record out, or look at where the file comes from"})
				continue
			}
			if ok {
				out[a.RoleARN] = append(out[a.RoleARN], a)
			}
		}
	}
	return out
}

func unpack(path string, text []byte) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(text))
	if err == nil {
		text, err = io.ReadAll(io.LimitReader(z, logLimit+1))
	}
	switch {
	case err != nil:
		return nil, &unusable{path, "it looks packed and cannot be unpacked: " + err.Error(), "fetch it again"}
	case len(text) > logLimit:
		return nil, &unusable{path, "it is larger than 256 MB unpacked", "split it"}
	}
	return text, nil
}

// fates says what would become of recent callers, the lost ones first.
func fates(c preview.Change, calls []trail.Assumption, rules *org.Rules) []previewCaller {
	if c.Action != decision.Revert || c.After == "" {
		return nil
	}
	before, err := policy.Parse([]byte(c.Before))
	after, bad := policy.Parse([]byte(c.After))
	if errors.Join(err, bad) != nil {
		return nil
	}
	type key struct{ caller, session, access string }
	seen := map[key]*previewCaller{}
	var out []*previewCaller
	for _, a := range calls {
		k := key{whoCalled(a), a.SessionName, preview.FateOf(a, before, after, rules).String()}
		one := seen[k]
		if one == nil {
			one = &previewCaller{Caller: k.caller, Session: k.session, Access: k.access}
			seen[k], out = one, append(out, one)
		}
		one.Calls++
		one.Last = max(one.Last, a.Time.UTC().Format(time.RFC3339))
	}
	rank := map[string]int{preview.Lost.String(): 0, preview.Unclear.String(): 1, preview.Kept.String(): 2}
	slices.SortFunc(out, func(a, b *previewCaller) int {
		if d := rank[a.Access] - rank[b.Access]; d != 0 {
			return d
		}
		return strings.Compare(a.Caller+a.Session, b.Caller+b.Session)
	})
	list := make([]previewCaller, len(out))
	for i, one := range out {
		list[i] = *one
	}
	return list
}

// whoCalled names a caller in one line.
func whoCalled(a trail.Assumption) string {
	switch {
	case a.Provider != "":
		return a.Provider + " " + a.Subject
	case a.Caller.InvokedBy != "":
		return a.Caller.InvokedBy
	default:
		return a.Caller.ARN
	}
}

func (v previewVerb) print(s *session, out previewed) error {
	var b strings.Builder
	if out.ConfirmedBy != "" {
		fmt.Fprintf(&b, "%s is confirmed by %s: its differences act from now on\n", out.RulesHash, plain(out.ConfirmedBy))
	}
	for _, c := range out.Changes {
		fmt.Fprintf(&b, "%s  %s -> %s", bold.Render(plain(c.Role)), c.Was, c.Would)
		if len(c.Broken) > 0 {
			fmt.Fprintf(&b, "  breaks %s", strings.Join(c.Broken, ", "))
		}
		if len(c.Mended) > 0 {
			fmt.Fprintf(&b, "  no longer breaks %s", strings.Join(c.Mended, ", "))
		}
		fmt.Fprintf(&b, "\n    would %s: %s\n", strings.ToLower(c.Action.String()), plain(c.Reason))
		for _, f := range c.Findings {
			if f.Exemption == "" && slices.Contains(c.Broken, f.Rule) {
				fmt.Fprintf(&b, "    %s %s: %s\n", f.Severity, plain(f.Where), plain(f.Message))
			}
		}
		for _, one := range c.Callers {
			fmt.Fprintf(&b, "    access %s: %s (%d calls, last %s)\n", one.Access, plain(one.Caller), one.Calls, one.Last)
		}
	}
	if v.Rules != "" {
		otherwise, writes := 0, 0
		for _, c := range out.Changes {
			if c.WouldWrite {
				writes++
			}
			if c.Was != c.Would || len(c.Broken)+len(c.Mended) > 0 {
				otherwise++
			}
		}
		fmt.Fprintf(&b, "%d roles looked at, %d would be judged another way, %d would be written\n%s is the hash of the file\n", out.Roles, otherwise, writes, out.RulesHash)
	}
	return s.show(b.String())
}
