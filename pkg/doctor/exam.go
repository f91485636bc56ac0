package doctor

import (
	"context"
	"errors"

	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// exam is one examination: its config, and the answers that several checks
// share, asked for once.
type exam struct {
	Config
	organization *once[Organization]
	accounts     *once[[]Account]
	roots        *once[[]Root]
	alarms       *once[[]Alarm]
	stacks       map[stackPlace]*once[Stack]
}

// once keeps the first answer, be it an error.
type once[T any] struct {
	ask   func(context.Context) (T, error)
	asked bool
	value T
	err   error
}

func (o *once[T]) get(ctx context.Context) (T, error) {
	if !o.asked {
		o.value, o.err = o.ask(ctx)
		o.asked = true
	}
	return o.value, o.err
}

func newExam(cfg Config) *exam {
	return &exam{
		Config:       cfg,
		organization: &once[Organization]{ask: cfg.AWS.Organization},
		accounts:     &once[[]Account]{ask: cfg.AWS.Accounts},
		roots:        &once[[]Root]{ask: cfg.AWS.Roots},
		alarms: &once[[]Alarm]{ask: func(ctx context.Context) ([]Alarm, error) {
			return cfg.AWS.Alarms(ctx, deployment.AlarmPrefix)
		}},
		stacks: map[stackPlace]*once[Stack]{},
	}
}

// stack gives a stack of the home Region.
func (e *exam) stack(ctx context.Context, name string) (Stack, error) {
	return e.stackIn(ctx, stackPlace{e.Deployment.Region, name})
}

// stackIn gives a stack, asked for once.
func (e *exam) stackIn(ctx context.Context, at stackPlace) (Stack, error) {
	if e.stacks[at] == nil {
		e.stacks[at] = &once[Stack]{ask: func(ctx context.Context) (Stack, error) { return e.AWS.Stack(ctx, at.region, at.name) }}
	}
	return e.stacks[at].get(ctx)
}

// deploy is what to do about something that the app's stack makes.
func (e *exam) deploy(stack string) string {
	way := e.Deployment.Way
	switch stack {
	case deployment.HubStack:
		way = deployment.Hub
	case deployment.MembersStack, deployment.ManagementStack:
		way = deployment.Members
	}
	command := "cdk deploy " + stack + " -c deployment=" + e.Deployment.File + " -c way=" + way.String()
	if stack == deployment.ManagementStack {
		return "Deploy with the management account's credentials: " + command
	}
	return "Deploy: " + command
}

// mainStack is the stack of the functions.
func (e *exam) mainStack() string {
	if e.Deployment.Way == deployment.Single {
		return deployment.SingleStack
	}
	return deployment.HubStack
}

// arn makes the ARN of something in the hub's Region.
func (e *exam) arn(service, name string) string {
	d := e.Deployment
	return "arn:" + d.Partition + ":" + service + ":" + d.Region + ":" + d.Account + ":" + name
}

// inOrganization says whether this is a deployment for an organization.
func inOrganization() []deployment.Way {
	return []deployment.Way{deployment.Hub, deployment.Members}
}

// absent says whether an error says that something does not exist.
func absent(err error) bool { return errors.Is(err, role.ErrNotFound) }
