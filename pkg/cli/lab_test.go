package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rolewarden/rolewarden/pkg/toolstest"
)

// output is what a verb has printed so far.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
	more chan struct{}
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.text.Write(p)
	select {
	case o.more <- struct{}{}:
	default:
	}
	return len(p), nil
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// waitFor waits until all the texts have been printed, in this order.
func (o *output) waitFor(ctx context.Context, t *testing.T, texts ...string) {
	t.Helper()
	for {
		rest, missing := o.String(), ""
		for _, text := range texts {
			_, after, found := strings.Cut(rest, text)
			if !found {
				missing = text
				break
			}
			rest = after
		}
		if missing == "" {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("%q was not printed in:\n%s", missing, o)
		case <-o.more:
		}
	}
}

// servedLab is a lab that serves while a test runs.
type servedLab struct {
	out         *output
	credentials string
	endpoint    string
	stop        func() error
}

// serveLab starts the verb lab on a free port, and waits until it is ready.
func serveLab(ctx context.Context, t *testing.T, v labVerb) *servedLab {
	t.Helper()
	o := &output{more: make(chan struct{}, 1)}
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	s := newSession(Streams{In: strings.NewReader(""), Out: o, Err: o}, nil, time.Now)
	go func() { ended <- v.serve(ctx, s) }()
	t.Cleanup(cancel)
	o.waitFor(ctx, t, "Accounts: ")
	served := &servedLab{out: o, stop: func() error { cancel(); return <-ended }}
	_, rest, _ := strings.Cut(o.String(), "AWS_SHARED_CREDENTIALS_FILE=")
	served.credentials, rest, _ = strings.Cut(rest, " AWS_ENDPOINT_URL=")
	served.endpoint, _, _ = strings.Cut(rest, "\n")
	return served
}

// aws runs the real aws command line against a lab.
func (l *servedLab) aws(ctx context.Context, t *testing.T, command string, args ...string) (string, error) {
	t.Helper()
	c := exec.CommandContext(ctx, command, args...)
	c.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "AWS_CONFIG_FILE=" + os.DevNull, "AWS_PAGER=",
		"AWS_SHARED_CREDENTIALS_FILE=" + l.credentials, "AWS_ENDPOINT_URL=" + l.endpoint,
	}
	out, err := c.CombinedOutput()
	return string(out), err
}

// The unmodified aws command line works with the lab, and what rolewarden does
// is seen through it: a role that is opened is closed again.
func TestTheAWSCommandLineWorksWithTheLab(t *testing.T) {
	t.Parallel()
	aws := toolstest.Program(t, "aws")
	// Only a lab that hangs needs this.
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	l := serveLab(ctx, t, labVerb{Listen: "127.0.0.1:0", Speed: 1000})
	must := func(args ...string) string {
		t.Helper()
		out, err := l.aws(ctx, t, aws, args...)
		if err != nil {
			t.Fatalf("aws %s: %v\n%s\n%s", strings.Join(args, " "), err, out, l.out)
		}
		return out
	}
	own := trusting("AWS", quote("arn:aws:iam::"+dev+":root"), assumeRole, underOwn)
	open := trusting("AWS", quote("arn:aws:iam::"+dev+":root"), assumeRole, "")

	must("--profile", "dev", "iam", "create-user", "--user-name", "alice")
	must("--profile", "prod", "iam", "create-role", "--role-name", "ops", "--assume-role-policy-document", own)
	l.out.waitFor(ctx, t, "CreateUser alice", "CreateRole ops", "rolewarden in prod: Compliant", "is a baseline now")
	session := must("--profile", "dev", "sts", "assume-role", "--role-arn", roleARN(prod, "ops"), "--role-session-name", "lab-admin")
	if !strings.Contains(session, `"SessionToken"`) {
		t.Errorf("sts assume-role answers %s", session)
	}
	must("--profile", "prod", "iam", "update-assume-role-policy", "--role-name", "ops", "--policy-document", open)
	l.out.waitFor(ctx, t, "UpdateAssumeRolePolicy ops", "rolewarden in prod: Noncompliant", "Revert done", "trust policy reverted in account "+prod)
	var got, want any
	if err := json.Unmarshal([]byte(must("--profile", "prod", "iam", "get-role", "--role-name", "ops", "--query", "Role.AssumeRolePolicyDocument")), &got); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(own), &want); err != nil {
		t.Fatal(err)
	}
	if g, w := compactJSON(t, got), compactJSON(t, want); g != w {
		t.Errorf("after the revert the role has %s, want %s", g, w)
	}
	if out, err := l.aws(ctx, t, aws, "--profile", "dev", "sts", "assume-role", "--role-arn", roleARN(prod, "ops"), "--role-session-name", "bob"); err == nil || !strings.Contains(out, "AccessDenied") {
		t.Errorf("under somebody else's name: %v %s", err, out)
	}
	l.out.waitFor(ctx, t, "AssumeRole -> AccessDenied")
	if err := l.stop(); err != nil {
		t.Error(err)
	}
}

func compactJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// The keys of a lab are for its owner only, and are gone when it ends unless
// somebody named the file.
func TestTheCredentialsFileIsPrivate(t *testing.T) {
	t.Parallel()
	l := serveLab(t.Context(), t, labVerb{Listen: "127.0.0.1:0", Speed: 1})
	info, err := os.Stat(l.credentials)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
	text, err := os.ReadFile(l.credentials)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{"[security]", "[prod]", "[dev]", "[acme]", "endpoint_url = " + l.endpoint} {
		if !strings.Contains(string(text), p) {
			t.Errorf("the credentials file has no %s", p)
		}
	}
	if err := l.stop(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(l.credentials); err == nil {
		t.Error("the temporary credentials file is left behind")
	}

	named := filepath.Join(t.TempDir(), "named")
	for range 2 {
		// A second lab may replace the file of the first.
		l = serveLab(t.Context(), t, labVerb{Listen: "127.0.0.1:0", Speed: 1, Credentials: named})
		if err := l.stop(); err != nil {
			t.Error(err)
		}
	}
	if info, err := os.Stat(named); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
}

// No lab overwrites a file that is not a lab's, listens where others reach it
// without being told to, or takes a rules file without accounts.
func TestALabRefusesWhatIsUnsafe(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	mine := write("credentials", "[default]\naws_access_key_id = AKIAEXAMPLE\n")
	empty := write("rules.yaml", "version: 1\n")
	for name, c := range map[string]struct {
		v    labVerb
		want string
	}{
		"somebody's credentials": {labVerb{Listen: "127.0.0.1:0", Speed: 1, Credentials: mine}, "there is a file that is no lab's"},
		"every address":          {labVerb{Listen: "0.0.0.0:0", Speed: 1}, "--allow-remote"},
		"no address":             {labVerb{Listen: ":0", Speed: 1}, "--allow-remote"},
		"a name":                 {labVerb{Listen: "lab.acme.example:0", Speed: 1}, "--allow-remote"},
		"no port":                {labVerb{Listen: "127.0.0.1", Speed: 1}, "write 127.0.0.1:9290"},
		"no accounts":            {labVerb{Listen: "127.0.0.1:0", Speed: 1, Rules: empty}, "it names no account"},
		"no speed":               {labVerb{Listen: "127.0.0.1:0"}, "--speed 0"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// A lab that is not refused ends at once.
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			s := newSession(Streams{In: strings.NewReader(""), Out: &bytes.Buffer{}, Err: &bytes.Buffer{}}, nil, time.Now)
			if err := c.v.serve(ctx, s); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
	if text, err := os.ReadFile(mine); err != nil || !strings.Contains(string(text), "AKIAEXAMPLE") {
		t.Errorf("the file was overwritten: %s %v", text, err)
	}
}

// A lab whose rules file lists the accounts has those, by name.
func TestALabHasTheAccountsOfTheRulesFile(t *testing.T) {
	t.Parallel()
	l := serveLab(t.Context(), t, labVerb{Listen: "127.0.0.1:0", Speed: 1, Rules: "../../testdata/org/example.yaml"})
	for _, want := range []string{"prod 111122223333", "management 999999999999", "acme 444455556666 (outside the organization)"} {
		if !strings.Contains(l.out.String(), want) {
			t.Errorf("the lab does not say %q:\n%s", want, l.out)
		}
	}
	if err := l.stop(); err != nil {
		t.Error(err)
	}
}
