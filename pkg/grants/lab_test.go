package grants_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/aws/smithy-go"

	"github.com/rolewarden/rolewarden/pkg/awsapi/actions"
	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/grants"
	"github.com/rolewarden/rolewarden/pkg/lab"
)

const (
	stranger = "999999999999"
	allowAll = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`
)

// house is an organization in the lab, which decides policies with an
// evaluator of its own, with rolewarden's roles in it.
type house struct {
	t     *testing.T
	lab   *lab.Lab
	url   string
	world grants.World
}

// newHouse makes the hub's roles, and those of the members in the hub and in prod.
func newHouse(t *testing.T, w grants.World) *house {
	t.Helper()
	l, err := lab.New(lab.Config{
		Partition: w.Partition, OrganizationID: ourOrg, ManagementAccount: hub, Now: func() time.Time { return noon() },
		Accounts: []lab.Account{{ID: hub, Name: "hub"}, {ID: prod, Name: "prod"}, {ID: dev, Name: "dev"}, {ID: stranger, Name: "mallory", Outside: true}},
	})
	if err != nil {
		t.Fatal(err)
	}
	server, err := l.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	h := &house{t: t, lab: l, url: server.URL, world: w}
	l.Topic(hub, deployment.AlertTopic)
	l.Topic(hub, "somebody-elses")
	for function, name := range map[string]string{actions.Guard: deployment.GuardRole, actions.Notify: deployment.NotifyRole, actions.Sweep: deployment.SweepRole, actions.Canary: deployment.CanaryRole} {
		h.role(hub, deployment.Path, name, grants.FunctionTrust(w, function).JSON(), grants.Function(w, function, resources(w, function)).JSON())
	}
	for _, account := range []string{hub, prod} {
		m := w
		m.Account = account
		h.role(account, deployment.Path, deployment.ReaderRole, grants.ReaderTrust(m).JSON(), grants.Reader(m).JSON())
		h.role(account, deployment.Path, deployment.RemediatorRole, grants.RemediatorTrust(m).JSON(), grants.Remediator(m).JSON())
		h.role(account, deployment.Path, deployment.CanaryWriterRole, grants.CanaryWriterTrust(m).JSON(), grants.CanaryWriter(m).JSON())
		h.role(account, deployment.CanaryPath, deployment.CanaryTarget, grants.CanaryTargetTrust(m).JSON(), "")
		h.role(account, "/", "app", serviceTrust, "")
	}
	return h
}

const serviceTrust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}`

func (h *house) config(c lab.Credentials) aws.Config {
	return aws.Config{
		Region: h.world.Region, BaseEndpoint: aws.String(h.url), Retryer: func() aws.Retryer { return aws.NopRetryer{} },
		Credentials: credentials.NewStaticCredentialsProvider(c.AccessKeyID, c.SecretAccessKey, c.SessionToken),
	}
}

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) admin(account string) *iam.Client {
	h.t.Helper()
	keys, err := h.lab.Admin(account)
	h.must(err)
	return iam.NewFromConfig(h.config(keys))
}

// role makes a role over the API, as CloudFormation does.
func (h *house) role(account, path, name, trust, permissions string) {
	h.t.Helper()
	_, err := h.admin(account).CreateRole(h.t.Context(), &iam.CreateRoleInput{Path: &path, RoleName: &name, AssumeRolePolicyDocument: &trust})
	h.must(err)
	if permissions != "" {
		h.permit(account, name, "rolewarden", permissions)
	}
}

func (h *house) permit(account, name, policyName, permissions string) {
	h.t.Helper()
	_, err := h.admin(account).PutRolePolicy(h.t.Context(), &iam.PutRolePolicyInput{RoleName: &name, PolicyName: &policyName, PolicyDocument: &permissions})
	h.must(err)
}

// lambda gives the credentials that Lambda gives a function.
func (h *house) lambda(name string) lab.Credentials {
	h.t.Helper()
	keys, err := h.lab.AssumeAsService(lab.ServiceCall{Service: "lambda.amazonaws.com", RoleARN: roleARN(h.world, hub, "rolewarden/"+name), SessionName: name})
	h.must(err)
	return keys
}

// asking is what the code asks for, in an account's role.
func (h *house) asking(account, name string) *sts.AssumeRoleInput {
	return &sts.AssumeRoleInput{
		RoleArn: aws.String(roleARN(h.world, account, "rolewarden/"+name)), RoleSessionName: aws.String(actions.ReaderSession),
		SourceIdentity: aws.String(actions.ReaderSourceIdentity), ExternalId: aws.String(shared),
	}
}

