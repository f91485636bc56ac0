package cli_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/lab"
)

const sweptAccount = "111122223333"

// enterLab serves an organization, and gives the command the account's credentials.
func enterLab(t *testing.T) *lab.Lab {
	t.Helper()
	l, err := lab.New(lab.Config{OrganizationID: "o-exampleorg1", ManagementAccount: sweptAccount, Accounts: []lab.Account{{ID: sweptAccount, Name: "prod"}}})
	fine(t, err)
	server, err := l.Start("127.0.0.1:0")
	fine(t, err)
	t.Cleanup(func() { _ = server.Close() })
	keys, err := l.Admin(sweptAccount)
	fine(t, err)
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": server.URL, "AWS_ACCESS_KEY_ID": keys.AccessKeyID, "AWS_SECRET_ACCESS_KEY": keys.SecretAccessKey,
		"AWS_SESSION_TOKEN": "", "AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": "none", "AWS_SHARED_CREDENTIALS_FILE": "none", "AWS_PROFILE": "",
	} {
		t.Setenv(name, value)
	}
	return l
}

// A person reads every role of an account with one command and their own
// credentials: what is wrong is shown, nothing is written, and no secret is shown.
func TestAPersonSweepsAnAccount(t *testing.T) {
	l := enterLab(t)
	const secret = "one-id-for-all-4711"
	partner := func(account string) string {
		return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + account + `:root"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"` + secret + `"}}}]}`
	}
	for name, trust := range map[string]string{
		"app":     `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}`,
		"open":    `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::999999999999:root"},"Action":"sts:AssumeRole"}]}`,
		"acme":    partner("777788889999"),
		"initech": partner("222222222222"),
		"unsure":  `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","NotPrincipal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"sts:AssumeRole"}]}`,
	} {
		fine(t, l.SeedRole(sweptAccount, lab.SeedRole{Name: name, TrustPolicy: trust}))
	}
	fine(t, l.SeedRole(sweptAccount, lab.SeedRole{Name: "inner", TrustPolicy: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:role/open"},"Action":["sts:AssumeRole","sts:SetSourceIdentity"]}]}`}))
	rules := filepath.Join(t.TempDir(), "rules.yaml")
	fine(t, os.WriteFile(rules, []byte("version: 1\norganization: {id: o-exampleorg1, accounts: [{id: \"111122223333\"}]}\nmodes: {default: enforce}\n"+
		"partners: [{name: acme, accounts: [\"777788889999\"]}, {name: initech, accounts: [\"222222222222\"]}]\n"), 0o600))

	out, errs, status := run("", "sweep", "--account", sweptAccount, "--rules", rules, "--format", "json")
	if status != 1 {
		t.Fatalf("status %d: %s%s", status, out, errs)
	}
	conforms(t, "sweep", out)
	var got struct {
		Roles  []struct{ Role, Verdict string }
		Chains []string
		Shared []string `json:"sharedExternalIds"`
		Unread []string
	}
	fine(t, json.Unmarshal([]byte(out), &got))
	verdicts := map[string]string{}
	for _, r := range got.Roles {
		verdicts[r.Role[strings.LastIndexByte(r.Role, '/')+1:]] = r.Verdict
	}
	for name, want := range map[string]string{"app": "Compliant", "open": "Noncompliant", "inner": "Compliant", "unsure": "Undecided"} {
		if verdicts[name] != want {
			t.Errorf("role %s is %q, want %s", name, verdicts[name], want)
		}
	}
	if len(got.Roles) != 6 || len(got.Shared) != 1 || len(got.Unread) != 0 {
		t.Errorf("%d roles, shared: %q, unread: %q", len(got.Roles), got.Shared, got.Unread)
	}

	text, errs, status := run("", "sweep", "--account", sweptAccount, "--rules", rules)
	for _, want := range []string{"role/open  Noncompliant", "external-account at Statement[0]", "6 roles of account " + sweptAccount + ": 1 Noncompliant, 1 Undecided, 4 Compliant", "shared external IDs:"} {
		if !strings.Contains(text, want) {
			t.Errorf("it does not say %q:\n%s", want, text)
		}
	}
	if status != 1 || !strings.Contains(errs, "reading the roles of account "+sweptAccount) {
		t.Errorf("status %d, progress %q", status, errs)
	}
	if strings.Contains(out+text+errs, secret) {
		t.Error("the external ID is shown")
	}
	for _, c := range l.Calls() {
		if c.Service == "iam" && !strings.HasPrefix(c.Action, "Get") {
			t.Errorf("it called %s", c.Action)
		}
	}
}

// A sweep of an account that IAM gives page by page says after each how far it is.
func TestASweepSaysHowFarItIs(t *testing.T) {
	l := enterLab(t)
	for _, name := range []string{"one", "two", "three"} {
		fine(t, l.SeedRole(sweptAccount, lab.SeedRole{Name: name, TrustPolicy: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}`}))
	}
	defer l.Inject(lab.Fault{Action: "GetAccountAuthorizationDetails", Kind: lab.PartialAnswer})()
	out, errs, status := run("", "sweep", "--account", sweptAccount)
	for _, want := range []string{"reading the roles of account " + sweptAccount, "1 roles of account " + sweptAccount + " are read, and there are more", "2 roles of account " + sweptAccount + " are read, and there are more"} {
		if !strings.Contains(errs, want) {
			t.Errorf("it does not say %q: %s", want, errs)
		}
	}
	if status != 0 || !strings.Contains(out, "3 roles of account "+sweptAccount) || strings.Contains(out, "there are more") {
		t.Errorf("status %d: %s", status, out)
	}
}

// Whoever has the wrong credentials, or may not read the account, hears that, and
// nothing is called fine.
func TestAnAccountThatCannotBeSweptIsNotFine(t *testing.T) {
	l := enterLab(t)
	for _, c := range []struct {
		want string
		args []string
	}{
		{"these are credentials of account 111122223333: set AWS_PROFILE to a profile of account 444455556666", []string{"--account", "444455556666"}},
		{`"prod" is no account id`, []string{"--account", "prod"}},
		{"missing flags: --account=ID", nil},
		{"nothing.yaml: no such file", []string{"--account", sweptAccount, "--rules", "nothing.yaml"}},
	} {
		if out, errs, status := run("", append([]string{"sweep"}, c.args...)...); status != 3 || !strings.Contains(errs, c.want) || out != "" {
			t.Errorf("%v: status %d, %q", c.args, status, errs)
		}
	}
	remove := l.Inject(lab.Fault{Action: "GetAccountAuthorizationDetails", Kind: lab.AccessDenied})
	defer remove()
	out, errs, status := run("", "sweep", "--account", sweptAccount)
	if status != 2 || !strings.Contains(out, "not read:") || !strings.Contains(out, "AccessDenied") {
		t.Errorf("status %d: %s%s", status, out, errs)
	}
}
