package cli

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/rolewarden/rolewarden/pkg/trail"
)

// watch handles messages as they come and prints what became of them, until
// the context ends.
func (h *house) watch(ctx context.Context, s *session) error {
	for {
		done, ok, next := h.handle(ctx)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // an interruption is how a lab ends
		}
		if ok {
			if err := s.show(liveText(done)); err != nil {
				return err
			}
			continue
		}
		ripe, err := h.ripen(ctx, s)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // an interruption is how a lab ends
		}
		if err != nil {
			return err
		}
		if next.IsZero() || !ripe.IsZero() && ripe.Before(next) {
			next = ripe
		}
		if !h.idle(ctx, next) {
			return nil
		}
	}
}

// idle waits until something arrives or is due; false when the context ended.
func (h *house) idle(ctx context.Context, next time.Time) bool {
	waiting, cancel := context.WithCancel(ctx)
	defer cancel()
	due := make(chan struct{})
	if !next.IsZero() {
		go func() {
			if h.clock.Wait(waiting, next.Sub(h.clock.Now())) == nil {
				close(due)
			}
		}()
	}
	select {
	case <-ctx.Done():
		return false
	case <-h.queue.arrived:
	case <-due:
	}
	return true
}

// liveText says what became of a message as it happens.
func liveText(d handled) string {
	var b strings.Builder
	if d.message.kind != laterStep {
		passingScene(&b, d.message.body)
	}
	if d.message.passing {
		return b.String()
	}
	t := &tale{}
	t.note(d)
	for _, s := range t.Scenes {
		s.print(&b, 1)
	}
	return b.String()
}

// passingScene says who called what. What rolewarden does to open its sessions
// is left out, and so is the second copy of an AssumeRole.
func passingScene(b *strings.Builder, envelope []byte) {
	c, err := trail.Parse(envelope)
	if err != nil || c.Ignored == trail.CallersCopy || strings.HasPrefix(c.EventName, "AssumeRole") && ownSession(c) {
		return
	}
	var e struct {
		Detail struct {
			ErrorCode         string `json:"errorCode"`
			RequestParameters struct {
				RoleName string `json:"roleName"`
				RoleARN  string `json:"roleArn"`
				UserName string `json:"userName"`
			} `json:"requestParameters"`
		} `json:"detail"`
	}
	result := ok
	if json.Unmarshal(envelope, &e) == nil && e.Detail.ErrorCode != "" {
		result = e.Detail.ErrorCode
	}
	named := e.Detail.RequestParameters
	who := c.Actor.ARN
	if who == "" {
		who = c.Actor.Type + " " + c.Actor.ID
	}
	what := strings.Join(strings.Fields(strings.Join([]string{c.EventName, named.RoleName, named.RoleARN, named.UserName}, " ")), " ")
	scene{Time: c.Time, Kind: Call, Account: c.Account, Who: who, Text: what, Result: result}.print(b, 1)
}

// ownSession says whether a session was opened by rolewarden or for it.
func ownSession(c trail.Change) bool {
	return strings.Contains(c.Actor.ARN, ":assumed-role/rolewarden-") || strings.Contains(c.RoleARN, ":role/rolewarden/")
}
