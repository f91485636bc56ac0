package cli

import (
	"context"
	"strings"
	"time"

	"github.com/rolewarden/rolewarden/pkg/access"
)

// The accounts of the stories.
const (
	security = "111122223333"
	prod     = "222222222222"
	dev      = "444455556666"
	partner  = "777788889999"
	stranger = "999999999999"
)

// aStory is one story: its seed's name, its title, and how it goes.
type aStory struct {
	id, title string
	tell      func(context.Context, *tale)
}

// stories gives the stories in the order in which they are told.
func stories() []aStory {
	return []aStory{
		{"S1", "A role is opened to a whole account, under whatever session name the caller likes", sessionNameStory},
		{"S3", "A trusted user is deleted, and somebody else gets the name", uniqueIDStory},
		{"S4", "Who comes through the identity provider carries a source identity", sourceIdentityStory},
		{"S5", "A partner without an external ID, and a stranger", externalIDStory},
		{"S2", "What rolewarden's own credentials are good for", narrowSessionStory},
		{"S6", "A failed call, a duplicate, an event out of order, and rolewarden's own write", noSecondWriteStory},
		{"S7", "Infrastructure code and rolewarden want different things of one role", flappingStory},
		{"S8", "More changes in an account than the limit on writes allows", breakerStory},
		{"S9", "An exemption ends, and nobody changes the role", exemptionStory},
	}
}

// trusting prints a trust policy of one statement.
func trusting(kind, principal, actions, condition string) string {
	if condition != "" {
		condition = `,"Condition":` + condition
	}
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"` + kind + `":` + principal + `},"Action":` + actions + condition + `}]}`
}

// quote makes one or several JSON strings.
func quote(values ...string) string {
	if len(values) == 1 {
		return `"` + values[0] + `"`
	}
	return `["` + strings.Join(values, `","`) + `"]`
}

const (
	assumeRole  = `"sts:AssumeRole"`
	underOwn    = `{"StringLike":{"sts:RoleSessionName":"${aws:username}"}}`
	credentials = "credentials"
	denied      = "AccessDenied"
	ok          = "ok"
)

// under is a request of a user under a session name.
func under(account, user, role, session string) access.Request {
	return access.Request{
		Actions: []string{"sts:AssumeRole"}, Role: role, Caller: access.Caller{AWS: "arn:aws:iam::" + account + ":user/" + user},
		Context: map[string]access.Value{"sts:RoleSessionName": access.One(session)},
	}
}

func roleARN(account, name string) string { return "arn:aws:iam::" + account + ":role/" + name }

// sessionNameStory is S1.
func sessionNameStory(ctx context.Context, t *tale) {
	root := quote("arn:aws:iam::" + dev + ":root")
	own, open := trusting("AWS", root, assumeRole, underOwn), trusting("AWS", root, assumeRole, "")
	carol := t.staff(ctx, prod, "carol")
	t.writes(ctx, carol, "CreateRole", "ops", own, "account dev may assume it, each user under their own name (${aws:username})")
	t.watch(ctx)
	t.expect("the verdict on the role with ${aws:username}", "Compliant", t.verdict("ops"))
	t.expect("alice calls herself alice", credentials, t.tries(ctx, "alice", under(dev, "alice", roleARN(prod, "ops"), "alice")))

	t.stand(ctx)
	dave := t.staff(ctx, prod, "dave")
	t.writes(ctx, dave, "UpdateAssumeRolePolicy", "ops", open, "the condition is gone")
	witness := t.witness(ctx, "ops", "session-name")
	t.expect("the witness, tried before rolewarden acts", credentials, t.tries(ctx, "the witness", witness))
	t.pass(ctx, 12*time.Second)
	t.watch(ctx)
	t.expect("the verdict on the opened role", "Noncompliant session-name", t.verdict("ops"))
	t.expect("what was done", "Revert", t.done("ops"))
	t.expect("the same request again", denied, t.tries(ctx, "the witness", witness))
	t.expect("alice calls herself alice", credentials, t.tries(ctx, "alice", under(dev, "alice", roleARN(prod, "ops"), "alice")))
	t.expect("the role's trust policy", own, t.trust(ctx, "ops"))
	t.expect("the alerts", "opened, resolved", t.states())
}
