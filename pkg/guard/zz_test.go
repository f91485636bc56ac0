package guard_test
import ("testing";"strings";"time";"github.com/rolewarden/rolewarden/pkg/remediate")
// flapping then open after budget: each state told?
func TestZZFlap(t *testing.T){
	w := withBaseline(t, rulesFile)
	for i := range 6 {
		w.now = w.now.Add(10*time.Minute)
		w.put(prod, "app", appID, sid(opened, i))
		res := w.settle(w.handle(w.updated("ev-flap"+string(rune('a'+i)), "app", sid(opened, i))))
		w.steps=nil
		t.Log(res.End, len(w.told), res.Reason[:min(160,len(res.Reason))])
	}
	public := strings.Replace(opened, "arn:aws:iam::999999999999:root", "*", 1)
	w.put(prod, "app", appID, public)
	res := w.settle(w.handle(w.updated("ev-open", "app", public)))
	t.Log(res.End, len(w.told), res.Reason)
	// look-alike quarantine then back
	w.put(prod, "app", appID, remediate.Quarantine("mine"))
	w.steps=nil
	res = w.settle(w.handle(w.updated("ev-q", "app", remediate.Quarantine("mine"))))
	t.Log(res.End, len(w.told), res.Reason, w.live(prod,"app").Tags)
	w.put(prod, "app", appID, public)
	w.steps=nil
	res = w.settle(w.handle(w.updated("ev-open2", "app", public)))
	t.Log(res.End, len(w.told), res.Reason)
	for _, a := range w.told { t.Log(a.State, a.Headline()) }
}
