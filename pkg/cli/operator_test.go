package cli

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/lab"
	"github.com/rolewarden/rolewarden/pkg/org"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/role"
)

const (
	openToAll = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}]}`
	onlyEC2   = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}`

	// inSandbox is in the unit that the operator's page lets rolewarden write in,
	// inWorkloads in another, and unlisted in none that the rules file knows.
	hubOfPage, inSandbox, inWorkloads, unlisted = "555555555555", "777788889999", "111122223333", "222222222222"

	// pageOrganization stands before what the page shows of a rules file.
	pageOrganization = `version: 1
organization:
  id: o-exampleorgid
  management: "999999999999"
  accounts:
    - {id: "555555555555", name: security, unit: security}
    - {id: "111122223333", name: prod, unit: workloads/prod}
    - {id: "777788889999", name: trial, unit: sandbox/trial}
`
)

// pageRules is the rules file that the page shows, for a stage of letting one
// rule write in one unit: the page's own word is tag, and its comment names the
// next one.
func pageRules(t *testing.T, unit, rule string) string {
	t.Helper()
	_, rest, found := strings.Cut(operatorsPage(t), "```yaml\n")
	block, _, ended := strings.Cut(rest, "```")
	if !found || !ended || strings.Count(block, "tag") != 2 || strings.Count(block, "# later: enforce") != 2 {
		t.Fatalf("the page does not show tag for a unit and for a rule, with what comes later:\n%s", block)
	}
	block = regexp.MustCompile(` *#.*`).ReplaceAllString(block, "")
	block = strings.Replace(block, "tag", unit, 1)
	return pageOrganization + strings.Replace(block, "mode: tag", "mode: "+rule, 1)
}

// operated is a house that an operator's rules file rules.
type operated struct {
	*house
	t *testing.T
}

