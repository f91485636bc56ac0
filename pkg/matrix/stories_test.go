package matrix

import (
	"context"
	"net/url"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/rolewarden/rolewarden/pkg/awsapi/actions"
	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/invariant"
	"github.com/rolewarden/rolewarden/pkg/remediate"
)

func decode(text string) (string, error) { return url.PathUnescape(text) }

// story is one thing that happens in an organization. What sets it up goes well;
// what happens then is where a call goes wrong.
type story struct {
	name string
	// tells says what people must hear of: the role's ARN, or nothing.
	tells string
	setup func(w *world)
	acts  func(w *world)
	// past says that the role has a baseline.
	past bool
	// pruned is the document that may be written beside the baseline.
	pruned string
	// event is which of the events that were received counts.
	event int
	// state says how things stand; by the event when nil.
	state func(w *world) string
	// good says whether all is well in the end; a reason when not.
	good func(w *world) string
}

// past sets up a role that was good for long.
func past(account, name string) func(*world) {
	return func(w *world) {
		w.put(account, name, closed)
		w.baseline(account, name)
		time.Sleep(24 * time.Hour)
	}
}

// stands asks for a document.
func stands(account, name, document string) func(*world) string {
	return func(w *world) string {
		r, ok := w.trust(account, name)
		if !ok || !w.same(r.TrustPolicy, document) {
			return "the role " + name + " shows " + r.TrustPolicy
		}
		return ""
	}
}

// known gives a role a past in the ledger, the way it comes about: by its event.
func (w *world) known(account, name, document string) {
	w.put(account, name, onlyEC2)
	w.update(account, name, document)
	w.run(time.Now().Add(10 * time.Minute))
	w.keys, w.ends = nil, nil
}

// sweepState says how a sweep went.
func sweepState(w *world) string {
	if w.unbegun {
		return "no sweep"
	}
	last, ok, err := w.memory.Swept(context.Background(), "latest", "organization")
	w.must(err)
	if !ok {
		return "no sweep"
	}
	_, accounts, _, err := w.memory.Sweeping(context.Background(), last.Marker)
	w.must(err)
	ended, gaps := 0, 0
	for _, a := range accounts {
		if !a.Ended.IsZero() {
			ended++
		}
		if a.Problem != "" {
			gaps++
		}
	}
	switch {
	case gaps > 0:
		return "gap told"
	case ended >= 2:
		return "swept"
	case len(w.dead) > 0:
		return "DLQ"
	}
	return "unfinished"
}

// both gives the first reason of several.
func both(all ...func(*world) string) func(*world) string {
	return func(w *world) string {
		for _, f := range all {
			if why := f(w); why != "" {
				return why
			}
		}
		return ""
	}
}

// untagged asks that a role bears none of our tags, tagged that it does.
func untagged(account, name string) func(*world) string {
	return func(w *world) string {
		if r, _ := w.trust(account, name); len(r.Tags) > 0 {
			return "the role still has tags"
		}
		return ""
	}
}

func tagged(account, name string) func(*world) string {
	return func(w *world) string {
		if r, _ := w.trust(account, name); len(r.Tags) == 0 {
			return "the role has no tags"
		}
		return ""
	}
}

// quarantined asks that nobody gets in.
func quarantined(account, name string) func(*world) string {
	return func(w *world) string {
		if r, _ := w.trust(account, name); !remediate.IsQuarantine(r.TrustPolicy) {
			return "the role lets people in: " + r.TrustPolicy
		}
		return ""
	}
}

// contained asks for a permissions boundary.
func contained(account, name string) func(*world) string {
	return func(w *world) string {
		if r, _ := w.trust(account, name); r.Boundary == "" {
			return "the role has no permissions boundary"
		}
		return ""
	}
}

// sealed asks for a baseline of a document.
func sealed(account, name string) func(*world) string {
	return func(w *world) string {
		r, _ := w.trust(account, name)
		all, err := w.memory.Baselines(context.Background(), account, r.ID)
		w.must(err)
		if len(all) == 0 || !w.same(all[0].Document, r.TrustPolicy) {
			return "no baseline was sealed"
		}
		return ""
	}
}

func nothing(*world) string { return "" }

