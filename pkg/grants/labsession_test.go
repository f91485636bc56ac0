package grants_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/grants"
	"github.com/rolewarden/rolewarden/pkg/lab"
	"github.com/rolewarden/rolewarden/pkg/lab/judge"
	"github.com/rolewarden/rolewarden/pkg/remediate"
)

// deed is a call that would change something.
type deed struct {
	name string
	call func(c *iam.Client, role string) error
}

func (h *house) deeds() []deed {
	ctx := h.t.Context()
	return []deed{
		{"UpdateAssumeRolePolicy", func(c *iam.Client, role string) error {
			_, err := c.UpdateAssumeRolePolicy(ctx, &iam.UpdateAssumeRolePolicyInput{RoleName: &role, PolicyDocument: aws.String(serviceTrust)})
			return err
		}},
		{"TagRole", func(c *iam.Client, role string) error {
			_, err := c.TagRole(ctx, &iam.TagRoleInput{RoleName: &role, Tags: tags(remediate.TagKeys()...)})
			return err
		}},
		{"UntagRole", func(c *iam.Client, role string) error {
			_, err := c.UntagRole(ctx, &iam.UntagRoleInput{RoleName: &role, TagKeys: remediate.TagKeys()})
			return err
		}},
		{"PutRolePolicy", func(c *iam.Client, role string) error {
			_, err := c.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: &role, PolicyName: aws.String("x"), PolicyDocument: aws.String(allowAll)})
			return err
		}},
		{"DeleteRolePolicy", func(c *iam.Client, role string) error {
			_, err := c.DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{RoleName: &role, PolicyName: aws.String("x")})
			return err
		}},
		{"AttachRolePolicy", func(c *iam.Client, role string) error {
			_, err := c.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: &role, PolicyArn: aws.String("arn:" + h.world.Partition + ":iam::aws:policy/AdministratorAccess")})
			return err
		}},
		{"PutRolePermissionsBoundary", func(c *iam.Client, role string) error {
			_, err := c.PutRolePermissionsBoundary(ctx, &iam.PutRolePermissionsBoundaryInput{RoleName: &role, PermissionsBoundary: aws.String("arn:" + h.world.Partition + ":iam::aws:policy/AdministratorAccess")})
			return err
		}},
		{"Contain", func(c *iam.Client, role string) error {
			_, err := c.PutRolePermissionsBoundary(ctx, &iam.PutRolePermissionsBoundaryInput{RoleName: &role, PermissionsBoundary: aws.String(remediate.DenyAll(h.world.Partition))})
			return err
		}},
		{"DeleteRolePermissionsBoundary", func(c *iam.Client, role string) error {
			_, err := c.DeleteRolePermissionsBoundary(ctx, &iam.DeleteRolePermissionsBoundaryInput{RoleName: &role})
			return err
		}},
		{"DeleteRole", func(c *iam.Client, role string) error {
			_, err := c.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: &role})
			return err
		}},
		{"CreateRole", func(c *iam.Client, _ string) error {
			_, err := c.CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String("made"), AssumeRolePolicyDocument: aws.String(serviceTrust)})
			return err
		}},
		{"CreateUser", func(c *iam.Client, _ string) error {
			_, err := c.CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String("mallory")})
			return err
		}},
	}
}

// does checks which of the deeds a session can do on a role: those of the list
// and no others.
func (h *house) does(c *iam.Client, role string, can ...string) {
	h.t.Helper()
	for _, d := range h.deeds() {
		want := refuse
		for _, name := range can {
			if name == d.name {
				want = letIn
			}
		}
		h.is(d.name+" "+role, want, d.call(c, role))
	}
}

// widened attaches everything to a role of rolewarden's in prod, as somebody
// there might.
func (h *house) widened(name string) { h.permit(prod, name, "wider", allowAll) }