func (h *house) assume(c lab.Credentials, in *sts.AssumeRoleInput) (lab.Credentials, error) {
	out, err := sts.NewFromConfig(h.config(c)).AssumeRole(h.t.Context(), in)
	if err != nil {
		return lab.Credentials{}, err
	}
	return lab.Credentials{AccessKeyID: *out.Credentials.AccessKeyId, SecretAccessKey: *out.Credentials.SecretAccessKey, SessionToken: *out.Credentials.SessionToken}, nil
}

// session opens a session as the hub's function does.
func (h *house) session(function, account, name string) *iam.Client {
	h.t.Helper()
	keys, err := h.assume(h.lambda(function), h.asking(account, name))
	h.must(err)
	return iam.NewFromConfig(h.config(keys))
}

// denied says whether AWS refused a call; any other failure ends the test.
func (h *house) denied(err error) bool {
	h.t.Helper()
	var api smithy.APIError
	if errors.As(err, &api) && strings.HasPrefix(api.ErrorCode(), "AccessDenied") {
		return true
	}
	h.must(err)
	return false
}

// is checks that a call is refused, or is not.
func (h *house) is(what string, want bool, err error) {
	h.t.Helper()
	if got := h.denied(err); got != want {
		h.t.Errorf("%s: refused is %v, want %v: %v", what, got, want, err)
	}
}

// everywhere runs a test in the lab of each partition.
func everywhere(t *testing.T, test func(t *testing.T, h *house)) {
	t.Parallel()
	for _, partition := range []string{"aws", "aws-cn", "aws-us-gov"} {
		t.Run(partition, func(t *testing.T) { test(t, newHouse(t, worlds(t)[partition])) })
	}
}

const (
	letIn  = false
	refuse = true
)

// T72: the lab, too, lets in the hub's role under the right names and nobody
// else, though everybody here may assume whatever they like.
func TestTheLabLetsInTheHubsRoleOnly(t *testing.T) {
	everywhere(t, func(t *testing.T, h *house) {
		guard, canary := h.lambda(deployment.GuardRole), h.lambda(deployment.CanaryRole)
		try := func(what string, want bool, who lab.Credentials, in *sts.AssumeRoleInput, edits ...func(*sts.AssumeRoleInput)) {
			t.Helper()
			for _, edit := range edits {
				edit(in)
			}
			_, err := h.assume(who, in)
			h.is(what, want, err)
		}
		for _, account := range []string{hub, prod} {
			reader, writer, target := h.asking(account, deployment.ReaderRole), h.asking(account, deployment.RemediatorRole), h.asking(account, deployment.CanaryWriterRole)
			try("guard reads", letIn, guard, reader)
			try("guard writes", letIn, guard, writer)
			try("the canary writes its target", letIn, canary, target)
			try("guard as canary", refuse, guard, target)
			try("the canary reads", refuse, canary, reader)
			try("the canary writes", refuse, canary, writer)
			try("the sweep reads", letIn, h.lambda(deployment.SweepRole), reader)
			try("the sweep writes", refuse, h.lambda(deployment.SweepRole), writer)
			try("the sweep as canary", refuse, h.lambda(deployment.SweepRole), target)
			try("notify reads", refuse, h.lambda(deployment.NotifyRole), reader)
			for name, edit := range map[string]func(*sts.AssumeRoleInput){
				"no external id":       func(in *sts.AssumeRoleInput) { in.ExternalId = nil },
				"another external id":  func(in *sts.AssumeRoleInput) { in.ExternalId = aws.String("other") },
				"another session name": func(in *sts.AssumeRoleInput) { in.RoleSessionName = aws.String("admin") },
				"no source identity":   func(in *sts.AssumeRoleInput) { in.SourceIdentity = nil },
				"another's identity":   func(in *sts.AssumeRoleInput) { in.SourceIdentity = aws.String("alice") },
				"session tags": func(in *sts.AssumeRoleInput) {
					in.Tags = []ststypes.Tag{{Key: aws.String("a"), Value: aws.String("b")}}
				},
				"an account that lacks": func(in *sts.AssumeRoleInput) { in.RoleArn = h.asking(dev, deployment.ReaderRole).RoleArn },
			} {
				try(name, refuse, guard, h.asking(account, deployment.ReaderRole), edit)
			}
			for name, who := range h.impostors() {
				try(name, refuse, who, reader)
				try(name, refuse, who, writer)
				try(name, refuse, who, target)
			}
		}
	})
}

