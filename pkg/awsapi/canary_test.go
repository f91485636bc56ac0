package awsapi_test

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/google/go-cmp/cmp"

	"github.com/rolewarden/rolewarden/pkg/awsapi"
	"github.com/rolewarden/rolewarden/pkg/awsapi/actions"
	"github.com/rolewarden/rolewarden/pkg/canary"
	"github.com/rolewarden/rolewarden/pkg/lab"
	"github.com/rolewarden/rolewarden/pkg/lab/judge"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/role"
)

const (
	canaryWriter = "rolewarden/rolewarden-canary-writer"
	canaryTarget = "rolewarden-canary/rolewarden-canary-target"
	canaryRule   = "rolewarden-forward"
)

// canaries opens the adapter under test, in a world whose account prod has the
// canary's two roles. What the writer role itself allows is wide on purpose:
// the session must be narrow all the same.
func (w *world) canaries(t *testing.T) *awsapi.CanarySessions {
	t.Helper()
	client := iam.NewFromConfig(w.admin(t, prod))
	trust := fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::%[1]s:root"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":%[2]q,"sts:RoleSessionName":"rw-canary"}}},{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::%[1]s:root"},"Action":"sts:SetSourceIdentity","Condition":{"StringEquals":{"sts:SourceIdentity":"rolewarden-canary"}}}]}`, hub, externalID)
	for name, document := range map[string]string{canaryWriter: trust, canaryTarget: canary.Document("aws", prod, now())} {
		path, name, _ := strings.Cut(name, "/")
		_, err := client.CreateRole(t.Context(), &iam.CreateRoleInput{Path: aws.String("/" + path + "/"), RoleName: &name, AssumeRolePolicyDocument: &document})
		if err != nil && !strings.Contains(err.Error(), "EntityAlreadyExists") {
			t.Fatal(err)
		}
		_, err = client.PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{RoleName: &name, PolicyName: aws.String("own"), PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:*","Resource":"*"}]}`)})
		must(t, err)
	}
	c, err := awsapi.NewCanarySessions(awsapi.CanaryConfig{AWS: w.hub, Now: now, ExternalID: awsapi.NewSecret(externalID), WriterRole: canaryWriter, Target: canaryTarget, Rule: canaryRule})
	must(t, err)
	return c
}

// What the canary writes is what the next reading shows, in its own form.
func TestTheCanaryReadsWhatItWrote(t *testing.T) {
	worlds(t, func(t *testing.T, w *world) {
		s, err := w.canaries(t).Open(t.Context(), prod)
		must(t, err)
		document := canary.Document("aws", prod, now().Add(1234567890))
		must(t, s.Write(t.Context(), document))
		r, err := s.Role(t.Context())
		must(t, err)
		if !sameTrust(t, r.TrustPolicy, document) || r.Path != "/rolewarden-canary/" || r.ID == "" || !r.ReadAt.Equal(now()) {
			t.Errorf("it reads %+v", r)
		}
	})
}

// sameTrust compares as IAM does.
func sameTrust(t *testing.T, a, b string) bool {
	t.Helper()
	x, err := policy.Parse([]byte(a))
	must(t, err)
	y, err := policy.Parse([]byte(b))
	must(t, err)
	return x.Equal(y, "aws")
}

// T74: the session can read and change the one role, read the one rule, and
// nothing else, whatever
// the member role allows, for 900 seconds, under names that CloudTrail shows.
func TestT74TheCanarysSessionIsGoodForOneRole(t *testing.T) {
	worlds(t, func(t *testing.T, w *world) {
		c := w.canaries(t)
		w.wire.take()
		_, err := c.Open(t.Context(), prod)
		must(t, err)
		asked := w.wire.take()
		if len(asked) != 1 || asked[0].call != "sts:AssumeRole" {
			t.Fatalf("calls: %+v", asked)
		}
		form := asked[0].form
		for key, want := range map[string]string{
			"RoleArn": "arn:aws:iam::" + prod + ":role/" + canaryWriter, "RoleSessionName": actions.CanarySession,
			"SourceIdentity": actions.CanarySourceIdentity, "DurationSeconds": "900", "ExternalId": externalID,
		} {
			if form.Get(key) != want {
				t.Errorf("%s is %q, want %q", key, form.Get(key), want)
			}
		}
		calls := regexp.MustCompile(`(iam|events):[A-Z][A-Za-z]+`).FindAllString(form.Get("Policy"), -1)
		if d := cmp.Diff(actions.Permissions(actions.Canary, actions.CanaryWriter), calls); d != "" {
			t.Errorf("the permissions (-listed +asked):\n%s", d)
		}
		narrow, err := judge.Parse([]byte(form.Get("Policy")))
		must(t, err)
		target := "arn:aws:iam::" + prod + ":role/" + canaryTarget
		may := func(action, arn string) bool {
			return narrow.Identity(judge.Request{Action: action, Resource: arn, Context: judge.NewContext()}).Effect == judge.Allow
		}
		rule := "arn:aws:events:us-east-1:" + prod + ":rule/" + canaryRule
		for _, action := range actions.Permissions(actions.Canary, actions.CanaryWriter) {
			its := target
			if strings.HasPrefix(action, "events:") {
				its = rule
			}
			if !may(action, its) {
				t.Errorf("the session may not %s on %s", action, its)
			}
			for _, other := range []string{
				rule + "x", "arn:aws:events:us-east-1:" + hub + ":rule/" + canaryRule, "arn:aws:events:us-east-1:" + prod + ":rule/bus/" + canaryRule, target + "x", "arn:aws:iam::" + prod + ":role/App", "arn:aws:iam::" + hub + ":role/" + canaryTarget, "*",
			} {
				if may(action, other) {
					t.Errorf("the session may %s on %s", action, other)
				}
			}
		}
		for _, action := range []string{"iam:PutRolePolicy", "iam:AttachRolePolicy", "iam:TagRole", "iam:DeleteRole", "sts:AssumeRole", "events:PutRule", "events:DisableRule", "events:ListTargetsByRule"} {
			if may(action, target) || may(action, rule) {
				t.Errorf("the session may %s", action)
			}
		}
	})
}

// A role in another path has the same name for IAM, which refuses: the session
// is for the ARN.
func TestTheCanarysSessionIsRefusedAnotherRoleOfTheName(t *testing.T) {
	w := labWorld(t)
	c := w.canaries(t)
	client := iam.NewFromConfig(w.admin(t, prod))
	_, name, _ := strings.Cut(canaryTarget, "/")
	_, err := client.DeleteRolePolicy(t.Context(), &iam.DeleteRolePolicyInput{RoleName: &name, PolicyName: aws.String("own")})
	must(t, err)
	_, err = client.DeleteRole(t.Context(), &iam.DeleteRoleInput{RoleName: &name})
	must(t, err)
	makeRole(t, w, name, "/")
	s, err := c.Open(t.Context(), prod)
	must(t, err)
	if _, err := s.Role(t.Context()); !errors.Is(err, role.ErrAccessDenied) {
		t.Errorf("reading: %v", err)
	}
	if err := s.Write(t.Context(), canary.Document("aws", prod, now())); !errors.Is(err, role.ErrAccessDenied) {
		t.Errorf("writing: %v", err)
	}
}

// Refusals, throttles and lost answers are told apart, and no error shows the
// external id.
func TestTheCanarysErrorsAreSorted(t *testing.T) {
	for name, c := range map[string]struct {
		fault lab.Fault
		want  error
	}{
		"no role":         {lab.Fault{Service: "sts", Kind: lab.AccessDenied}, role.ErrAccessDenied},
		"read is denied":  {lab.Fault{Action: "GetRole", Kind: lab.AccessDenied}, role.ErrAccessDenied},
		"no target":       {lab.Fault{Action: "GetRole", Kind: lab.NotFound}, role.ErrNotFound},
		"throttled":       {lab.Fault{Action: "UpdateAssumeRolePolicy", Kind: lab.Throttle}, role.ErrThrottled},
		"lost":            {lab.Fault{Action: "UpdateAssumeRolePolicy", Kind: lab.TimeoutAfter}, role.ErrUncertain},
		"write is denied": {lab.Fault{Action: "UpdateAssumeRolePolicy", Kind: lab.AccessDenied}, role.ErrAccessDenied},
	} {
		t.Run(name, func(t *testing.T) {
			w := labWorld(t)
			canaries := w.canaries(t)
			w.lab.Inject(c.fault)
			err := func() error {
				s, err := canaries.Open(t.Context(), prod)
				if err != nil {
					return err
				}
				if _, err = s.Role(t.Context()); err != nil {
					return err
				}
				return s.Write(t.Context(), canary.Document("aws", prod, now()))
			}()
			if !errors.Is(err, c.want) || strings.Contains(fmt.Sprintf("%v %+v", err, err), externalID) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// What cannot work is refused at the start, or before any call.
func TestTheCanarysSettingsAreChecked(t *testing.T) {
	there := aws.Config{Region: "us-east-1"}
	for _, cfg := range []awsapi.CanaryConfig{
		{AWS: there, WriterRole: canaryWriter, Target: canaryTarget, Rule: canaryRule},
		{AWS: there, Now: now, Target: canaryTarget, Rule: canaryRule},
		{AWS: there, Now: now, WriterRole: canaryWriter, Rule: canaryRule},
		{AWS: there, Now: now, WriterRole: canaryWriter, Target: "rolewarden-canary/*", Rule: canaryRule},
		{AWS: there, Now: now, WriterRole: "/x", Target: canaryTarget, Rule: canaryRule},
		{AWS: there, Now: now, WriterRole: canaryWriter, Target: canaryTarget},
		{AWS: there, Now: now, WriterRole: canaryWriter, Target: canaryTarget, Rule: "rolewarden-*"},
		{AWS: there, Now: now, WriterRole: canaryWriter, Target: canaryTarget, Rule: "bus/rolewarden-forward"},
		{Now: now, WriterRole: canaryWriter, Target: canaryTarget, Rule: canaryRule},
	} {
		if _, err := awsapi.NewCanarySessions(cfg); err == nil {
			t.Errorf("%+v: taken", cfg)
		}
	}
	w := labWorld(t)
	c := w.canaries(t)
	w.wire.take()
	for _, account := range []string{"", "1", "*", "11112222333x"} {
		if _, err := c.Open(t.Context(), account); err == nil {
			t.Errorf("account %q: taken", account)
		}
	}
	if calls := w.wire.calls(); len(calls) != 0 {
		t.Errorf("calls: %v", calls)
	}
}