func operate(t *testing.T, text string) operated {
	t.Helper()
	clock := &story{now: demoStart()}
	rules, err := org.Parse("rules.yaml", []byte(text), clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	h, err := newHouse(t.Context(), houseConfig{
		Rules: rules, Hub: hubOfPage, Clock: clock, Random: rand.NewChaCha8([32]byte{9}),
		Accounts: []lab.Account{{ID: hubOfPage}, {ID: inSandbox}, {ID: inWorkloads}, {ID: unlisted}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.close(); err != nil {
			t.Error(err)
		}
	})
	return operated{h, t}
}

// stood lets a day pass, after which what has stood is sealed.
func (o operated) stood() {
	o.t.Helper()
	if err := o.day(o.t.Context()); err != nil {
		o.t.Fatal(err)
	}
}

// calls is a call of an account's administrator.
func (o operated) calls(account, action string, parameters map[string]string) {
	o.t.Helper()
	admin, err := o.admin(account)
	if err == nil {
		_, err = admin.call(o.t.Context(), "iam", action, parameters)
	}
	if err != nil {
		o.t.Fatalf("%s in %s: %v", action, account, err)
	}
}

// watches lets rolewarden handle all there is, and says what it did and told of:
// "Tag opened".
func (o operated) watches() []string {
	o.t.Helper()
	all, err := o.settle(o.t.Context())
	if err != nil {
		o.t.Fatal(err)
	}
	var out []string
	for _, d := range all {
		if d.err != nil {
			o.t.Errorf("it comes again: %v", d.err)
		}
		for _, a := range d.result.Alerts {
			out = append(out, d.result.Decision.Action.String()+" "+d.result.Outcome.Done.String()+" "+a.State.String())
		}
	}
	return out
}

// removesWriters takes the role that writes out of every account.
func (o operated) removesWriters() {
	o.t.Helper()
	for _, account := range []string{hubOfPage, inSandbox, inWorkloads, unlisted} {
		o.calls(account, "DeleteRolePolicy", map[string]string{"RoleName": deployment.RemediatorRole, "PolicyName": "rolewarden"})
		o.calls(account, "DeleteRole", map[string]string{"RoleName": deployment.RemediatorRole})
	}
	o.watches()
}

// stands says how a role stands: as its administrator left it, tagged, or
// written.
func (o operated) stands(account, name, left string) string {
	o.t.Helper()
	r, err := o.accounts.Role(o.t.Context(), role.Ref{Account: account, Name: name})
	if err != nil {
		o.t.Fatal(err)
	}
	is, err := policy.Parse([]byte(r.TrustPolicy))
	if err != nil {
		o.t.Fatal(err)
	}
	was, err := policy.Parse([]byte(left))
	switch {
	case err != nil:
		o.t.Fatal(err)
	case !is.Equal(was, "aws"):
		return "written"
	case len(r.Tags) > 0:
		return "tagged"
	}
	return "left"
}

// Step 3: under the sample's rules, with no role that could write in any
// account, a role that is opened to everybody is told of and stands as it is,
// untagged; and when its administrator shuts it again, that is told too.
func TestTheOperatorsFirstDeploymentOnlyTells(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../testdata/deployments/rules.yaml")
	if err != nil {
		t.Fatal(err)
	}
	o := operate(t, string(text))
	o.removesWriters()
	for _, account := range []string{inSandbox, inWorkloads, unlisted} {
		o.calls(account, "CreateRole", map[string]string{"RoleName": "app", "AssumeRolePolicyDocument": onlyEC2})
		if got := o.watches(); len(got) != 0 {
			t.Errorf("%s: a role that is fine leads to %q", account, got)
		}
		o.calls(account, "UpdateAssumeRolePolicy", map[string]string{"RoleName": "app", "PolicyDocument": openToAll})
		if diff := cmp.Diff([]string{"Tell Ignore opened"}, o.watches()); diff != "" {
			t.Errorf("%s: opened (-want +got):\n%s", account, diff)
		}
		if got := o.stands(account, "app", openToAll); got != "left" {
			t.Errorf("%s: the role is %s", account, got)
		}
		o.calls(account, "UpdateAssumeRolePolicy", map[string]string{"RoleName": "app", "PolicyDocument": onlyEC2})
		if got := o.watches(); len(got) != 1 || !strings.HasSuffix(got[0], " resolved") {
			t.Errorf("%s: shut again, it tells %q", account, got)
		}
	}
	for _, c := range o.lab.Calls() {
		if c.Service == "sts" && strings.Contains(c.Resource, deployment.RemediatorRole) {
			t.Errorf("it asks for the role that writes: %s", c.ErrorCode)
		}
	}
	if n := o.writes(); n != 0 {
		t.Errorf("%d writes", n)
	}
}

// Step 6: where the rules are deployed before the role that writes, what is due
// is held and told, not lost. That is why the page deploys the members first.
func TestTheOperatorIsToldWhatIsDueBeforeTheRoleThatWritesIsThere(t *testing.T) {
	t.Parallel()
	o := operate(t, pageRules(t, "tag", "tag"))
	o.removesWriters()
	o.calls(inSandbox, "CreateRole", map[string]string{"RoleName": "app", "AssumeRolePolicyDocument": openToAll})
	if diff := cmp.Diff([]string{"Hold Ignore opened"}, o.watches()); diff != "" {
		t.Errorf("it tells (-want +got):\n%s", diff)
	}
	if got := o.stands(inSandbox, "app", openToAll); got != "left" {
		t.Errorf("the role is %s", got)
	}
}

// Step 6: one rule in one unit, first tags, then reverts, by the very lines that
// the page shows. Elsewhere the same role is only told of, and nothing is
// written while only one of the two lines says so.
func TestTheOperatorLetsOneRuleWriteInOneUnit(t *testing.T) {
	t.Parallel()
	const tells = "Tell Ignore opened, left"
	for _, stage := range []struct{ unit, rule, opened, born string }{
		{"observe", "tag", tells, tells},
		{"tag", "tag", "Tag Tag opened, tagged", "Tag Tag opened, tagged"},
		{"enforce", "tag", "Tag Tag opened, tagged", "Tag Tag opened, tagged"},
		{"tag", "enforce", "Tag Tag opened, tagged", "Tag Tag opened, tagged"},
		{"enforce", "enforce", "Revert Revert opened, written", "Quarantine Quarantine opened, written"},
	} {
		t.Run(stage.unit+" for the unit, "+stage.rule+" for the rule", func(t *testing.T) {
			t.Parallel()
			o := operate(t, pageRules(t, stage.unit, stage.rule))
			happens := func(account, role, want string) {
				t.Helper()
				told := o.watches()
				if got := strings.Join(told[:min(len(told), 1)], "") + ", " + o.stands(account, role, openToAll); got != want {
					t.Errorf("%s, %s: %s (of %q), want %s", account, role, got, told, want)
				}
			}
			for account, want := range map[string]struct{ opened, born string }{
				inSandbox: {stage.opened, stage.born}, inWorkloads: {tells, tells}, unlisted: {tells, tells},
			} {
				o.calls(account, "CreateRole", map[string]string{"RoleName": "app", "AssumeRolePolicyDocument": onlyEC2})
				if got := o.watches(); len(got) != 0 {
					t.Errorf("%s: a role that is fine leads to %q", account, got)
				}
				o.stood()
				o.calls(account, "UpdateAssumeRolePolicy", map[string]string{"RoleName": "app", "PolicyDocument": openToAll})
				happens(account, "app", want.opened)
				o.calls(account, "CreateRole", map[string]string{"RoleName": "born", "AssumeRolePolicyDocument": openToAll})
				happens(account, "born", want.born)
			}
		})
	}
}

// Step 6, in the way single: without an organization and without units the rule's
// own line is enough.
func TestTheOperatorOfOneAccountNeedsNoUnits(t *testing.T) {
	t.Parallel()
	text := strings.Replace(pageRules(t, "tag", "tag"), pageOrganization, "version: 1\n", 1)
	text = regexp.MustCompile(`(?m)^  units:\n(    .*\n)+`).ReplaceAllString(text, "")
	o := operate(t, text)
	o.calls(hubOfPage, "CreateRole", map[string]string{"RoleName": "app", "AssumeRolePolicyDocument": openToAll})
	if diff := cmp.Diff([]string{"Tag Tag opened"}, o.watches()); diff != "" {
		t.Errorf("it tells (-want +got):\n%s\n%s", diff, text)
	}
}

// Step 6: without the role that writes such a rules file is not deployed, and
// the refusal names the rule, where it would write, and what to do.
func TestTheOperatorIsRefusedARuleThatWritesWithoutItsRole(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"tag", "enforce"} {
		dir := t.TempDir()
		file := func(name, text string) string {
			t.Helper()
			path := filepath.Join(dir, name)
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			return path
		}
		file("rules.yaml", pageRules(t, mode, mode))
		for _, one := range []string{"hub absent", "members absent", "hub present", "members present"} {
			way, remediator, _ := strings.Cut(one, " ")
			path := file("deployment.yaml", "version: 1\nway: "+way+"\naccount: \""+hubOfPage+"\"\nrules: rules.yaml\nremediator: "+remediator+"\nmembers: {targets: [r-abcd]}\n")
			_, err := deployment.Load(path, deployment.Override{}, demoStart())
			if remediator == "present" {
				if err != nil {
					t.Errorf("%s, %s: %v", way, mode, err)
				}
				continue
			}
			if err == nil {
				t.Errorf("%s, %s: it is deployed, and no role for it", way, mode)
				continue
			}
			for _, part := range []string{"the rule public-principal " + mode + " in the account " + inSandbox, "write remediator: present"} {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%s, %s: %v does not say %q", way, mode, err, part)
				}
			}
		}
	}
}