// T74, T75: a reading session, the guard's or the sweep's, reads roles and users of
// its account, one by one and all at once, and writes nothing, also where somebody
// gave its role everything.
func TestAReadingSessionReadsOnly(t *testing.T) {
	everywhere(t, func(t *testing.T, h *house) {
		h.must(h.lab.SeedUser(prod, "alice", "/"))
		for i, widen := range []func(string){func(string) {}, h.widened} {
			widen(deployment.ReaderRole)
			c := h.session([]string{deployment.GuardRole, deployment.SweepRole}[i], prod, deployment.ReaderRole)
			_, err := c.GetAccountAuthorizationDetails(t.Context(), &iam.GetAccountAuthorizationDetailsInput{})
			h.is("GetAccountAuthorizationDetails", letIn, err)
			_, err = c.GetRole(t.Context(), &iam.GetRoleInput{RoleName: aws.String("app")})
			h.is("GetRole", letIn, err)
			_, err = c.GetUser(t.Context(), &iam.GetUserInput{UserName: aws.String("alice")})
			h.is("GetUser", letIn, err)
			_, err = c.ListRoles(t.Context(), &iam.ListRolesInput{})
			h.is("ListRoles", refuse, err)
			_, err = c.ListUsers(t.Context(), &iam.ListUsersInput{})
			h.is("ListUsers", refuse, err)
			h.does(c, "app")
		}
	})
}

// T75: a writing session replaces trust policies, sets rolewarden's tags and
// contains by AWSDenyAll, and whoever takes it over can do no more: no
// permissions, no other boundary and none taken off, no new roles, no further
// session.
func TestAWritingSessionWritesTrustTagsAndDenyAllOnly(t *testing.T) {
	everywhere(t, func(t *testing.T, h *house) {
		for _, widen := range []func(string){func(string) {}, h.widened} {
			widen(deployment.RemediatorRole)
			keys, err := h.assume(h.lambda(deployment.GuardRole), h.asking(prod, deployment.RemediatorRole))
			h.must(err)
			c := iam.NewFromConfig(h.config(keys))
			_, err = c.GetRole(t.Context(), &iam.GetRoleInput{RoleName: aws.String("app")})
			h.is("GetRole", letIn, err)
			h.does(c, "app", "UpdateAssumeRolePolicy", "TagRole", "UntagRole", "Contain")
			_, err = c.ListRoles(t.Context(), &iam.ListRolesInput{})
			h.is("ListRoles", refuse, err)
			_, err = h.assume(keys, h.asking(prod, deployment.ReaderRole))
			h.is("a further session", refuse, err)
		}
	})
}

// T70: protected roles are out of reach for the writing session, their tags
// included: what the code never writes, the policy does not let it write.
func TestAWritingSessionTouchesNoProtectedRole(t *testing.T) {
	everywhere(t, func(t *testing.T, h *house) {
		protected := map[string]string{
			"OrganizationAccountAccessRole": "/", "AWSControlTowerExecution": "/", "aws-controltower-AdministratorExecutionRole": "/",
			"AWSControlTowerStackSetRole": "/service-role/", "stacksets-exec-0123456789abcdef": "/", "AWSCloudFormationStackSetExecutionRole": "/",
			"last-resort": "/breakglass/", "clerk": "/payroll/", "AWSReservedSSO_Admin_0123456789abcdef": "/aws-reserved/sso.amazonaws.com/",
			"AWSServiceRoleForSupport": "/aws-service-role/support.amazonaws.com/",
		}
		for name, path := range protected {
			h.must(h.lab.SeedRole(prod, lab.SeedRole{Name: name, Path: path, TrustPolicy: serviceTrust}))
		}
		for _, name := range []string{deployment.ReaderRole, deployment.RemediatorRole, deployment.CanaryWriterRole, deployment.CanaryTarget} {
			protected[name] = ""
		}
		for _, widen := range []func(string){func(string) {}, h.widened} {
			widen(deployment.RemediatorRole)
			c := h.session(deployment.GuardRole, prod, deployment.RemediatorRole)
			for name := range protected {
				h.does(c, name)
			}
		}
	})
}

