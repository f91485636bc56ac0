package cli

import (
	"context"
	"fmt"
	"maps"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"

	"charm.land/lipgloss/v2"

	"github.com/rolewarden/rolewarden/pkg/awsapi/inspect"
	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/doctor"
)

type doctorVerb struct {
	Deployment string `required:"" help:"The deployment file (YAML)." placeholder:"FILE"`
	When       string `help:"before: is everything ready to deploy? after (if not given): does what is deployed work?" enum:"before,after" default:"after" placeholder:"before|after"`
	At         string `help:"Whose credentials these are: those of the deployment file's account (hub, if not given), of the management account, or of a member account. What can be seen depends on it." enum:"hub,management,member" default:"hub" placeholder:"hub|management|member"`
	form
}

// Help is the verb's long help.
func (doctorVerb) Help() string {
	return `It looks at what there is in AWS, with the credentials that the aws command would use, and says for each thing what it looked at, what it found and what to do. It writes nothing, and shows no secret.

    rolewarden doctor --deployment organization.yaml --when before
    rolewarden doctor --deployment organization.yaml
    AWS_PROFILE=management rolewarden doctor --deployment organization.yaml --at management

What these credentials may not look at is unknown, and never fine: the permission that is missing is named. All that it needs in the hub is in rolewarden-doctor.json, which make synth writes beside the templates. rolewarden schema doctor describes the JSON.

Status: 0 nothing is wrong (there may be warnings); 1 a problem was found; 2 something could not be looked at; 3 the deployment file cannot be used, or there are no credentials.`
}

// examined is the JSON form of the result.
type examined struct {
	Version    int             `json:"version"`
	Deployment string          `json:"deployment"`
	Way        string          `json:"way"`
	Account    string          `json:"account"`
	Region     string          `json:"region"`
	When       string          `json:"when"`
	At         string          `json:"at"`
	Checks     []doctor.Result `json:"checks"`
}

// Run makes every check.
func (v doctorVerb) Run(s *session) error {
	d, err := deployment.LoadDeployed(v.Deployment, s.now())
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	own, err := signedIn(ctx, d)
	if err != nil {
		return err
	}
	sight, err := inspect.New(own)
	if err != nil {
		return err
	}
	cfg := doctor.Config{Deployment: d, AWS: sight, When: whenNamed(v.When), Seat: seatNamed(v.At), Now: s.now()}
	result := examined{
		Version: 1, Deployment: d.File, Way: d.Way.String(), Account: d.Account, Region: d.Region,
		When: cfg.When.String(), At: cfg.Seat.String(), Checks: doctor.Examine(ctx, cfg),
	}
	for _, r := range result.Checks {
		s.end(statusOfCheck(r.State))
	}
	if v.Format == JSON {
		return writeLine(s.out, result)
	}
	return s.show(result.text())
}

// credentialsWait is how long credentials may take to come: the SDK asks
// several places in turn.
const credentialsWait = 30 * time.Second

// signedIn gives the person's own credentials. Without any, whatever is asked of
// AWS would only say so again.
func signedIn(ctx context.Context, d *deployment.Deployment) (inspect.Config, error) {
	waiting, cancel := context.WithTimeout(ctx, credentialsWait)
	defer cancel()
	own, err := inspect.Person(waiting, d.Region)
	own.Table = deployment.Table
	return own, err
}

func whenNamed(word string) doctor.When {
	if word == doctor.Before.String() {
		return doctor.Before
	}
	return doctor.After
}

func seatNamed(word string) doctor.Seat {
	for _, s := range []doctor.Seat{doctor.Management, doctor.Member} {
		if word == s.String() {
			return s
		}
	}
	return doctor.Hub
}

func statusOfCheck(s doctor.State) Status {
	switch s {
	case doctor.OK, doctor.Warning, doctor.Skipped:
		return Fine
	case doctor.Problem:
		return Found
	case doctor.Unknown:
		return Undecided
	default:
		return Undecided
	}
}

// text is the result for people: one line for what is well, more for the rest.
func (e examined) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s  way %s, account %s, %s; %s the deployment, seen from the %s account\n\n", bold.Render(plain(e.Deployment)), e.Way, e.Account, e.Region, e.When, e.At)
	widest := 0
	for _, r := range e.Checks {
		widest = max(widest, len(r.Check))
	}
	indent := strings.Repeat(" ", 9+widest+2)
	counts := map[doctor.State]int{}
	left := e.leftOut()
	for _, r := range e.Checks {
		counts[r.State]++
		if r.State == doctor.Skipped && len(left[r.Found[0]]) > 1 {
			continue
		}
		head := stateStyle(r.State).Render(fmt.Sprintf("%-7s", r.State)) + "  " + bold.Render(fmt.Sprintf("%-*s", widest, r.Check)) + "  "
		for _, f := range r.Found {
			b.WriteString(head + plain(f) + "\n")
			head = indent
		}
		if r.State == doctor.OK || r.State == doctor.Skipped {
			continue
		}
		for _, todo := range r.Do {
			b.WriteString(indent + faint.Render("do:") + " " + plain(todo) + "\n")
		}
		b.WriteString(indent + faint.Render("looked at: "+plain(r.Looked)) + "\n")
	}
	for _, why := range slices.Sorted(maps.Keys(left)) {
		if all := left[why]; len(all) > 1 {
			fmt.Fprintf(&b, "%s  %d checks: %s\n         %s\n", stateStyle(doctor.Skipped).Render("skipped"), len(all), plain(why), faint.Render(strings.Join(all, ", ")))
		}
	}
	fmt.Fprintf(&b, "\n%d checks:", len(e.Checks))
	for i, s := range []doctor.State{doctor.Problem, doctor.Unknown, doctor.Warning, doctor.OK, doctor.Skipped} {
		fmt.Fprintf(&b, "%s %d %s", map[bool]string{true: ","}[i > 0], counts[s], s)
	}
	return b.String() + "\n"
}

// leftOut gives the checks that were not made, by the reason. Those that share
// one are told together: they are many, and there is nothing to do about them.
func (e examined) leftOut() map[string][]string {
	out := map[string][]string{}
	for _, r := range e.Checks {
		if r.State == doctor.Skipped {
			out[r.Found[0]] = append(out[r.Found[0]], r.Check)
		}
	}
	return out
}

func stateStyle(s doctor.State) lipgloss.Style {
	switch s {
	case doctor.OK:
		return green
	case doctor.Problem:
		return red
	case doctor.Warning, doctor.Unknown:
		return amber
	case doctor.Skipped:
		return faint
	default:
		return amber
	}
}
