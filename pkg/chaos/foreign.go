package chaos

import (
	"fmt"
	"time"

	"github.com/rolewarden/rolewarden/pkg/invariant"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/org"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// war is infrastructure code that puts its document back.
type war struct {
	document string
	left     int
}

func (w *world) account() string { return []string{prod, dev}[w.rng.IntN(2)] }

func one[T any](w *world, list []T) T { return list[w.rng.IntN(len(list))] }

// target draws a role's name; few roles, so that changes meet each other.
func (w *world) target() role.Ref {
	names := []string{"app0", "app1", "app2", "app3", "App0", "kept-1", "glass", "linked"}
	return role.Ref{Account: w.account(), Name: names[min(w.rng.IntN(len(names)+6)%10, len(names)-1)]}
}

func pathOf(r role.Ref) string {
	switch r.Name {
	case "glass":
		return "/breakglass/"
	case "linked":
		return "/aws-service-role/ec2.amazonaws.com/"
	default:
		return "/"
	}
}

// text draws a document.
func (w *world) text() string {
	switch n := w.rng.IntN(20); {
	case n < 9:
		return one(w, goodDocuments())
	case n < 18:
		return one(w, badDocuments())
	case n < 19:
		return one(w, oddDocuments())
	default:
		return padded(one(w, badDocuments()), 1000)
	}
}

// others lets somebody else do something, and plans when the next will.
func (w *world) others() {
	if w.healed {
		return
	}
	w.act()
	w.flush()
	w.in(time.Duration(w.rng.ExpFloat64()*float64(w.sky.gap)), w.others)
}

func (w *world) act() {
	if w.chance(w.sky.outages) {
		w.breaks()
		return
	}
	if w.chance(w.sky.tampered) {
		w.tamper()
		return
	}
	actor := one(w, []string{arn(prod, "user", "mallory"), arn(dev, "user", "ops"), "arn:aws:sts::" + dev + ":assumed-role/terraform/ci"})
	switch n := w.rng.IntN(100); {
	case n < 45:
		w.change(actor, w.target(), w.text())
	case n < 55:
		w.burst(actor)
	case n < 62:
		w.recreate(actor, w.target())
	case n < 68:
		w.startWar(actor)
	case n < 76:
		w.person(actor)
	case n < 80:
		w.trickTags()
	case n < 88:
		w.forge(actor)
	case n < 91:
		w.flip()
	case n < 93:
		w.mend()
	case n < 95:
		w.changeRules()
	case n < 97:
		w.join()
	default:
		w.remove(actor, w.target())
	}
}

// change makes a role or changes its trust policy. IAM refuses what names nobody.
func (w *world) change(actor string, r role.Ref, document string) {
	if _, ok := w.iam.is(r); !ok {
		made, err := w.iam.create(w.now, r, pathOf(r), document, w.tags())
		if err == nil {
			w.note(0, invariant.Wrote{Role: role.Role{Account: made.Account, Name: made.Name, ID: made.ID, ARN: made.ARN, Path: made.Path}, Call: invariant.UpdateTrust, Document: document, By: actor})
			w.note(0, invariant.Principal{ARN: made.ARN, ID: made.ID})
			w.emitted = append(w.emitted, emission{event: "CreateRole", ref: r, document: document, made: made, actor: actor, at: w.now})
		}
		return
	}
	if err := w.update(0, actor, "", r, document); err != nil {
		w.trace("%s may not change %s: %v", actor, r, err)
	}
}

// tags are what somebody puts on a new role: sometimes ours, to look as if it
// had been handled (T56, T57).
func (w *world) tags() map[string]string {
	switch w.rng.IntN(4) {
	case 0:
		return map[string]string{"Rolewarden:State": "compliant", "team": "blue"}
	case 1:
		out := map[string]string{}
		for i := range 50 {
			out[fmt.Sprintf("t%d", i)] = "x"
		}
		return out
	default:
		return map[string]string{"team": "blue"}
	}
}

func (w *world) trickTags() {
	r := w.target()
	if _, ok := w.iam.is(r); !ok {
		return
	}
	set := one(w, []map[string]string{{"rolewarden:state": "compliant"}, {"ROLEWARDEN:State": "exempt"}, {"rolewarden:at": "2020-01-01"}})
	if err := w.tag(0, r, set); err != nil {
		w.trace("tagging %s: %v", r, err)
	}
}

// burst changes one role several times within seconds.
func (w *world) burst(actor string) {
	r := w.target()
	for range 2 + w.rng.IntN(4) {
		text := w.text()
		w.in(time.Duration(w.rng.IntN(3000))*time.Millisecond, func() {
			if !w.healed {
				w.change(actor, r, text)
				w.flush()
			}
		})
	}
}

// snipe lets somebody write a role just before, or just after, we do (T64).
func (w *world) snipe(r role.Ref, d time.Duration) {
	text := w.text()
	w.in(d/2+time.Duration(w.rng.Int64N(int64(d)+1)), func() {
		if !w.healed {
			w.change(arn(dev, "user", "ops"), r, text)
			w.flush()
		}
	})
}

func (w *world) remove(actor string, r role.Ref) {
	gone, ok := w.iam.remove(w.now, r)
	if !ok {
		return
	}
	w.note(0, invariant.Principal{ARN: gone.ARN})
	id := w.eventID("")
	w.note(0, invariant.Wrote{Role: gone, Call: invariant.DeleteRole, By: actor, Event: id})
	w.emitted = append(w.emitted, emission{id: id, event: "DeleteRole", ref: r, actor: actor, at: w.now})
}

// recreate deletes a role and makes another of its name.
func (w *world) recreate(actor string, r role.Ref) {
	w.remove(actor, r)
	w.change(actor, r, w.text())
}

// startWar lets infrastructure code defend a document.
func (w *world) startWar(actor string) {
	r, text := w.target(), one(w, badDocuments())
	w.wars[place(r)] = war{document: text, left: 2 + w.rng.IntN(6)}
	w.change(actor, r, text)
}

// fights lets the other side of a war answer our write.
func (w *world) fights(r role.Ref) {
	x, ok := w.wars[place(r)]
	if !ok || x.left == 0 || w.healed {
		return
	}
	x.left--
	w.wars[place(r)] = x
	w.in(time.Duration(w.rng.IntN(600))*time.Second, func() {
		if !w.healed {
			w.change("arn:aws:sts::"+dev+":assumed-role/terraform/ci", r, x.document)
			w.flush()
		}
	})
}

// person lets somebody come, go, come back under an old name, or change it.
func (w *world) person(actor string) {
	who := one(w, people())
	name := who[len(who)-1:]
	_, lives := w.iam.people[who]
	switch {
	case accountOf(who) == dev && who == deploy:
		r := role.Ref{Account: dev, Name: "deploy"}
		if lives {
			w.remove(actor, r)
		} else {
			w.change(actor, r, goodDocuments()[5])
		}
	case lives && w.rng.IntN(3) == 0:
		to := who + "-" + name
		if w.iam.rename(who, to) {
			w.note(0, invariant.Principal{ARN: who})
			w.note(0, invariant.Principal{ARN: to, ID: w.iam.people[to]})
			w.emitted = append(w.emitted, emission{event: "UpdateUser", ref: role.Ref{Account: accountOf(who)}, user: lastPart(who), renamed: lastPart(to), actor: actor, at: w.now})
		}
	case lives:
		w.iam.forget(who)
		w.note(0, invariant.Principal{ARN: who})
		w.emitted = append(w.emitted, emission{event: "DeleteUser", ref: role.Ref{Account: accountOf(who)}, user: lastPart(who), actor: actor, at: w.now})
	default:
		w.note(0, invariant.Principal{ARN: who, ID: w.iam.user(who)})
	}
	w.unseeAll()
}

// forge sends what never happened, or happened before (T1, T4, T5, T7).
func (w *world) forge(actor string) {
	r := w.target()
	e := emission{id: w.eventID(""), event: "UpdateAssumeRolePolicy", ref: r, document: one(w, badDocuments()), actor: actor, at: w.now}.told()
	body := []byte(nil)
	switch w.rng.IntN(6) {
	case 0:
		e.code = "AccessDenied"
	case 1:
		e.recipient = outside
	case 2:
		e.request = map[string]any{"roleName": r.Name}
	case 3:
		if len(w.bodies) > 0 {
			body = one(w, w.bodies)
		}
	case 4:
		e.request["policyDocument"] = padded(e.request["policyDocument"].(string), 120_000)
		e.request["omitted"] = true
	default:
		body = []byte(`{"hello":"world"}`)
	}
	m := &message{what: "a forged event about " + r.String(), body: body}
	if body == nil {
		m.body, m.key = e.body(), ledger.Key{Account: e.account, EventID: e.id}
		w.note(0, invariant.Arrived{Key: m.key, Document: e.document()})
	}
	w.count.Forged++
	w.in(time.Duration(w.rng.IntN(5000))*time.Millisecond, func() { w.waiting = append(w.waiting, m) })
}

func (w *world) changeRules() {
	w.rules = one(w, w.variants)
	w.note(0, invariant.Ruled{Rules: w.rules})
	w.unseeAll()
}

// join lets an account become a member that no rules file lists.
func (w *world) join() {
	if w.members[newcomer] == org.Member {
		return
	}
	w.members[newcomer] = org.Member
	w.note(0, invariant.Joined{Account: newcomer})
	w.unseeAll()
}

// unseeAll notes a change that no event of a role tells of.
func (w *world) unseeAll() {
	for k := range w.iam.roles {
		w.unseen[k] = true
	}
}

func lastPart(arn string) string {
	for i := len(arn) - 1; i >= 0; i-- {
		if arn[i] == '/' {
			return arn[i+1:]
		}
	}
	return arn
}

// refOf is the role that an ARN without a path names.
func refOf(arn string) role.Ref { return role.Ref{Account: accountOf(arn), Name: lastPart(arn)} }