// stories are as few as make every call.
func stories() []story {
	return []story{
		{
			name: "revert", tells: arn(prod, "app"), setup: past(prod, "app"), past: true,
			acts: func(w *world) { w.update(prod, "app", opened) },
			good: stands(prod, "app", closed),
		},
		{
			name: "quarantine", tells: arn(prod, "born"), setup: func(*world) {},
			acts: func(w *world) { w.create(prod, "born", opened) },
			good: both(quarantined(prod, "born"), tagged(prod, "born")),
		},
		{
			name: "tag", tells: arn(trial, "app"), setup: func(w *world) { w.put(trial, "app", onlyEC2) },
			acts: func(w *world) { w.update(trial, "app", opened) },
			good: both(stands(trial, "app", opened), tagged(trial, "app")),
		},
		{
			name: "clear", setup: func(w *world) { w.known(trial, "app", opened) },
			acts: func(w *world) { w.update(trial, "app", onlyEC2) },
			good: both(stands(trial, "app", onlyEC2), untagged(trial, "app")),
		},
		{
			name: "contain", tells: arn(prod, "app"), setup: past(prod, "app"), past: true,
			acts: func(w *world) { w.update(prod, "app", public) },
			good: both(stands(prod, "app", closed), contained(prod, "app")),
		},
		{
			name: "user deleted", tells: "user/alice", setup: func(w *world) { w.known(prod, "app", closed); w.known(prod, "other", closed) },
			acts: func(w *world) { w.deleteAlice() },
			good: nothing,
		},
		{
			name: "prune", tells: arn(prod, "app"), pruned: onlyEC2, setup: func(w *world) { w.known(prod, "app", mixed) },
			acts: func(w *world) { w.deleteAlice() },
			good: stands(prod, "app", onlyEC2),
		},
		{
			name: "user renamed", setup: func(w *world) { w.known(prod, "app", closed) },
			acts: func(w *world) {
				_, err := w.admins[prod].UpdateUser(context.Background(), &iam.UpdateUserInput{UserName: ptr("alice"), NewUserName: ptr("alicia")})
				w.must(err)
				w.lives("alice")
				w.lives("alicia")
			},
			good: nothing,
		},
		{
			name: "good change", setup: func(w *world) { w.known(prod, "app", closed) },
			acts: func(w *world) { w.update(prod, "app", narrow) },
			good: stands(prod, "app", narrow),
		},
		{
			name: "stopped", tells: arn(prod, "app"), setup: func(w *world) {
				past(prod, "app")(w)
				w.must(w.memory.SetSwitch(context.Background(), decision.WritesStopped, "bob", "a drill", time.Now()))
				w.note(0, invariant.Turned{Switch: decision.WritesStopped})
				w.stopped = true
				time.Sleep(time.Minute)
			},
			acts: func(w *world) { w.update(prod, "app", opened) },
			good: stands(prod, "app", opened),
		},
		{
			name: "sweep seals", state: sweepState, setup: func(w *world) {
				w.known(prod, "app", closed)
				time.Sleep(25 * time.Hour)
			},
			acts: func(w *world) { w.begins() },
			good: sealed(prod, "app"),
		},
		{
			name: "sweep finds", tells: "app", state: sweepState, past: true, setup: func(w *world) {
				past(prod, "app")(w)
				w.lose(func() { w.update(prod, "app", opened) })
				time.Sleep(2 * time.Hour)
			},
			acts: func(w *world) { w.begins() },
			good: stands(prod, "app", closed),
		},
		{
			name: "orphan", tells: arn(prod, "app"), pruned: onlyEC2, state: sweepState, setup: func(w *world) {
				// The event of her end is lost.
				w.known(prod, "app", mixed)
				w.lose(w.deleteAlice)
				time.Sleep(48 * time.Hour)
				w.begins()
				w.run(time.Now().Add(2 * time.Hour))
				time.Sleep(7 * time.Hour)
			},
			acts: func(w *world) { w.begins() },
			// Where it could not be looked for its owner, the id stays, and is told of.
			good: func(w *world) string {
				if w.hasTold("unique-id-principal") {
					return ""
				}
				return stands(prod, "app", onlyEC2)(w)
			},
		},
		{
			name: "outbox", tells: arn(prod, "app"), past: true, setup: func(w *world) {
				past(prod, "app")(w)
				w.wire.Arm(Call{Function: actions.Guard, Name: "sns:Publish"}, ServerError, Always)
				w.update(prod, "app", opened)
				w.run(time.Now().Add(10 * time.Second))
				w.wire.Heal()
				w.waiting = nil
			},
			acts: func(w *world) { w.deliver() },
			good: stands(prod, "app", closed),
		},
	}
}

// begins begins a sweep, whatever comes of it.
func (w *world) begins() {
	if err := w.begin(); err != nil {
		w.errors, w.unbegun = append(w.errors, err.Error()), true
	}
}

func ptr(s string) *string { return &s }
