package cli

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"time"

	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/ledger"
)

type writesVerb struct {
	Action     string `arg:"" enum:"show,stop,allow" help:"show says how the kill switch stands; stop and allow turn it." placeholder:"show|stop|allow"`
	Deployment string `required:"" help:"The deployment file (YAML)." placeholder:"FILE"`
	Reason     string `help:"Why it is turned; kept beside the switch. Needed for stop and allow." placeholder:"TEXT"`
	form
}

// Help is the verb's long help.
func (writesVerb) Help() string {
	return `The kill switch is read before each write. While it stops them rolewarden goes on judging and telling, and holds what it would have written.

    rolewarden writes stop --deployment organization.yaml --reason "incident 4711"
    rolewarden writes show --deployment organization.yaml

It is an item of the ledger's table, and is turned with the credentials that the aws command would use, which must be of the deployment file's account and may read and write that table. Whose they are is kept beside the switch.

Status: 0 the switch was turned, or shows that writes are allowed; 1 it shows that they are stopped; 3 it cannot be read or turned.`
}

// turned is the JSON form of the result.
type turned struct {
	Version int    `json:"version"`
	Writes  string `json:"writes"`
	By      string `json:"by,omitempty"`
	Reason  string `json:"reason,omitempty"`
	At      string `json:"at,omitempty"`
}

// switchboard is where the switch is.
type switchboard interface {
	Setting(ctx context.Context) (ledger.Setting, bool, error)
	SetSwitch(ctx context.Context, s decision.Switch, by, reason string, at time.Time) error
}

// Run shows or turns the switch.
func (v writesVerb) Run(s *session) error {
	if v.Action != "show" && strings.TrimSpace(v.Reason) == "" {
		return &unusable{"--reason", "turning the switch needs a reason", `say why, such as --reason "incident 4711"`}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	hub, err := openHub(ctx, s, v.Deployment)
	if err != nil {
		return err
	}
	if err := v.turn(ctx, hub.table, hub.by, s.now()); err != nil {
		return err
	}
	return v.print(ctx, s, hub.table)
}

// turn turns the switch where that is asked for.
func (v writesVerb) turn(ctx context.Context, board switchboard, by string, now time.Time) error {
	switch v.Action {
	case "stop":
		return board.SetSwitch(ctx, decision.WritesStopped, by, v.Reason, now)
	case "allow":
		return board.SetSwitch(ctx, decision.WritesAllowed, by, v.Reason, now)
	}
	return nil
}

// print reads the switch, also after it was turned: what is read is what counts.
func (v writesVerb) print(ctx context.Context, s *session, board switchboard) error {
	set, ok, err := board.Setting(ctx)
	if err != nil {
		return err
	}
	out := turned{Version: 1, Writes: "allowed"}
	if ok {
		out.By, out.Reason, out.At = set.By, set.Reason, set.At.UTC().Format(time.RFC3339)
		if set.Switch != decision.WritesAllowed {
			out.Writes = "stopped"
			if v.Action == "show" {
				s.end(Found)
			}
		}
	}
	if v.Format == JSON {
		return writeLine(s.out, out)
	}
	text := "writes are " + bold.Render(out.Writes)
	if ok {
		text += fmt.Sprintf(", by %s at %s: %s", plain(out.By), out.At, plain(out.Reason))
	}
	return s.show(text + "\n")
}
