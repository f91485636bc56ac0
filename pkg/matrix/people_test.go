package matrix

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/rolewarden/rolewarden/pkg/awsapi"
	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/invariant"
	"github.com/rolewarden/rolewarden/pkg/lab"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/role"
)

func arn(account, name string) string { return "arn:aws:iam::" + account + ":role/" + name }

// put seeds a role.
func (w *world) put(account, name, document string) {
	w.must(w.lab.SeedRole(account, lab.SeedRole{Name: name, TrustPolicy: document}))
	w.made(account, name)
}

// made notes a role's unique id.
func (w *world) made(account, name string) role.Role {
	r, _ := w.trust(account, name)
	w.note(0, invariant.Principal{ARN: r.ARN, ID: r.ID})
	return r
}

// create lets the account's administrator make a role.
func (w *world) create(account, name, document string) {
	_, err := w.admins[account].CreateRole(context.Background(), &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: &document})
	w.must(err)
	r := w.made(account, name)
	r.TrustPolicy = ""
	w.note(0, invariant.Wrote{Role: r, Call: invariant.UpdateTrust, Document: document, By: "the administrator", Event: w.last})
}

// update lets the account's administrator write a trust policy.
func (w *world) update(account, name, document string) {
	before, _ := w.trust(account, name)
	_, err := w.admins[account].UpdateAssumeRolePolicy(context.Background(), &iam.UpdateAssumeRolePolicyInput{RoleName: &name, PolicyDocument: &document})
	w.must(err)
	w.note(0, invariant.Wrote{Role: before, Call: invariant.UpdateTrust, Document: document, By: "the administrator", Event: w.last})
}

// baseline gives a role a sealed past.
func (w *world) baseline(account, name string) {
	r, _ := w.trust(account, name)
	doc, err := policy.Parse([]byte(r.TrustPolicy))
	w.must(err)
	run, cfg := w.started("person", deployment.SweepRole)
	seals, err := awsapi.NewSeals(awsapi.SealsConfig{AWS: cfg, KeyID: w.key})
	w.must(err)
	out, err := w.admins[prod].GetUser(run.ctx, &iam.GetUserInput{UserName: ptr("alice")})
	w.must(err)
	b := role.Baseline{
		Account: account, RoleID: r.ID, Document: r.TrustPolicy, Digest: doc.Digest("aws"), Principals: map[string]string{alice: *out.User.UserId},
		Provenance: role.Observed, Actor: arn(account, "admin"), EventID: "before", RulesHash: w.rules.Hash,
		Since: time.Now().Add(-48 * time.Hour), Sealed: time.Now().Add(-24 * time.Hour),
	}
	b.Seal, err = seals.Seal(run.ctx, b)
	w.must(err)
	w.must(w.memory.AddBaseline(run.ctx, b))
	w.note(0, invariant.Baselined{Baseline: b})
}

// lose lets something happen whose event is lost.
func (w *world) lose(do func()) {
	w.loose = true
	do()
	w.loose = false
}

func (w *world) deleteAlice() {
	_, err := w.admins[prod].DeleteUser(context.Background(), &iam.DeleteUserInput{UserName: ptr("alice")})
	w.must(err)
	w.lives("alice")
}

// lives notes whom a user's ARN stands for from now on.
func (w *world) lives(name string) {
	id := ""
	if out, err := w.admins[prod].GetUser(context.Background(), &iam.GetUserInput{UserName: &name}); err == nil {
		id = aws.ToString(out.User.UserId)
	}
	w.note(0, invariant.Principal{ARN: "arn:aws:iam::" + prod + ":user/" + name, ID: id})
}
