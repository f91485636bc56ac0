package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/awsapi/actions"
	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/grants"
	"github.com/rolewarden/rolewarden/pkg/lab"
)

// The roles that rolewarden works with. In a deployment the member stack and
// the hub stack make them; in a house they are made over the IAM API with the
// same documents, so that what the lab refuses here AWS would refuse there.
const (
	hubRole    = "rolewarden/" + deployment.GuardRole
	sweepRole  = "rolewarden/" + deployment.SweepRole
	readerRole = "rolewarden/" + deployment.ReaderRole
	writerRole = "rolewarden/" + deployment.RemediatorRole
)

// split takes "path/name" apart as IAM wants it: "/path/" and "name".
func split(role string) (path, name string) {
	at := strings.LastIndexByte(role, '/') + 1
	return "/" + role[:at], role[at:]
}

// world is where rolewarden's documents hold in the house.
func (h *house) world(account, organization string) grants.World {
	return grants.World{
		Partition: h.partition(), Region: homeRegion, Hub: h.hub, Organization: organization,
		ExternalID: houseSecret, Account: account, Protected: h.rules.Protected,
	}
}

// makeRoles makes the roles over the IAM API, as the administrator of each
// account: the hub's, and in every account of the organization a reader and a
// writer.
func (h *house) makeRoles(ctx context.Context, cfg houseConfig, organization string) error {
	for _, account := range cfg.Accounts {
		if account.Outside {
			continue
		}
		w := h.world(account.ID, organization)
		made := []memberRole{
			{deployment.ReaderRole, grants.ReaderTrust(w), grants.Reader(w)},
			{deployment.RemediatorRole, grants.RemediatorTrust(w), grants.Remediator(w)},
		}
		if account.ID == cfg.Hub {
			made = append([]memberRole{
				{deployment.GuardRole, grants.FunctionTrust(w, actions.Guard), grants.Function(w, actions.Guard, h.resources(w))},
				{deployment.SweepRole, grants.FunctionTrust(w, actions.Sweep), grants.Function(w, actions.Sweep, h.resources(w))},
			}, made...)
		}
		admin, err := h.admin(account.ID)
		if err != nil {
			return err
		}
		for _, r := range made {
			if err := r.make(ctx, admin); err != nil {
				return fmt.Errorf("making role %s in account %s: %w", r.name, account.ID, err)
			}
		}
	}
	return nil
}

// resources are what the functions work on. In a house only the topic and the
// key are there; queues and ledger are in memory.
func (h *house) resources(w grants.World) grants.Resources {
	here := func(service, resource string) string {
		return "arn:" + w.Partition + ":" + service + ":" + w.Region + ":" + w.Hub + ":" + resource
	}
	later := here("sqs", deployment.LaterQueue)
	return grants.Resources{
		Table: here("dynamodb", "table/"+deployment.Table), Topic: h.topic, Consumes: []string{here("sqs", deployment.IntakeQueue), later}, Sends: []string{later},
		SealKey: h.key, LogGroup: here("logs", "log-group:"+deployment.LogPrefix+deployment.GuardFunction+":*"),
	}
}

// memberRole is a role of rolewarden's own.
type memberRole struct {
	name          string
	trust, policy grants.Document
}

func (r memberRole) make(ctx context.Context, admin person) error {
	if _, err := admin.call(ctx, "iam", "CreateRole", map[string]string{
		"Path": deployment.Path, "RoleName": r.name, "AssumeRolePolicyDocument": r.trust.JSON(),
	}); err != nil {
		return err
	}
	_, err := admin.call(ctx, "iam", "PutRolePolicy", map[string]string{
		"RoleName": r.name, "PolicyName": "rolewarden", "PolicyDocument": r.policy.JSON(),
	})
	return err
}

// admin is an account's administrator, at a desk of the company.
func (h *house) admin(account string) (person, error) {
	keys, err := h.lab.Admin(account)
	if err != nil {
		return person{}, err
	}
	return h.person(keys), nil
}

// person is the holder of some keys.
func (h *house) person(keys lab.Credentials) person {
	return person{endpoint: h.server.URL, keys: keys, agent: "aws-cli/2.31.2", address: "198.51.100.7", now: h.clock.Now}
}