// impostors may assume any role, as far as their own policies go.
func (h *house) impostors() map[string]lab.Credentials {
	out := map[string]lab.Credentials{}
	for _, account := range []string{hub, prod, dev, stranger} {
		keys, err := h.lab.Admin(account)
		h.must(err)
		out["an administrator of "+account] = keys
		for _, name := range []string{"Admin", "rolewarden-guard-fn-2", deployment.GuardRole} {
			path := deployment.Path
			if name == "Admin" {
				path = "/"
			}
			arn := roleARN(h.world, account, path[1:]+name)
			if account != hub || name != deployment.GuardRole {
				h.anew(account, path, name, trusting(h.world, account), allowAll)
				session, err := h.assume(keys, &sts.AssumeRoleInput{RoleArn: &arn, RoleSessionName: aws.String(actions.ReaderSession)})
				h.must(err)
				out[arn] = session
			}
		}
	}
	return out
}

// anew makes a role, in the place of one of its name.
func (h *house) anew(account, path, name, trust, permissions string) {
	h.t.Helper()
	client := h.admin(account)
	if _, err := client.GetRole(h.t.Context(), &iam.GetRoleInput{RoleName: &name}); err == nil {
		for _, p := range []string{"rolewarden"} {
			_, err := client.DeleteRolePolicy(h.t.Context(), &iam.DeleteRolePolicyInput{RoleName: &name, PolicyName: &p})
			h.must(err)
		}
		_, err := client.DeleteRole(h.t.Context(), &iam.DeleteRoleInput{RoleName: &name})
		h.must(err)
	}
	h.role(account, path, name, trust, permissions)
}

func trusting(w grants.World, account string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:` + w.Partition + `:iam::` + account + `:root"},"Action":"sts:AssumeRole"}]}`
}

// T73: the hub's roles are deleted and made anew, with other unique ids, and
// still get into every account.
func TestTheHubsRoleMadeAnewStillGetsIn(t *testing.T) {
	everywhere(t, func(t *testing.T, h *house) {
		for function, name := range map[string]string{actions.Guard: deployment.GuardRole, actions.Sweep: deployment.SweepRole} {
			h.anew(hub, deployment.Path, name, grants.FunctionTrust(h.world, function).JSON(),
				grants.Function(h.world, function, resources(h.world, function)).JSON())
			_, err := h.assume(h.lambda(name), h.asking(prod, deployment.ReaderRole))
			h.is("the new role "+name, letIn, err)
		}
	})
}

// Of the hub's own calls those that the lab knows are let through, and no
// others: other topics, other calls.
func TestTheHubsRoleMakesItsCallsInTheLab(t *testing.T) {
	everywhere(t, func(t *testing.T, h *house) {
		guard := h.config(h.lambda(deployment.GuardRole))
		publish := func(name string) error {
			_, err := sns.NewFromConfig(guard).Publish(t.Context(), &sns.PublishInput{TopicArn: aws.String(here(h.world, "sns", name)), Message: aws.String("x")})
			var api smithy.APIError
			if errors.As(err, &api) && api.ErrorCode() == "AuthorizationError" {
				return &smithy.GenericAPIError{Code: "AccessDenied"}
			}
			return err
		}
		h.is("alerts", letIn, publish(deployment.AlertTopic))
		h.is("another topic", refuse, publish("somebody-elses"))
		_, err := organizations.NewFromConfig(guard).DescribeAccount(t.Context(), &organizations.DescribeAccountInput{AccountId: aws.String(prod)})
		h.is("DescribeAccount", letIn, err)
		_, err = iam.NewFromConfig(guard).GetRole(t.Context(), &iam.GetRoleInput{RoleName: aws.String("app")})
		h.is("GetRole with the function's own role", refuse, err)
		_, err = h.assume(h.lambda(deployment.GuardRole), &sts.AssumeRoleInput{RoleArn: aws.String(roleARN(h.world, hub, "app")), RoleSessionName: aws.String("rw-x")})
		h.is("another role", refuse, err)
	})
}

// T14: the sweep's role lists the organization's accounts, the guard's does not;
// and neither asks for units, or reads anything with its own role.
func TestTheSweepsRoleListsTheOrganizationInTheLab(t *testing.T) {
	everywhere(t, func(t *testing.T, h *house) {
		for name, want := range map[string]bool{deployment.SweepRole: letIn, deployment.GuardRole: refuse} {
			as := h.config(h.lambda(name))
			client := organizations.NewFromConfig(as)
			_, err := client.ListAccounts(t.Context(), &organizations.ListAccountsInput{})
			h.is("ListAccounts as "+name, want, err)
			_, err = client.ListRoots(t.Context(), &organizations.ListRootsInput{})
			h.is("ListRoots as "+name, refuse, err)
			_, err = client.DescribeAccount(t.Context(), &organizations.DescribeAccountInput{AccountId: aws.String(prod)})
			h.is("DescribeAccount as "+name, letIn, err)
			_, err = iam.NewFromConfig(as).GetAccountAuthorizationDetails(t.Context(), &iam.GetAccountAuthorizationDetailsInput{})
			h.is("GetAccountAuthorizationDetails as "+name, refuse, err)
		}
	})
}