// T57: a writing session sets and takes off rolewarden's tags, in whatever case
// the role spells them, and no others; one foreign key among them is one too
// many.
func TestAWritingSessionSetsRolewardensTagsOnly(t *testing.T) {
	everywhere(t, func(t *testing.T, h *house) {
		c, app := h.session(deployment.GuardRole, prod, deployment.RemediatorRole), aws.String("app")
		for _, tt := range []struct {
			keys []string
			want bool
		}{
			{[]string{"rolewarden:state"}, letIn},
			{[]string{"rolewarden:state", "rolewarden:finding", "rolewarden:at"}, letIn},
			{[]string{"Rolewarden:STATE"}, letIn},
			{[]string{"owner"}, refuse},
			{[]string{"rolewarden:state", "owner"}, refuse},
			{[]string{"rolewarden:states"}, refuse},
			{[]string{"rolewarden:exempt"}, refuse},
			{[]string{"rolewarden:"}, refuse},
		} {
			_, err := c.TagRole(t.Context(), &iam.TagRoleInput{RoleName: app, Tags: tags(tt.keys...)})
			h.is("TagRole "+tt.keys[len(tt.keys)-1], tt.want, err)
			_, err = c.UntagRole(t.Context(), &iam.UntagRoleInput{RoleName: app, TagKeys: tt.keys})
			h.is("UntagRole "+tt.keys[len(tt.keys)-1], tt.want, err)
		}
	})
}

// T28: ForAllValues holds where there is no key at all. A call without tags is
// no call on rolewarden's tags, and is not let through as one.
func TestACallWithoutTagsIsNotOneOnRolewardensTags(t *testing.T) {
	t.Parallel()
	for world, w := range worlds(t) {
		for _, action := range []string{"iam:TagRole", "iam:UntagRole"} {
			r := judge.Request{Action: action, Resource: roleARN(w, w.Account, "app"), Context: judge.NewContext()}
			if got := judged(t, grants.Remediator(w)).Identity(r).Effect; got != judge.Neither {
				t.Errorf("%s: %s without tags: %s", world, action, got)
			}
			r.Context.SetMany("aws:TagKeys", []string{remediate.TagState})
			if got := judged(t, grants.Remediator(w)).Identity(r).Effect; got != judge.Allow {
				t.Errorf("%s: %s: %s", world, action, got)
			}
		}
	}
}

// The canary's session reads and changes its one target; no other role, not
// even one beside it, and nothing else of the target.
func TestTheCanarysSessionTouchesItsTargetOnly(t *testing.T) {
	everywhere(t, func(t *testing.T, h *house) {
		h.role(prod, deployment.CanaryPath, "another", serviceTrust, "")
		for _, widen := range []func(string){func(string) {}, h.widened} {
			widen(deployment.CanaryWriterRole)
			c := h.session(deployment.CanaryRole, prod, deployment.CanaryWriterRole)
			_, err := c.GetRole(t.Context(), &iam.GetRoleInput{RoleName: aws.String(deployment.CanaryTarget)})
			h.is("GetRole", letIn, err)
			h.does(c, deployment.CanaryTarget, "UpdateAssumeRolePolicy")
			if h.wide(deployment.CanaryWriterRole) {
				continue
			}
			for _, other := range []string{"app", "another", deployment.RemediatorRole} {
				_, err := c.GetRole(t.Context(), &iam.GetRoleInput{RoleName: &other})
				h.is("GetRole "+other, refuse, err)
				h.does(c, other)
			}
		}
	})
}

// wide says whether somebody attached everything to a role in prod.
func (h *house) wide(name string) bool {
	out, err := h.admin(prod).ListRolePolicies(h.t.Context(), &iam.ListRolePoliciesInput{RoleName: &name})
	h.must(err)
	return len(out.PolicyNames) > 1
}