// The canary's role lists what is below a root or unit, which AWS authorizes on
// its ARN; the sweep's and the guard's do not.
func TestOnlyTheCanarysRoleListsWhatIsBelowInTheLab(t *testing.T) {
	everywhere(t, func(t *testing.T, h *house) {
		admin, err := h.lab.Admin(hub)
		h.must(err)
		all, err := organizations.NewFromConfig(h.config(admin)).ListRoots(t.Context(), &organizations.ListRootsInput{})
		h.must(err)
		root := all.Roots[0].Id
		for name, want := range map[string]bool{deployment.CanaryRole: letIn, deployment.SweepRole: refuse, deployment.GuardRole: refuse} {
			client := organizations.NewFromConfig(h.config(h.lambda(name)))
			_, err = client.ListAccountsForParent(t.Context(), &organizations.ListAccountsForParentInput{ParentId: root})
			h.is("ListAccountsForParent as "+name, want, err)
			_, err = client.ListOrganizationalUnitsForParent(t.Context(), &organizations.ListOrganizationalUnitsForParentInput{ParentId: root})
			h.is("ListOrganizationalUnitsForParent as "+name, want, err)
		}
	})
}

// T61, T73: in the lab's KMS too the sweep alone seals, the guard alone checks, and nobody else does either: not the hub's administrator, who may do
// everything by IAM, and not by a key of one's own choice. A role that is made
// anew goes on.
func TestTheLabSealsForTheSweepOnly(t *testing.T) {
	everywhere(t, func(t *testing.T, h *house) {
		policy := grants.SealKeyPolicy(h.world).JSON()
		key, err := h.lab.SeedKey(hub, lab.SeedKey{ID: "8765dcba-12ab-34cd-56ef-1234567890ab", Policy: policy})
		h.must(err)
		another, err := h.lab.SeedKey(hub, lab.SeedKey{Policy: policy})
		h.must(err)
		h.anew(hub, deployment.Path, deployment.SweepRole, grants.FunctionTrust(h.world, actions.Sweep).JSON(),
			grants.Function(h.world, actions.Sweep, resources(h.world, actions.Sweep)).JSON())
		admin, err := h.lab.Admin(hub)
		h.must(err)
		seals := func(who lab.Credentials, key string, algorithm kmstypes.MacAlgorithmSpec) ([]byte, error) {
			out, err := kms.NewFromConfig(h.config(who)).GenerateMac(t.Context(), &kms.GenerateMacInput{KeyId: &key, Message: []byte("x"), MacAlgorithm: algorithm})
			if err != nil {
				return nil, err
			}
			return out.Mac, nil
		}
		const ours = kmstypes.MacAlgorithmSpecHmacSha256
		seal, err := seals(h.lambda(deployment.SweepRole), key, ours)
		h.must(err)
		_, err = seals(h.lambda(deployment.SweepRole), another, ours)
		h.is("the sweep seals with another key", refuse, err)
		for name, tt := range map[string]struct {
			who    lab.Credentials
			seals  bool
			checks bool
		}{
			"the sweep":        {h.lambda(deployment.SweepRole), letIn, refuse},
			"the guard":        {h.lambda(deployment.GuardRole), refuse, letIn},
			"the canary":       {h.lambda(deployment.CanaryRole), refuse, refuse},
			"notify":           {h.lambda(deployment.NotifyRole), refuse, refuse},
			"an administrator": {admin, refuse, refuse},
		} {
			_, err := seals(tt.who, key, ours)
			h.is(name+" seals", tt.seals, err)
			_, err = kms.NewFromConfig(h.config(tt.who)).VerifyMac(t.Context(), &kms.VerifyMacInput{KeyId: &key, Message: []byte("x"), Mac: seal, MacAlgorithm: ours})
			h.is(name+" checks", tt.checks, err)
		}
	})
}

// The canary's target lets nobody in, under whatever session name.
func TestTheCanarysTargetLetsNobodyInInTheLab(t *testing.T) {
	everywhere(t, func(t *testing.T, h *house) {
		admin, err := h.lab.Admin(prod)
		h.must(err)
		for _, name := range []string{"rolewarden", "rw-canary", "admin"} {
			_, err := h.assume(admin, &sts.AssumeRoleInput{RoleArn: aws.String(roleARN(h.world, prod, "rolewarden-canary/"+deployment.CanaryTarget)), RoleSessionName: &name})
			h.is(name, refuse, err)
		}
	})
}

func tags(keys ...string) []iamtypes.Tag {
	var out []iamtypes.Tag
	for _, k := range keys {
		out = append(out, iamtypes.Tag{Key: aws.String(k), Value: aws.String("x")})
	}
	return out
}
